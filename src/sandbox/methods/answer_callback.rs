//! `answerCallbackQuery`.

use super::super::answer::{Failure, Outcome, Success};
use super::super::chat::Toast;
use super::super::params::{Kind, Spec};
use super::Turn;

pub(super) const SPEC: Spec =
    &[("callback_query_id", Kind::Text), ("text", Kind::Text), ("show_alert", Kind::Boolean), ("url", Kind::Text), ("cache_time", Kind::Integer)];

const TEXT_MOST: usize = 200;

pub(super) fn answer(turn: &mut Turn<'_>) -> Outcome {
    let id = turn.params.text("callback_query_id").unwrap_or_default().to_owned();
    let text = turn.params.text("text").map(str::to_owned);
    if text.as_ref().is_some_and(|text| text.chars().count() > TEXT_MOST) {
        return Err(Failure::bad("MESSAGE_TOO_LONG"));
    }
    let url = turn.params.text("url").map(str::to_owned);
    let (alert, age) = (turn.params.boolean("show_alert"), turn.options.callback_age);
    let bot = turn.bot();
    let query = bot.queries.get_mut(&id).filter(|query| query.open(age));
    let Some(query) = query else {
        return Err(Failure::bad("query is too old and response timeout expired or query ID is invalid"));
    };
    query.answered = true;
    let user = query.user;
    if let Some(chat) = bot.chats.get_mut(&user) {
        chat.toast = Some(Toast { callback_query_id: id, text, alert, url });
        chat.touch();
    }
    turn.world.changed();
    Ok(Success::done())
}
