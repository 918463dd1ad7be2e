//! A chat as the customer sees it, for tests and the page.

use serde_json::{Value, json};

use super::bot::Bot;
use super::chat::Chat;
use super::entities::as_html;
use super::message::{From, Message};

/// What is newer than `after`; keyboard, typing and the last callback's answer always as they are now.
pub(crate) fn chat(bot: &Bot, user: i64, after: u64) -> Value {
    let Some(chat) = bot.chats.get(&user) else {
        return json!({
            "bot": bot.spec.username, "user": user, "seq": 0, "started": false, "blocked": false,
            "messages": [], "keyboard": null, "asks_reply": null, "typing": null, "toast": null,
        });
    };
    let messages: Vec<_> = chat.messages.values().filter(|message| message.seq > after).map(|one| message(one, chat)).collect();
    let keyboard = chat.keyboard.as_ref().map(|keyboard| &keyboard.markup);
    json!({
        "bot": bot.spec.username,
        "user": user,
        "seq": *chat.seq.borrow(),
        "started": chat.started,
        "blocked": chat.blocked,
        "messages": messages,
        "keyboard": keyboard.map(|markup| &markup["keyboard"]),
        "placeholder": keyboard.map(|markup| &markup["input_field_placeholder"]),
        "asks_reply": chat.asks_reply,
        "typing": chat.typing(),
        "toast": chat.toast,
    })
}

fn message(message: &Message, chat: &Chat) -> Value {
    if message.deleted {
        return json!({"message_id": message.id, "seq": message.seq, "deleted": true});
    }
    let from = match message.from {
        From::Bot => "bot",
        From::User => "user",
    };
    let mut value = json!({
        "message_id": message.id,
        "seq": message.seq,
        "from": from,
        "text": message.content.text,
        "html": as_html(&message.content),
        "entities": message.content.entities_json(),
        "date": message.date,
        "edited": message.edit_date.is_some(),
        "inline_keyboard": message.inline.as_ref().map(|keyboard| &keyboard["inline_keyboard"]),
    });
    if let Some(original) = message.reply_to.and_then(|id| chat.message(id)) {
        value["reply_to"] = json!({"message_id": original.id, "text": original.content.text});
    }
    if let Some(contact) = message.extra.get("contact") {
        value["contact"] = contact.clone();
    }
    value
}
