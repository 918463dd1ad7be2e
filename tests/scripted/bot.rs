//! A bot as the protocol describes it.

use serde_json::{Value, json};

pub const TOKEN: &str = "123456:AAsecretTOKEN";

/// The bot of `docs/protocol.md`.
pub fn bot() -> Value {
    let button = |id: i64, step: Value, url: Value| json!({"id": id, "text": {"en_US": "B"}, "step": step, "url": url});
    json!({"id": 3, "hash": "h1", "name": "Client Chat", "kind": "client", "language": "uk_UA", "company": 1, "wait_for_start": true,
        "create_partner": true, "odoo_operators_only": true, "texts": {"not_started": {"en_US": "Press /start", "uk_UA": ""}, "operator_connected": {"en_US": "connected"},
            "no_operator": {"en_US": "nobody"}, "how_to_end": {"en_US": "/end"}, "consultation_ended": {"en_US": "done"}, "moderation": {"en_US": "wait"},
            "approved": {"en_US": "yes"}, "newer_text": {"en_US": "x"}},
        "channels": [{"id": 7, "messenger": "telegram", "telegram_bot": "123456", "username": "shop_bot", "token": TOKEN,
            "send_operator_name": true, "join_message": false, "end_message": false}],
        "steps": [
            {"id": 12, "kind": "text", "first": false, "aliases": ["Price ", "/PRICE"], "text": {"en_US": "<p>Hi</p>"}, "next": null, "keyboard": [], "buttons": []},
            {"id": 11, "kind": "buttons", "first": true, "aliases": ["/start", "price"], "text": {}, "next": 12,
             "keyboard": [[{"id": 31, "text": {"en_US": "A"}, "step": 12}, {"id": 32, "text": {}, "step": null}]],
             "buttons": [[button(41, json!(12), json!(null))], [button(42, json!(null), json!("https://x.example")), button(43, json!(null), json!(null))]]},
            {"id": 13, "kind": "operator", "first": false, "aliases": [], "text": {}, "next": 11, "operator_bot": 4, "no_operator_step": 12,
             "keyboard": [], "buttons": []},
        ], "newer_field": 1})
}
