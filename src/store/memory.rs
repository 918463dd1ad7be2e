//! The port in memory, for tests and for trying a bot out.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::redb_store::other_store;
use crate::domain::{BotId, ChatKey, ChatRecord, ConsultationKey, Operation, Outgoing};
use crate::ports::{Cause, Change, Committed, Counts, Failure, Lane, Parked, SendId, Store, StoreIdentity, StoredOperation, StoredSend};

/// A store that keeps its promises as long as the process lives. A clone is the same store: drop one and go on with the other, and it is
/// as if the bridge had been killed and started anew.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    contents: Arc<Mutex<Contents>>,
}

#[derive(Debug)]
struct Contents {
    seen: BTreeMap<Cause, Timestamp>,
    chats: BTreeMap<ChatKey, ChatRecord>,
    sends: BTreeMap<SendId, Outgoing>,
    operations: BTreeMap<(Lane, u64), Operation>,
    parked: Vec<Parked>,
    identity: StoreIdentity,
    bots: BTreeMap<BotId, Value>,
    next: u64,
    failure: Option<Failure>,
}

impl MemoryStore {
    /// A new, empty store with an id of its own.
    pub fn new() -> Self {
        let store_id = ulid::Ulid::generate().to_string();
        let contents = Contents {
            seen: BTreeMap::new(),
            chats: BTreeMap::new(),
            sends: BTreeMap::new(),
            operations: BTreeMap::new(),
            parked: Vec::new(),
            identity: StoreIdentity::new(store_id),
            bots: BTreeMap::new(),
            next: 1,
            failure: None,
        };
        Self { contents: Arc::new(Mutex::new(contents)) }
    }

    /// From now on every commit fails like this, as on a full disk; `None` mends it. Reads go on.
    pub fn fail_with(&self, failure: Option<Failure>) {
        self.contents().failure = failure;
    }

    /// No code of ours panics while it holds the lock, so what a poisoned one guards is whole.
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Contents {
    fn commit(&mut self, change: Change) -> Result<Committed, Failure> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if change.identity.as_ref().is_some_and(|identity| identity.store_id != self.identity.store_id) {
            return Err(other_store());
        }
        if let Some((cause, at)) = change.seen {
            if self.seen.contains_key(&cause) {
                return Ok(Committed::Duplicate);
            }
            self.seen.insert(cause, at);
        }
        self.carry_out(change);
        Ok(Committed::Done)
    }

    fn carry_out(&mut self, change: Change) {
        self.chats.extend(change.chats);
        for outgoing in change.sends {
            let number = self.number();
            self.sends.insert(SendId { chat: outgoing.to, number }, outgoing);
        }
        for (lane, operation) in change.operations {
            let number = self.number();
            self.operations.insert((lane, number), operation);
        }
        self.parked.extend(change.parked);
        change.sent.iter().for_each(|id| drop(self.sends.remove(id)));
        change.answered.iter().for_each(|place| drop(self.operations.remove(place)));
        self.identity = change.identity.unwrap_or_else(|| self.identity.clone());
        self.bots.extend(change.bots);
        change.forget_bots.iter().for_each(|bot| drop(self.bots.remove(bot)));
    }

    fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, change: Change) -> Result<Committed, Failure> {
        self.contents().commit(change)
    }

    fn chat(&self, key: ChatKey) -> Result<Option<ChatRecord>, Failure> {
        Ok(self.contents().chats.get(&key).cloned())
    }

    fn chats_in(&self, consultations: &HashSet<ConsultationKey>) -> Result<Vec<(ChatKey, ConsultationKey)>, Failure> {
        let contents = self.contents();
        let has = |(chat, record): (&ChatKey, &ChatRecord)| Some((*chat, record.consultation().filter(|key| consultations.contains(key))?));
        Ok(contents.chats.iter().filter_map(has).collect())
    }

    fn operations(&self, lane: Lane, limit: usize) -> Result<Vec<StoredOperation>, Failure> {
        let contents = self.contents();
        let found = contents.operations.range((lane, 0)..=(lane, u64::MAX)).take(limit);
        Ok(found.map(|((_, number), operation)| StoredOperation { number: *number, operation: operation.clone() }).collect())
    }

    fn sends(&self, chat: ChatKey, limit: usize) -> Result<Vec<StoredSend>, Failure> {
        let contents = self.contents();
        let found = contents.sends.range(SendId { chat, number: 0 }..=SendId { chat, number: u64::MAX }).take(limit);
        Ok(found.map(|(id, outgoing)| StoredSend { id: *id, outgoing: outgoing.clone() }).collect())
    }

    fn chats_with_sends(&self) -> Result<Vec<ChatKey>, Failure> {
        let mut chats: Vec<_> = self.contents().sends.keys().map(|id| id.chat).collect();
        chats.dedup();
        Ok(chats)
    }

    fn parked(&self, limit: usize) -> Result<Vec<Parked>, Failure> {
        Ok(self.contents().parked.iter().rev().take(limit).cloned().collect())
    }

    fn identity(&self) -> Result<StoreIdentity, Failure> {
        Ok(self.contents().identity.clone())
    }

    fn bots(&self) -> Result<Vec<(BotId, Value)>, Failure> {
        Ok(self.contents().bots.iter().map(|(bot, json)| (*bot, json.clone())).collect())
    }

    fn counts(&self) -> Result<Counts, Failure> {
        let contents = self.contents();
        let count = |length: usize| length as u64;
        Ok(Counts {
            operations: count(contents.operations.len()),
            sends: count(contents.sends.len()),
            parked: count(contents.parked.len()),
            chats: count(contents.chats.len()),
        })
    }

    async fn prune_seen(&self, before: Timestamp) -> Result<u64, Failure> {
        let mut contents = self.contents();
        let known = contents.seen.len();
        contents.seen.retain(|_, at| *at >= before);
        Ok((known - contents.seen.len()) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Class;
    use crate::ports::contract::store::Home;

    impl Home for MemoryStore {
        fn open(&self) -> Arc<dyn Store> {
            Arc::new(self.clone())
        }
    }

    crate::store_contract!(MemoryStore);

    #[tokio::test]
    async fn a_failure_asked_for_lasts_until_it_is_taken_back() {
        let store = MemoryStore::new();
        store.fail_with(Some(Failure::new(Class::Transient, "the disk is full")));
        let change = Change { bots: vec![(BotId(1), serde_json::json!({}))], ..Change::default() };
        assert!(store.commit(change.clone()).await.is_err());
        assert_eq!(store.bots(), Ok(Vec::new()));
        store.fail_with(None);
        assert_eq!(store.commit(change).await, Ok(Committed::Done));
    }
}
