//! The durable implementation of the port.

use std::collections::HashSet;
use std::mem;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use jiff::Timestamp;
use redb::{Key, ReadTransaction, TableDefinition};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::batch::{Outcome, Task};
use super::file::{Opener, StoreFile, real_disk};
use super::folder::Folder;
use super::rows::{self, Mark, Rows, decode};
use super::tables::{SEEN, SEEN_EVENTS};
use super::writer::{self, Request};
use super::{OpenError, failure, reads};
use crate::domain::{BotId, ChannelId, ChatId, ChatKey, ChatRecord, ConsultationKey};
use crate::ports::{Change, Class, Committed, Counts, Failure, Lane, Parked, SendId, Store, StoreIdentity, StoredOperation, StoredSend};

/// Marks looked at in one go when old ones are forgotten: about a millisecond, and never a long commit.
const PRUNE_SLICE: usize = 1024;

/// A store in a folder. Dropping it finishes what waits (that blocks for a moment) and closes the file.
///
/// A `commit` whose future is dropped may still be carried out.
#[derive(Debug)]
pub struct RedbStore {
    file: Arc<StoreFile>,
    store_id: String,
    /// There until the drop.
    requests: Option<mpsc::Sender<Request>>,
    writer: Option<JoinHandle<()>>,
}

impl RedbStore {
    /// Opens the store of a folder; makes folder and store where they are missing.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_with(folder, real_disk())
    }

    /// The same, on a disk of the caller's.
    pub(super) fn open_with(folder: &Path, opener: Opener) -> Result<Self, OpenError> {
        let file = Arc::new(StoreFile::open(Folder::open(folder)?, opener)?);
        let unreadable = |failure: Failure| OpenError::Damaged { path: folder.to_owned(), detail: failure.reason };
        let store_id = identity(&file).map_err(unreadable)?.store_id;
        let (requests, writer) = writer::start(Arc::clone(&file)).map_err(|error| OpenError::of_io(folder, error))?;
        Ok(Self { file, store_id, requests: Some(requests), writer: Some(writer) })
    }

    async fn ask(&self, task: Task) -> Result<Outcome, Failure> {
        let (answer, outcome) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or_else(failure::stopped)?;
        requests.send(Request { task, answer }).await.map_err(|_| failure::stopped())?;
        outcome.await.map_err(|_| failure::stopped().uncertain())?
    }

    async fn forget(&self, marks: Vec<Mark>, before: i128) -> Result<u64, Failure> {
        if marks.is_empty() {
            return Ok(0);
        }
        match self.ask(Task::Forget { marks, before }).await? {
            Outcome::Forgotten(count) => Ok(count),
            Outcome::Done | Outcome::Duplicate => Ok(0),
        }
    }

    /// Forgets the old marks of one kind, slice by slice.
    async fn forget_old<K>(&self, marks: TableDefinition<'static, K, i128>, kind: fn(K) -> Mark, before: i128) -> Result<u64, Failure>
    where
        K: Key + Copy + Send + for<'a> redb::Value<SelfType<'a> = K>,
    {
        let (mut from, mut forgotten) = (Bound::Unbounded, 0);
        loop {
            let slice = self.read(|store| reads::old_marks(store, marks, from, PRUNE_SLICE, before))?;
            let Some(last) = slice.last else { return Ok(forgotten) };
            forgotten += self.forget(slice.old.into_iter().map(kind).collect(), before).await?;
            from = Bound::Excluded(last);
            tokio::task::yield_now().await; // a million marks must not hold up the runtime
        }
    }

    fn read<T>(&self, query: impl FnOnce(&ReadTransaction) -> reads::Read<T>) -> Result<T, Failure> {
        let found = read(&self.file, query);
        if found.is_err() {
            self.wake_writer();
        }
        found
    }

    /// A read that failed has made redb refuse everything; the writer opens the file anew when it has something to write, be it nothing.
    fn wake_writer(&self) {
        if let Some(requests) = &self.requests {
            let (answer, _) = oneshot::channel();
            drop(requests.try_send(Request { task: Task::Change(Box::default()), answer }));
        }
    }

    fn check_identity(&self, change: &Change) -> Result<(), Failure> {
        match &change.identity {
            Some(identity) if identity.store_id != self.store_id => Err(other_store()),
            _ => Ok(()),
        }
    }
}

/// A change may not make one store pass for another.
pub(super) fn other_store() -> Failure {
    Failure::new(Class::Bug, "a store's id never changes")
}

