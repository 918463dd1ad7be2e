//! `sendMessage` and `sendChatAction`.

use serde_json::Value;

use super::super::answer::{Failure, Outcome, Success};
use super::super::chat::{Chat, Keyboard};
use super::super::keyboard::{self, Markup};
use super::super::message::{From, Message};
use super::super::params::{self, Kind, Spec};
use super::super::text::Formatted;
use super::Turn;

pub(super) const MESSAGE: Spec = &[
    ("business_connection_id", Kind::Unsupported),
    ("chat_id", Kind::Chat),
    ("message_thread_id", Kind::Integer),
    ("direct_messages_topic_id", Kind::Unsupported),
    ("ephemeral_message_parameters", Kind::Unsupported),
    ("text", Kind::Text),
    ("parse_mode", Kind::Text),
    ("entities", Kind::Array),
    ("link_preview_options", Kind::Object),
    ("disable_notification", Kind::Boolean),
    ("protect_content", Kind::Boolean),
    ("allow_paid_broadcast", Kind::Boolean),
    ("message_effect_id", Kind::Text),
    ("suggested_post_parameters", Kind::Unsupported),
    ("reply_parameters", Kind::Object),
    ("reply_markup", Kind::Object),
];

pub(super) const ACTION: Spec =
    &[("business_connection_id", Kind::Unsupported), ("chat_id", Kind::Chat), ("message_thread_id", Kind::Integer), ("action", Kind::Text)];

const REPLY: Spec = &[
    ("message_id", Kind::Integer),
    ("chat_id", Kind::Chat),
    ("allow_sending_without_reply", Kind::Boolean),
    ("quote", Kind::Unsupported),
    ("quote_parse_mode", Kind::Text),
    ("quote_entities", Kind::Unsupported),
    ("quote_position", Kind::Unsupported),
    ("checklist_task_id", Kind::Unsupported),
    ("poll_option_id", Kind::Unsupported),
    ("ephemeral_message_id", Kind::Unsupported),
];

const PREVIEW: Spec = &[
    ("is_disabled", Kind::Boolean),
    ("url", Kind::Text),
    ("prefer_small_media", Kind::Boolean),
    ("prefer_large_media", Kind::Boolean),
    ("show_above_text", Kind::Boolean),
];

const ACTIONS: [&str; 11] = [
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
];

pub(super) fn message(turn: &mut Turn<'_>) -> Outcome {
    let content = Formatted::sent(turn.params, turn.options.strict)?;
    let markup = keyboard::read(turn.params.get("reply_markup"))?;
    let mut message = Message::new(From::Bot, content);
    extras(turn, &mut message)?;
    let customer = turn.partner()?;
    no_threads(turn)?;
    message.reply_to = reply_to(turn, turn.world.bots[&turn.bot].chats.get(&customer.id))?;
    turn.pace(&customer)?;
    if let Some(Markup::Inline(keyboard)) = &markup {
        message.inline = Some(keyboard.clone());
    }
    message.fixed = matches!(markup, Some(Markup::Reply(_) | Markup::Remove | Markup::ForceReply(_)));
    let chat = turn.chat(&customer);
    let id = chat.add(message);
    show(chat, id, markup);
    turn.world.changed();
    turn.shown(&customer, id)
}

/// Changes what the customer sees below the input.
fn show(chat: &mut Chat, message_id: i64, markup: Option<Markup>) {
    match markup {
        Some(Markup::Reply(markup)) => {
            chat.asks_reply = None;
            chat.keyboard = Some(Keyboard { message_id, markup });
        }
        Some(Markup::Remove) => chat.keyboard = None,
        Some(Markup::ForceReply(placeholder)) => chat.asks_reply = Some(placeholder),
        Some(Markup::Inline(_)) | None => {}
    }
}

/// Fields that Telegram shows again in the message.
fn extras(turn: &Turn<'_>, message: &mut Message) -> Result<(), Failure> {
    if turn.params.boolean("protect_content") {
        message.extra.insert("has_protected_content".to_owned(), true.into());
    }
    if let Some(effect) = turn.params.text("message_effect_id") {
        message.extra.insert("effect_id".to_owned(), effect.into());
    }
    if let Some(options) = turn.params.get("link_preview_options") {
        params::object(options, PREVIEW, "link_preview_options").map_err(Failure::bad)?;
        message.extra.insert("link_preview_options".to_owned(), options.clone());
    }
    Ok(())
}

fn no_threads(turn: &Turn<'_>) -> Result<(), Failure> {
    match turn.params.integer("message_thread_id") {
        None | Some(0) => Ok(()),
        Some(_) => Err(Failure::bad("message thread not found")),
    }
}

fn reply_to(turn: &Turn<'_>, chat: Option<&Chat>) -> Result<Option<i64>, Failure> {
    let Some(given) = turn.params.get("reply_parameters") else {
        return Ok(None);
    };
    let map = params::object(given, REPLY, "reply_parameters").map_err(Failure::bad)?;
    let id = map.get("message_id").and_then(Value::as_i64).unwrap_or(0);
    let anyway = map.get("allow_sending_without_reply").and_then(Value::as_bool).unwrap_or(false);
    match chat.and_then(|chat| chat.message(id)) {
        Some(_) => Ok(Some(id)),
        None if anyway => Ok(None),
        None => Err(Failure::bad("message to be replied not found")),
    }
}

pub(super) fn action(turn: &mut Turn<'_>) -> Outcome {
    let action = turn.params.text("action").unwrap_or_default().to_owned();
    if !ACTIONS.contains(&action.as_str()) {
        return Err(Failure::bad("wrong parameter action in request"));
    }
    let customer = turn.partner()?;
    no_threads(turn)?;
    turn.chat(&customer).type_now(&action);
    turn.world.changed();
    Ok(Success::done())
}
