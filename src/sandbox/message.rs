//! A message of a chat, and how Telegram shows it.

use serde_json::{Map, Value, json};

use super::bot::Bot;
use super::customer::Customer;
use super::text::Formatted;

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Bot,
    User,
}

/// One message; a deleted one stays as a mark for the page.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub id: i64,
    pub from: From,
    pub date: i64,
    pub edit_date: Option<i64>,
    pub content: Formatted,
    /// The inline keyboard, the only markup Telegram ever shows again.
    pub inline: Option<Value>,
    pub reply_to: Option<i64>,
    /// Sent with a reply keyboard: Telegram refuses to edit it.
    pub fixed: bool,
    pub deleted: bool,
    /// Further fields shown as they are, such as `contact`.
    pub extra: Map<String, Value>,
    /// The chat's count when this message last changed.
    pub seq: u64,
}

impl Message {
    pub fn new(from: From, content: Formatted) -> Self {
        Self {
            id: 0,
            from,
            date: now(),
            edit_date: None,
            content,
            inline: None,
            reply_to: None,
            fixed: false,
            deleted: false,
            extra: Map::new(),
            seq: 0,
        }
    }
}

/// Telegram's `Message`, with the message it replies to one level deep.
pub(crate) fn shown(bot: &Bot, customer: &Customer, message: &Message) -> Value {
    let mut value = alone(bot, customer, message);
    let chat = bot.chats.get(&customer.id);
    if let Some(original) = message.reply_to.and_then(|id| chat?.message(id)) {
        value["reply_to_message"] = alone(bot, customer, original);
    }
    value
}

fn alone(bot: &Bot, customer: &Customer, message: &Message) -> Value {
    let from = match message.from {
        From::Bot => bot.user(),
        From::User => customer.user(),
    };
    let mut value = json!({"message_id": message.id, "from": from, "chat": customer.chat(), "date": message.date});
    if !message.content.text.is_empty() {
        value["text"] = message.content.text.as_str().into();
    }
    if !message.content.entities.is_empty() {
        value["entities"] = message.content.entities_json();
    }
    if let Some(date) = message.edit_date {
        value["edit_date"] = date.into();
    }
    if let Some(keyboard) = &message.inline {
        value["reply_markup"] = keyboard.clone();
    }
    for (key, extra) in &message.extra {
        value[key.as_str()] = extra.clone();
    }
    value
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    now_us() / 1_000_000
}

/// Microseconds since 1970, for latencies.
pub(crate) fn now_us() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
