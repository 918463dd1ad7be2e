//! What a message says: words, a command, or a thing that is no text.

use frankenstein::types::{MessageEntity, MessageEntityType};
use serde_json::Value;

use crate::domain::Content;

/// Things that a person sends, by the field that holds them. Telegram repeats some in an older field, so the newer names stand first: an animation
/// is a document too, a venue a location.
const THINGS: [&str; 21] = [
    "live_photo",
    "animation",
    "venue",
    "audio",
    "document",
    "paid_media",
    "photo",
    "sticker",
    "story",
    "video",
    "video_note",
    "voice",
    "contact",
    "dice",
    "game",
    "poll",
    "location",
    "checklist",
    "rich_message",
    "users_shared",
    "web_app_data",
];

/// Notices that Telegram makes by itself: nobody said anything.
const NOTICES: [&str; 19] = [
    "pinned_message",
    "message_auto_delete_timer_changed",
    "write_access_allowed",
    "connected_website",
    "chat_background_set",
    "boost_added",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_closed",
    "forum_topic_reopened",
    "gift",
    "unique_gift",
    "gift_upgrade_sent",
    "giveaway_created",
    "giveaway_completed",
    "proximity_alert_triggered",
    "paid_message_price_changed",
    "managed_bot_created",
    "refunded_payment",
];

/// The content of a message that is no text; `None` for a notice.
pub fn of_thing(message: &Value) -> Option<Content> {
    let has = |name: &&&str| message.get(**name).is_some_and(|value| !value.is_null());
    if NOTICES.iter().any(|name| has(&name)) {
        return None;
    }
    Some(Content::Other(THINGS.iter().find(has).copied().unwrap_or("unknown")))
}

/// The content of a text: a command where it begins with one.
pub fn of_text(text: String, entities: &[MessageEntity]) -> Content {
    let command = entities.iter().find(|entity| entity.offset == 0 && entity.type_field == MessageEntityType::BotCommand);
    match command.and_then(|entity| split(&text, usize::from(entity.length))) {
        Some((name, payload)) => Content::Command { name, payload, text },
        None => Content::Text(text),
    }
}

/// `/Start@shop_bot 42` → `start`, `42`. Commands are ASCII, so that Telegram's UTF-16 length is one in bytes; where it is not, it is no command.
fn split(text: &str, length: usize) -> Option<(String, String)> {
    let (command, payload) = text.split_at_checked(length)?;
    let command = command.strip_prefix('/').filter(|command| command.is_ascii())?;
    let name = command.split('@').next().filter(|name| !name.is_empty())?;
    Some((name.to_ascii_lowercase(), payload.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn command(text: &str, offset: u16, length: u16) -> Content {
        let entity = MessageEntity::builder().type_field(MessageEntityType::BotCommand).offset(offset).length(length).build();
        of_text(text.to_owned(), &[entity])
    }

    #[test]
    fn a_command_stands_at_the_beginning() {
        let rows = [
            ("/start", 6, "start", ""),
            ("/start payload", 6, "start", "payload"),
            ("/START@Shop_Bot  a b ", 15, "start", "a b"),
            ("/start\nsecond line", 6, "start", "second line"),
        ];
        for (text, length, name, payload) in rows {
            let expected = Content::Command { name: name.to_owned(), payload: payload.to_owned(), text: text.to_owned() };
            assert_eq!(command(text, 0, length), expected);
        }
    }

    #[test]
    fn anything_else_is_text() {
        let rows = [("say /start", 4, 6), ("/start", 0, 60), ("/старт", 0, 6), ("/", 0, 1), ("/@bot", 0, 5), ("start", 0, 5)];
        for (text, offset, length) in rows {
            assert_eq!(command(text, offset, length), Content::Text(text.to_owned()), "{text}");
        }
        assert_eq!(of_text("/start".to_owned(), &[]), Content::Text("/start".to_owned()));
    }

    #[test]
    fn a_thing_has_the_name_of_its_newest_field() {
        assert_eq!(of_thing(&json!({"document": {}, "animation": {}})), Some(Content::Other("animation")));
        assert_eq!(of_thing(&json!({"location": {}, "venue": {}})), Some(Content::Other("venue")));
        assert_eq!(of_thing(&json!({"photo": [], "caption": "look"})), Some(Content::Other("photo")));
        assert_eq!(of_thing(&json!({"hologram": {}})), Some(Content::Other("unknown")));
        assert_eq!(of_thing(&json!({"pinned_message": {}})), None);
    }
}
