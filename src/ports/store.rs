//! What must survive: the working copy of chats, and everything that is on its way to Telegram or to Odoo.

use std::collections::HashSet;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Failure;
use crate::domain::{BotId, ChatKey, ChatRecord, ConsultationKey, EventKey, Operation, Outgoing, TelegramBotId, UpdateId};

/// A durable store. When `commit` has returned `Done`, all of the change is safe against a crash of the process or the machine; when it has failed, none of it happened.
/// Reads see every change whose `commit` has returned. Reads are short (no network) and may be called from async code.
#[async_trait]
pub trait Store: Send + Sync {
    /// Makes one change, whole or not at all. Changes that come at the same time share one flush to the disk (group commit).
    /// A change whose `seen` is known already does nothing and returns `Duplicate`: also against another commit under way at the same time.
    async fn commit(&self, change: Change) -> Result<Committed, Failure>;

    /// The working copy of a chat.
    fn chat(&self, key: ChatKey) -> Result<Option<ChatRecord>, Failure>;

    /// The chats that have one of these consultations, and which. Looks through all chats: for what happens seldom. A record that cannot be read is passed over.
    fn chats_in(&self, consultations: &HashSet<ConsultationKey>) -> Result<Vec<(ChatKey, ConsultationKey)>, Failure>;

    /// The oldest operations of a lane, in the order of their commits.
    fn operations(&self, lane: Lane, limit: usize) -> Result<Vec<StoredOperation>, Failure>;

    /// The oldest messages of a chat that wait to be sent, in the order of their commits.
    fn sends(&self, chat: ChatKey, limit: usize) -> Result<Vec<StoredSend>, Failure>;

    /// Every chat that has messages waiting.
    fn chats_with_sends(&self) -> Result<Vec<ChatKey>, Failure>;

    /// What ties this store to a database.
    fn identity(&self) -> Result<StoreIdentity, Failure>;

    /// The configuration last fetched, per bot: the JSON of the protocol. For a start while Odoo is down.
    fn bots(&self) -> Result<Vec<(BotId, serde_json::Value)>, Failure>;

    /// The newest parked operations, newest first.
    fn parked(&self, limit: usize) -> Result<Vec<Parked>, Failure>;

    /// How much waits.
    fn counts(&self) -> Result<Counts, Failure>;

    /// Forgets marks of updates and events seen before this instant; how many.
    async fn prune_seen(&self, before: Timestamp) -> Result<u64, Failure>;
}

/// A lane of writes to Odoo: operations of one chat are always in the same one, so that their order is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane(pub u8);

/// Names a waiting message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SendId {
    /// Its chat.
    pub chat: ChatKey,
    /// Its place in the order of commits.
    pub number: u64,
}

/// One change. Its parts are carried out in this order; `Default` is the empty change.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What causes it, marked as seen at this instant.
    pub seen: Option<(Cause, Timestamp)>,
    /// New working copies.
    pub chats: Vec<(ChatKey, ChatRecord)>,
    /// Messages to be sent, appended.
    pub sends: Vec<Outgoing>,
    /// Operations for Odoo, appended to their lane.
    pub operations: Vec<(Lane, Operation)>,
    /// Messages that need not be sent any more.
    pub sent: Vec<SendId>,
    /// Operations that Odoo has answered: lane and number.
    pub answered: Vec<(Lane, u64)>,
    /// Operations that Odoo refused, with its sentence: kept aside for people, since what they say stands nowhere else.
    pub parked: Vec<Parked>,
    /// What ties the store to a database.
    pub identity: Option<StoreIdentity>,
    /// Configuration to keep.
    pub bots: Vec<(BotId, serde_json::Value)>,
    /// Configuration to forget.
    pub forget_bots: Vec<BotId>,
}

/// What may come again, and has its effect once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// An update of Telegram's.
    Update(TelegramBotId, UpdateId),
    /// An event of Odoo's.
    Event(EventKey),
}

/// An operation that Odoo refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// The operation.
    pub operation: Operation,
    /// Why: Odoo's sentence.
    pub reason: String,
}

/// The outcome of a commit that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It is safe.
    Done,
    /// Its cause had been seen before: nothing was changed.
    Duplicate,
}

/// An operation that waits, with its place in the order of its lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOperation {
    /// Its place.
    pub number: u64,
    /// The operation.
    pub operation: Operation,
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSend {
    /// Its name.
    pub id: SendId,
    /// The message.
    pub outgoing: Outgoing,
}

/// What ties a store to a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreIdentity {
    /// Drawn when the store was made; never changes.
    pub store_id: String,
    /// The database's uuid; none before the first handshake.
    pub database_uuid: Option<String>,
    /// What the database gave at the last handshake.
    pub nonce: Option<String>,
    /// What the database drew when an administrator last confirmed that it and a store belong together; empty before.
    #[serde(default)]
    pub epoch: String,
    /// How many epochs this store has seen. A chat's record of an earlier era may speak of conversations that the database does not know.
    #[serde(default)]
    pub era: u32,
    /// Odoo has said that this store must wait (another bridge works, an administrator is to confirm, the lease was lost), and has not said otherwise since: it
    /// waits also while Odoo can't be reached.
    #[serde(default)]
    pub held: bool,
}

impl StoreIdentity {
    /// A store that belongs to no database yet.
    pub fn new(store_id: impl Into<String>) -> Self {
        Self { store_id: store_id.into(), database_uuid: None, nonce: None, epoch: String::new(), era: 0, held: false }
    }
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Operations for Odoo.
    pub operations: u64,
    /// Messages to be sent.
    pub sends: u64,
    /// Operations that Odoo refused.
    pub parked: u64,
    /// Chats known.
    pub chats: u64,
}
