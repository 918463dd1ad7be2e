//! Between the words of the domain and the bytes of the tables.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::ChatKey;
use crate::ports::{Cause, Change, Class, Failure, SendId};

/// A chat as a key.
pub(super) type ChatRow = (i64, i64);
/// What was seen, as a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// An update.
    Update(UpdateRow),
    /// An event.
    Event(EventRow),
}
/// An update as a key.
pub(super) type UpdateRow = (i64, i64);
/// An event as a key.
pub(super) type EventRow = u128;
/// A waiting message as a key.
pub(super) type SendRow = (i64, i64, u64);

/// A change, encoded. The fields are those of [`Change`].
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) seen: Option<(Mark, i128)>,
    pub(super) chats: Vec<(ChatRow, Vec<u8>)>,
    pub(super) sends: Vec<(ChatRow, Vec<u8>)>,
    pub(super) operations: Vec<(u8, Vec<u8>)>,
    pub(super) sent: Vec<SendRow>,
    pub(super) answered: Vec<(u8, u64)>,
    pub(super) parked: Vec<Vec<u8>>,
    pub(super) identity: Option<Vec<u8>>,
    pub(super) bots: Vec<(i64, Vec<u8>)>,
    pub(super) forget_bots: Vec<i64>,
}

impl Rows {
    /// Encodes a change. Done in the caller's task: the writer thread is the one place that cannot be shared.
    pub(super) fn of(change: &Change) -> Result<Self, Failure> {
        Ok(Self {
            seen: change.seen.map(|(cause, at)| (mark(cause), instant(at))),
            chats: each(&change.chats, |(key, record)| Ok((chat(*key), encode(record)?)))?,
            sends: each(&change.sends, |outgoing| Ok((chat(outgoing.to), encode(outgoing)?)))?,
            operations: each(&change.operations, |(lane, operation)| Ok((lane.0, encode(operation)?)))?,
            sent: change.sent.iter().map(|id| send(*id)).collect(),
            answered: change.answered.iter().map(|(lane, number)| (lane.0, *number)).collect(),
            parked: each(&change.parked, encode)?,
            identity: change.identity.as_ref().map(encode).transpose()?,
            bots: each(&change.bots, |(bot, json)| Ok((bot.0, encode(json)?)))?,
            forget_bots: change.forget_bots.iter().map(|bot| bot.0).collect(),
        })
    }
}

fn each<T, R>(items: &[T], row: impl Fn(&T) -> Result<R, Failure>) -> Result<Vec<R>, Failure> {
    items.iter().map(row).collect()
}

/// A chat as a key.
pub(super) fn chat(key: ChatKey) -> ChatRow {
    (key.channel.0, key.chat.0)
}

/// A waiting message as a key.
pub(super) fn send(id: SendId) -> SendRow {
    (id.chat.channel.0, id.chat.chat.0, id.number)
}

/// A cause as a key.
pub(super) fn mark(cause: Cause) -> Mark {
    match cause {
        Cause::Update(bot, update) => Mark::Update((bot.0, update.0)),
        Cause::Event(key) => Mark::Event(key.0.0),
    }
}

/// An instant as a value.
pub(super) fn instant(at: Timestamp) -> i128 {
    at.as_nanosecond()
}

/// The JSON of a value.
pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|_| Failure::new(Class::Bug, "a change for the store has no JSON form"))
}

/// The value of a JSON text that the store holds. `what` names the row. The text itself stays out of the reason: it is personal data,
/// and serde's own message would quote it.
pub(super) fn decode<T: DeserializeOwned>(json: &[u8], what: impl FnOnce() -> String) -> Result<T, Failure> {
    serde_json::from_slice(json).map_err(|error| {
        let (what, kind, column) = (what(), error.classify(), error.column());
        Failure::new(Class::Bug, format!("{what} in the store cannot be read ({kind:?} error at byte {column})"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ChatRecord;

    #[test]
    fn a_row_that_cannot_be_read_is_named_but_not_quoted() {
        let broken = br#"{"profile":{"user":"7","first_name":17,"last_name":"Secret"}}"#;
        let failure = decode::<ChatRecord>(broken, || "chat 7/-100".to_owned()).expect_err("a name is no number");
        assert_eq!(failure.class, Class::Bug);
        assert_eq!(failure.reason, "chat 7/-100 in the store cannot be read (Data error at byte 38)");
    }
}