fn read<T>(file: &StoreFile, query: impl FnOnce(&ReadTransaction) -> reads::Read<T>) -> Result<T, Failure> {
    file.read().and_then(|transaction| query(&transaction)).map_err(|error| failure::of(&error))
}

fn identity(file: &StoreFile) -> Result<StoreIdentity, Failure> {
    decode(&read(file, reads::identity)?, || "the identity".to_owned())
}

#[async_trait]
impl Store for RedbStore {
    async fn commit(&self, change: Change) -> Result<Committed, Failure> {
        self.check_identity(&change)?;
        match self.ask(Task::Change(Box::new(Rows::of(&change)?))).await? {
            Outcome::Duplicate => Ok(Committed::Duplicate),
            Outcome::Done | Outcome::Forgotten(_) => Ok(Committed::Done),
        }
    }

    fn chat(&self, key: ChatKey) -> Result<Option<ChatRecord>, Failure> {
        let record = self.read(|store| reads::chat(store, rows::chat(key)))?;
        record.map(|json| decode(&json, || format!("chat {}/{}", key.channel, key.chat))).transpose()
    }

    fn chats_in(&self, consultations: &HashSet<ConsultationKey>) -> Result<Vec<(ChatKey, ConsultationKey)>, Failure> {
        let find = |json: &[u8]| {
            let record: ChatRecord = decode(json, || "a chat".to_owned()).ok()?;
            record.consultation().filter(|key| consultations.contains(key))
        };
        let found = self.read(|store| reads::in_chats(store, find))?;
        Ok(found.into_iter().map(|((channel, chat), key)| (ChatKey { channel: ChannelId(channel), chat: ChatId(chat) }, key)).collect())
    }

    fn operations(&self, lane: Lane, limit: usize) -> Result<Vec<StoredOperation>, Failure> {
        let found = self.read(|store| reads::operations(store, lane.0, limit))?;
        let stored = |(number, json): (u64, Vec<u8>)| {
            let operation = decode(&json, || format!("operation {number} of lane {}", lane.0))?;
            Ok(StoredOperation { number, operation })
        };
        found.into_iter().map(stored).collect()
    }

    fn sends(&self, chat: ChatKey, limit: usize) -> Result<Vec<StoredSend>, Failure> {
        let found = self.read(|store| reads::sends(store, rows::chat(chat), limit))?;
        let stored = |(number, json): (u64, Vec<u8>)| {
            let outgoing = decode(&json, || format!("message {number} to chat {}/{}", chat.channel, chat.chat))?;
            Ok(StoredSend { id: SendId { chat, number }, outgoing })
        };
        found.into_iter().map(stored).collect()
    }

    fn chats_with_sends(&self) -> Result<Vec<ChatKey>, Failure> {
        let key = |(channel, chat)| ChatKey { channel: ChannelId(channel), chat: ChatId(chat) };
        Ok(self.read(reads::chats_with_sends)?.into_iter().map(key).collect())
    }

    fn parked(&self, limit: usize) -> Result<Vec<Parked>, Failure> {
        let found = self.read(|store| reads::parked(store, limit))?;
        found.iter().map(|json| decode(json, || "a parked operation".to_owned())).collect()
    }

    fn identity(&self) -> Result<StoreIdentity, Failure> {
        decode(&self.read(reads::identity)?, || "the identity".to_owned())
    }

    fn bots(&self) -> Result<Vec<(BotId, Value)>, Failure> {
        let found = self.read(reads::bots)?;
        let stored = |(bot, json): (i64, Vec<u8>)| Ok((BotId(bot), decode(&json, || format!("bot {bot}"))?));
        found.into_iter().map(stored).collect()
    }

    fn counts(&self) -> Result<Counts, Failure> {
        self.read(reads::counts)
    }

    async fn prune_seen(&self, before: Timestamp) -> Result<u64, Failure> {
        let before = rows::instant(before);
        Ok(self.forget_old(SEEN, Mark::Update, before).await? + self.forget_old(SEEN_EVENTS, Mark::Event, before).await?)
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        self.requests = None;
        let panicked = self.writer.take().is_some_and(|writer| writer.join().is_err());
        if panicked {
            mem::forget(Arc::clone(&self.file)); // redb would panic again when it is closed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::contract::store::Home;

    struct Folder(tempfile::TempDir);

    impl Default for Folder {
        fn default() -> Self {
            Self(tempfile::tempdir().expect("a folder"))
        }
    }

    impl Home for Folder {
        fn open(&self) -> Arc<dyn Store> {
            Arc::new(RedbStore::open(self.0.path()).expect("it opens"))
        }
    }

    crate::store_contract!(Folder);
}
