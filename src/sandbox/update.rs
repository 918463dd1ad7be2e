//! Makes updates out of what customers do.

use std::time::Duration;

use serde_json::{Value, json};

use super::bot::Bot;
use super::customer::Customer;
use super::message::{self, now};
use super::queue::Lane;

/// Every kind of update of Bot API 10.3.
pub(crate) const KINDS: [&str; 27] = [
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "guest_message",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "managed_bot",
    "subscription",
    "stopped_message_generation",
];

/// Queues an update of `kind`, unless the bot does not want it.
pub(crate) fn push(bot: &mut Bot, kind: &str, content: Value) -> Option<i64> {
    if !bot.wants(kind) {
        return None;
    }
    let id = bot.queue.next_id();
    let lane = lane(kind, &content, id);
    let body = json!({"update_id": id, kind: content}).to_string();
    bot.queue.push(id, lane, body, lifetime(kind));
    bot.stir();
    Some(id)
}

/// Queues anything, wanted or not; without an id of its own it gets the next.
pub(crate) fn inject(bot: &mut Bot, mut update: Value) -> i64 {
    let own = update.get("update_id").and_then(Value::as_i64);
    let id = own.unwrap_or_else(|| bot.queue.next_id());
    if own.is_none()
        && let Some(object) = update.as_object_mut()
    {
        object.entry("update_id").or_insert_with(|| id.into());
    }
    let (kind, content) = content(&update);
    let lane = lane(kind, content, id);
    let lifetime = lifetime(kind);
    bot.queue.push(id, lane, update.to_string(), lifetime);
    bot.stir();
    id
}

/// Queues text that may be no JSON at all.
pub(crate) fn inject_raw(bot: &mut Bot, raw: String) -> i64 {
    let parsed = serde_json::from_str::<Value>(&raw).unwrap_or(Value::Null);
    let id = parsed.get("update_id").and_then(Value::as_i64).unwrap_or_else(|| bot.queue.next_id());
    let (kind, content) = content(&parsed);
    let lane = lane(kind, content, id);
    let lifetime = lifetime(kind);
    bot.queue.push(id, lane, raw, lifetime);
    bot.stir();
    id
}

fn content(update: &Value) -> (&str, &Value) {
    let fields = update.as_object().into_iter().flatten();
    let other = fields.filter(|(key, _)| *key != "update_id").map(|(key, value)| (key.as_str(), value)).next();
    other.unwrap_or(("", &Value::Null))
}

/// Telegram orders messages by chat and button presses by user.
fn lane(kind: &str, content: &Value, id: i64) -> Lane {
    let number = |pointer: &str| content.pointer(pointer).and_then(Value::as_i64);
    match (kind, number("/chat/id"), number("/from/id")) {
        ("callback_query" | "inline_query", _, Some(user)) => Lane::User(user),
        (_, Some(chat), _) => Lane::Chat(chat),
        (_, None, Some(user)) => Lane::User(user),
        (_, None, None) => Lane::Alone(id),
    }
}

/// How long Telegram keeps an update of this kind.
fn lifetime(kind: &str) -> Duration {
    Duration::from_secs(match kind {
        "callback_query" | "shipping_query" | "pre_checkout_query" => 150,
        "inline_query" => 30,
        "chosen_inline_result" => 600,
        _ => 86_400,
    })
}

/// The customer wrote, or edited, message `id`.
pub(crate) fn message(bot: &mut Bot, customer: &Customer, kind: &str, id: i64) -> Option<i64> {
    let content = message::shown(bot, customer, bot.chats.get(&customer.id)?.message(id)?);
    push(bot, kind, content)
}

/// The customer blocked or unblocked the bot.
pub(crate) fn member(bot: &mut Bot, customer: &Customer, blocked: bool) -> Option<i64> {
    let member = json!({"user": bot.user(), "status": "member"});
    let kicked = json!({"user": bot.user(), "status": "kicked", "until_date": 0});
    let (old, new) = if blocked { (member, kicked) } else { (kicked, member) };
    let content = json!({
        "chat": customer.chat(), "from": customer.user(), "date": now(),
        "old_chat_member": old, "new_chat_member": new,
    });
    push(bot, "my_chat_member", content)
}
