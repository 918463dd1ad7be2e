//! What the store is asked, as short scans of one read transaction. Values come out as bytes; `rows::decode` reads them.

use std::ops::Bound;

use redb::{Key, ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition};

use super::facts::{BATCH, FORMAT, IDENTITY};
use super::rows::{ChatRow, SendRow};
use super::tables::{BOTS, CHATS, COUNTERS, META, OPERATIONS, PARKED, SENDS};
use crate::ports::Counts;

/// The result of a read.
pub(super) type Read<T> = Result<T, redb::Error>;

/// The working copy of a chat.
pub(super) fn chat(store: &ReadTransaction, key: ChatRow) -> Read<Option<Vec<u8>>> {
    Ok(store.open_table(CHATS)?.get(key)?.map(|record| record.value().to_vec()))
}

/// What is found in the working copies of all chats.
pub(super) fn in_chats<T>(store: &ReadTransaction, find: impl Fn(&[u8]) -> Option<T>) -> Read<Vec<(ChatRow, T)>> {
    let table = store.open_table(CHATS)?;
    let mut found = Vec::new();
    for row in table.iter()? {
        let (chat, record) = row?;
        found.extend(find(record.value()).map(|what| (chat.value(), what)));
    }
    Ok(found)
}

/// The oldest operations of a lane.
pub(super) fn operations(store: &ReadTransaction, lane: u8, limit: usize) -> Read<Vec<(u64, Vec<u8>)>> {
    let table = store.open_table(OPERATIONS)?;
    let mut found = Vec::new();
    for row in table.range((lane, 0)..=(lane, u64::MAX))?.take(limit) {
        let (key, operation) = row?;
        found.push((key.value().1, operation.value().to_vec()));
    }
    Ok(found)
}

/// The oldest messages of a chat.
pub(super) fn sends(store: &ReadTransaction, (channel, chat): ChatRow, limit: usize) -> Read<Vec<(u64, Vec<u8>)>> {
    let table = store.open_table(SENDS)?;
    let mut found = Vec::new();
    for row in table.range((channel, chat, 0)..=(channel, chat, u64::MAX))?.take(limit) {
        let (key, outgoing) = row?;
        found.push((key.value().2, outgoing.value().to_vec()));
    }
    Ok(found)
}

/// Every chat with messages. Goes from chat to chat, so a chat with ten thousand messages costs as much as one with one.
pub(super) fn chats_with_sends(store: &ReadTransaction) -> Read<Vec<ChatRow>> {
    let table = store.open_table(SENDS)?;
    let mut found = Vec::new();
    let mut from: Bound<SendRow> = Bound::Unbounded;
    while let Some(row) = table.range::<SendRow>((from, Bound::Unbounded))?.next() {
        let (channel, chat, _) = row?.0.value();
        found.push((channel, chat));
        from = Bound::Excluded((channel, chat, u64::MAX));
    }
    Ok(found)
}

/// The newest parked operations.
pub(super) fn parked(store: &ReadTransaction, limit: usize) -> Read<Vec<Vec<u8>>> {
    let table = store.open_table(PARKED)?;
    let mut found = Vec::new();
    for row in table.iter()?.rev().take(limit) {
        found.push(row?.1.value().to_vec());
    }
    Ok(found)
}

/// The identity.
pub(super) fn identity(store: &ReadTransaction) -> Read<Vec<u8>> {
    let identity = store.open_table(META)?.get(IDENTITY)?.map(|identity| identity.value().to_vec());
    identity.ok_or_else(|| redb::Error::Corrupted("it has no identity".to_owned()))
}

/// The configuration, per bot.
pub(super) fn bots(store: &ReadTransaction) -> Read<Vec<(i64, Vec<u8>)>> {
    let table = store.open_table(BOTS)?;
    let mut found = Vec::new();
    for row in table.iter()? {
        let (bot, json) = row?;
        found.push((bot.value(), json.value().to_vec()));
    }
    Ok(found)
}

/// How much waits. redb keeps the length of each table.
pub(super) fn counts(store: &ReadTransaction) -> Read<Counts> {
    Ok(Counts {
        operations: store.open_table(OPERATIONS)?.len()?,
        sends: store.open_table(SENDS)?.len()?,
        parked: store.open_table(PARKED)?.len()?,
        chats: store.open_table(CHATS)?.len()?,
    })
}

/// A slice of the marks of one kind.
pub(super) struct Slice<K> {
    /// Those that are older than the instant asked for.
    pub(super) old: Vec<K>,
    /// The last one looked at; none when the slice is empty, so that was the end.
    pub(super) last: Option<K>,
}

/// Looks at the next `limit` marks for those older than an instant.
pub(super) fn old_marks<K>(store: &ReadTransaction, marks: TableDefinition<K, i128>, from: Bound<K>, limit: usize, before: i128) -> Read<Slice<K>>
where
    K: Key + Copy + for<'a> redb::Value<SelfType<'a> = K>,
{
    let table = store.open_table(marks)?;
    let mut slice = Slice { old: Vec::new(), last: None };
    for row in table.range::<K>((from, Bound::Unbounded))?.take(limit) {
        let (mark, at) = row?;
        if at.value() < before {
            slice.old.push(mark.value());
        }
        slice.last = Some(mark.value());
    }
    Ok(slice)
}

/// The number of the last batch.
pub(super) fn last_batch(store: &ReadTransaction) -> Read<u64> {
    counter(store, BATCH)
}

/// The version of the file's format.
pub(super) fn format(store: &ReadTransaction) -> Read<u64> {
    counter(store, FORMAT)
}

fn counter(store: &ReadTransaction, name: &str) -> Read<u64> {
    let value = store.open_table(COUNTERS)?.get(name)?.map(|value| value.value());
    value.ok_or_else(|| redb::Error::Corrupted(format!("it has no {name} number")))
}
