//! A bot as the protocol describes it.

use serde_json::{Value, json};

pub const TOKEN: &str = "123456:AAsecretTOKEN";

/// The bot of `docs/protocol.md`.
pub fn bot() -> Value {
    let button = |id: i64, step: Value, url: Value| json!({"id": id, "text": {"en_US": "B"}, "step": step, "url": url});
    json!({"id": 3, "hash": "h1", "name": "Client Chat", "kind": "client", "language": "uk_UA", "company": 1, "wait_for_start": true,
        "create_partner": true, "texts": {"not_started": {"en_US": "Press /start", "uk_UA": ""}},
        "channels": [{"id": 7, "messenger": "telegram", "telegram_bot": "123456", "username": "shop_bot", "token": TOKEN}],
        "steps": [
            {"id": 12, "kind": "text", "first": false, "aliases": ["Price ", "/PRICE"], "text": {"en_US": "<p>Hi</p>"}, "next": null, "keyboard": [], "buttons": []},
            {"id": 11, "kind": "buttons", "first": true, "aliases": ["/start", "price"], "text": {}, "next": 12,
             "keyboard": [[{"id": 31, "text": {"en_US": "A"}, "step": 12}, {"id": 32, "text": {}, "step": null}]],
             "buttons": [[button(41, json!(12), json!(null))], [button(42, json!(null), json!("https://x.example")), button(43, json!(null), json!(null))]]},
        ], "newer_field": 1})
}
