//! The bot that the tests talk to, as the protocol describes it.

use serde_json::{Value, json};

pub const TOKEN: &str = "123456:AAfirst";
pub const NAME: &str = "shop_bot";
pub const CHANNEL: i64 = 7;

/// Bot 3 with channel 7. `/start` says «Welcome»; `q0` to `q9` say «Answer 0» to «Answer 9»; `operator` asks desk 9 for an operator; «Answer 0» follows the consultation.
pub fn shop() -> Value {
    numbered(3, CHANNEL, TOKEN, "h1")
}

pub fn numbered(id: i64, channel: i64, token: &str, hash: &str) -> Value {
    let step = |id: i64, first: bool, alias: &str, text: &str| json!({"id": id, "kind": "text", "first": first, "aliases": [alias], "text": {"en_US": format!("<p>{text}</p>")}, "next": null, "keyboard": [], "buttons": []});
    let mut steps = vec![step(1, true, "/start", "Welcome")];
    steps.extend((0..10).map(|n| step(100 + n, false, &format!("q{n}"), &format!("Answer {n}"))));
    steps
        .push(json!({"id": 50, "kind": "operator", "first": false, "aliases": ["operator"], "text": {"en_US": "<p>Connecting you</p>"}, "next": 100,
        "operator_bot": 9, "no_operator_step": null, "keyboard": [], "buttons": []}));
    let text = |text: &str| json!({"en_US": text});
    let texts = json!({"not_started": text("Press /start"), "operator_connected": text("connected"), "how_to_end": text("To end press /end"),
        "no_operator": text("Nobody is there"), "consultation_ended": text("Completed")});
    json!({"id": id, "hash": hash, "name": "Client Chat", "kind": "client", "language": "en_US", "company": 1, "wait_for_start": true,
        "create_partner": true, "texts": texts,
        "channels": [{"id": channel, "messenger": "telegram", "telegram_bot": null, "username": null, "token": token}], "steps": steps})
}

/// The same, met through a webhook.
pub fn hooked(url: &str, hash: &str) -> Value {
    let mut bot = shop();
    bot["hash"] = hash.into();
    bot["channels"][0]["webhook_url"] = url.into();
    bot
}

/// The same with another text of the first step.
pub fn saying(text: &str, hash: &str) -> Value {
    let mut bot = shop();
    bot["hash"] = hash.into();
    bot["steps"][0]["text"]["en_US"] = text.into();
    bot
}
