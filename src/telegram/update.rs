//! Reads one update by itself, and of it only the parts that we use: what Telegram adds elsewhere can't break it.

use frankenstein::types::{MessageEntity, User};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::content;
use crate::domain::{ChatId, Content, Incoming, MessageId, Profile, UpdateId, UserId};
use crate::ports::{Class, Failure, Update};

/// Where JSON numbers end to be exact; far beyond what Telegram uses, and safe to add one to.
const MAX_UPDATE_ID: i64 = 1 << 53;

/// The id alone, read without looking at the rest: it is needed most when the rest is broken.
#[derive(Deserialize)]
struct Id {
    update_id: i64,
}

/// Reads an update that came at `now`; `None` where it has no usable id, so that it cannot even be confirmed.
pub fn read(raw: &RawValue, now: Timestamp) -> Option<Update> {
    let Id { update_id } = serde_json::from_str(raw.get()).ok()?;
    if !(0..=MAX_UPDATE_ID).contains(&update_id) {
        return None;
    }
    let content = serde_json::from_str::<Value>(raw.get())
        .map_err(|_| malformed("no valid JSON"))
        .and_then(|update| incoming(&update, now))
        .map_err(|failure| Failure { reason: format!("update {update_id}: {}", failure.reason), ..failure });
    Some(Update { id: UpdateId(update_id), content })
}

fn incoming(update: &Value, now: Timestamp) -> Result<Option<Incoming>, Failure> {
    if let Some(message) = update.get("message") {
        return of_message(message);
    }
    if let Some(callback) = update.get("callback_query") {
        return of_callback(callback, now);
    }
    if let Some(change) = update.get("my_chat_member") {
        return of_membership(change);
    }
    let kind = update.as_object().and_then(|parts| parts.keys().find(|key| *key != "update_id"));
    let Some(kind) = kind else { return Err(malformed("it is empty")) };
    // Edited messages are among these until the dialog has a use for them.
    tracing::debug!(update.id = %update["update_id"], update.kind = kind, "an update that the bridge has no use for");
    Ok(None)
}

fn of_message(message: &Value) -> Result<Option<Incoming>, Failure> {
    let Some(chat) = private_chat(message)? else { return Ok(None) };
    let text: Option<String> = part(message, "text")?;
    let content = match text {
        Some(text) => content::of_text(text, &part::<Option<Vec<MessageEntity>>>(message, "entities")?.unwrap_or_default()),
        None => match content::of_thing(message) {
            Some(content) => content,
            None => return Ok(None),
        },
    };
    Ok(Some(Incoming { chat, profile: profile(message)?, at: date(message)?, message: Some(message_id(message)?), content }))
}

/// The message under which the button stands may be «inaccessible» (too old): its chat and id are there all the same. A button of a message sent in
/// the name of the bot by a person («inline mode») has no message, and a game's button no data: neither is ours.
fn of_callback(callback: &Value, now: Timestamp) -> Result<Option<Incoming>, Failure> {
    let Some(message) = callback.get("message").filter(|message| !message.is_null()) else { return Ok(None) };
    let Some(data) = part::<Option<String>>(callback, "data")? else { return Ok(None) };
    let Some(chat) = private_chat(message)? else { return Ok(None) };
    let content = Content::Tap { callback: part(callback, "id")?, data };
    Ok(Some(Incoming { chat, profile: profile(callback)?, at: now, message: Some(message_id(message)?), content }))
}

fn of_membership(change: &Value) -> Result<Option<Incoming>, Failure> {
    let Some(chat) = private_chat(change)? else { return Ok(None) };
    let content = match change["new_chat_member"]["status"].as_str() {
        Some("kicked") => Content::Blocked,
        Some("member") => Content::Unblocked,
        Some(_) => return Ok(None),
        None => return Err(unreadable("new_chat_member")),
    };
    Ok(Some(Incoming { chat, profile: profile(change)?, at: date(change)?, message: None, content }))
}

/// The private chat; `None` for groups, channels, and whatever kinds may come.
fn private_chat(holder: &Value) -> Result<Option<ChatId>, Failure> {
    let chat = &holder["chat"];
    let kind: String = part(chat, "type").map_err(|_| unreadable("chat"))?;
    if kind != "private" {
        return Ok(None);
    }
    part(chat, "id").map(|id| Some(ChatId(id))).map_err(|_| unreadable("chat"))
}

fn profile(holder: &Value) -> Result<Profile, Failure> {
    let user: User = part(holder, "from")?;
    let id = i64::try_from(user.id).map_err(|_| unreadable("from"))?;
    Ok(Profile {
        user: UserId(id),
        first_name: user.first_name,
        last_name: user.last_name,
        username: user.username,
        language_code: user.language_code,
    })
}

fn message_id(message: &Value) -> Result<MessageId, Failure> {
    part(message, "message_id").map(MessageId)
}

fn date(holder: &Value) -> Result<Timestamp, Failure> {
    Timestamp::from_second(part(holder, "date")?).map_err(|_| unreadable("date"))
}

/// One part, as its type. Serde's own error is dropped, since it may quote what a person wrote.
fn part<T: DeserializeOwned>(holder: &Value, name: &'static str) -> Result<T, Failure> {
    let value = holder.get(name).unwrap_or(&Value::Null);
    T::deserialize(value).map_err(|_| unreadable(name))
}

fn unreadable(name: &str) -> Failure {
    malformed(&format!("the field {name} can't be read"))
}

fn malformed(reason: &str) -> Failure {
    Failure::new(Class::Malformed, reason)
}
