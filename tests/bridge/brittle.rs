//! A store in memory that fails to order.

use std::collections::HashSet;
use std::sync::Mutex;

use async_trait::async_trait;
use chatbridge::domain::{BotId, ChatKey, ChatRecord, ConsultationKey};
use chatbridge::ports::{Change, Class, Committed, Counts, Failure, Lane, Parked, Store, StoreIdentity, StoredOperation, StoredSend};
use chatbridge::store::MemoryStore;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

type Judge = Box<dyn Fn(&Change) -> bool + Send>;

#[derive(Default)]
pub struct Brittle {
    inner: MemoryStore,
    /// Changes that fit fail, so often.
    failing: Mutex<Option<(usize, Judge)>>,
    /// This chat's record cannot be read.
    unreadable: Mutex<Option<ChatKey>>,
    /// Commits of updates wait.
    held: watch::Sender<bool>,
}

impl Brittle {
    /// The next commits that fit fail, so often.
    pub fn fail(&self, times: usize, fits: impl Fn(&Change) -> bool + Send + 'static) {
        *self.failing.lock().unwrap() = Some((times, Box::new(fits)));
    }

    /// The disk is full, or has space again.
    pub fn fill(&self, full: bool) {
        self.inner.fail_with(full.then(|| Failure::new(Class::Transient, "the disk is full: the store takes nothing until there is space")));
    }

    /// How many commits asked to fail have not yet done so.
    pub fn failures_left(&self) -> usize {
        self.failing.lock().unwrap().as_ref().map_or(0, |(left, _)| *left)
    }

    pub fn spoil(&self, chat: ChatKey) {
        *self.unreadable.lock().unwrap() = Some(chat);
    }

    /// Commits of updates wait, or go on.
    pub fn hold(&self, hold: bool) {
        self.held.send_replace(hold);
    }
}

#[async_trait]
impl Store for Brittle {
    async fn commit(&self, change: Change) -> Result<Committed, Failure> {
        if change.seen.is_some() {
            let _ = self.held.subscribe().wait_for(|held| !held).await;
        }
        if let Some((left, fits)) = self.failing.lock().unwrap().as_mut()
            && *left > 0
            && fits(&change)
        {
            *left -= 1;
            return Err(Failure::new(Class::Transient, "a commit that was to fail"));
        }
        if let Some(chat) = change.chats.first() {
            self.unreadable.lock().unwrap().take_if(|unreadable| *unreadable == chat.0);
        }
        self.inner.commit(change).await
    }

    fn chat(&self, key: ChatKey) -> Result<Option<ChatRecord>, Failure> {
        if *self.unreadable.lock().unwrap() == Some(key) {
            return Err(Failure::new(Class::Bug, "a chat in the store cannot be read"));
        }
        self.inner.chat(key)
    }

    fn chats_in(&self, consultations: &HashSet<ConsultationKey>) -> Result<Vec<(ChatKey, ConsultationKey)>, Failure> {
        self.inner.chats_in(consultations)
    }

    fn operations(&self, lane: Lane, limit: usize) -> Result<Vec<StoredOperation>, Failure> {
        self.inner.operations(lane, limit)
    }

    fn sends(&self, chat: ChatKey, limit: usize) -> Result<Vec<StoredSend>, Failure> {
        self.inner.sends(chat, limit)
    }

    fn chats_with_sends(&self) -> Result<Vec<ChatKey>, Failure> {
        self.inner.chats_with_sends()
    }

    fn parked(&self, limit: usize) -> Result<Vec<Parked>, Failure> {
        self.inner.parked(limit)
    }

    fn identity(&self) -> Result<StoreIdentity, Failure> {
        self.inner.identity()
    }

    fn bots(&self) -> Result<Vec<(BotId, Value)>, Failure> {
        self.inner.bots()
    }

    fn counts(&self) -> Result<Counts, Failure> {
        self.inner.counts()
    }

    async fn prune_seen(&self, before: Timestamp) -> Result<u64, Failure> {
        self.inner.prune_seen(before).await
    }
}
