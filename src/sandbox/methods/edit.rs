//! `editMessageText`, `editMessageReplyMarkup` and `deleteMessage`.

use super::super::answer::{Failure, Outcome, Success};
use super::super::customer::Customer;
use super::super::keyboard;
use super::super::message::{From, Message, now};
use super::super::params::{Kind, Spec};
use super::super::text::Formatted;
use super::Turn;

pub(super) const TEXT: Spec = &[
    ("business_connection_id", Kind::Unsupported),
    ("chat_id", Kind::Chat),
    ("message_id", Kind::Integer),
    ("inline_message_id", Kind::Unsupported),
    ("text", Kind::Text),
    ("parse_mode", Kind::Text),
    ("entities", Kind::Array),
    ("link_preview_options", Kind::Object),
    ("rich_message", Kind::Unsupported),
    ("reply_markup", Kind::Object),
];

pub(super) const MARKUP: Spec = &[
    ("business_connection_id", Kind::Unsupported),
    ("chat_id", Kind::Chat),
    ("message_id", Kind::Integer),
    ("inline_message_id", Kind::Unsupported),
    ("reply_markup", Kind::Object),
];

pub(super) const DELETE: Spec = &[("chat_id", Kind::Chat), ("message_id", Kind::Integer)];

/// Bots may delete messages for two days.
const DELETABLE_SECONDS: i64 = 48 * 3600;

const SAME: &str = "message is not modified: specified new message content and reply markup are exactly the same \
                    as a current content and reply markup of the message";

pub(super) fn text(turn: &mut Turn<'_>) -> Outcome {
    let content = Formatted::sent(turn.params, turn.options.strict)?;
    let inline = keyboard::read_inline(turn.params.get("reply_markup"))?;
    edit(turn, |message| {
        message.content = content;
        message.inline = inline;
    })
}

pub(super) fn markup(turn: &mut Turn<'_>) -> Outcome {
    let inline = keyboard::read_inline(turn.params.get("reply_markup"))?;
    edit(turn, |message| message.inline = inline)
}

fn edit(turn: &mut Turn<'_>, change: impl FnOnce(&mut Message)) -> Outcome {
    let (customer, id) = target(turn)?;
    let chat = turn.chat(&customer);
    let old = chat.message(id).ok_or_else(|| Failure::bad("message to edit not found"))?;
    if old.from != From::Bot || old.fixed {
        return Err(Failure::bad("message can't be edited"));
    }
    let mut new = old.clone();
    change(&mut new);
    if new.content == old.content && new.inline == old.inline {
        return Err(Failure::bad(SAME));
    }
    turn.pace(&customer)?;
    new.edit_date = Some(now());
    turn.chat(&customer).change(id, |message| *message = new);
    turn.world.changed();
    turn.shown(&customer, id)
}

pub(super) fn delete(turn: &mut Turn<'_>) -> Outcome {
    let (customer, id) = target(turn)?;
    let chat = turn.chat(&customer);
    let message = chat.message(id).ok_or_else(|| Failure::bad("message to delete not found"))?;
    if message.date + DELETABLE_SECONDS < now() {
        return Err(Failure::bad("message can't be deleted for everyone"));
    }
    chat.delete(id);
    turn.world.changed();
    Ok(Success::done())
}

fn target(turn: &mut Turn<'_>) -> Result<(Customer, i64), Failure> {
    let customer = turn.partner()?;
    match turn.params.integer("message_id") {
        Some(id) if id > 0 => Ok((customer, id)),
        _ => Err(Failure::bad("message identifier is not specified")),
    }
}
