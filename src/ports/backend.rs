//! Odoo, as `docs/protocol.md` describes it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Failure;
use crate::domain::{
    BotId, ChannelId, ConsultationKey, ConsultationState, ConversationKey, EventId, EventKey, Incoming, Operation, OperationKey, Script, StepId,
    UserId,
};

/// The system of record. Calls may run side by side. A call that fails with `Certainty::Unknown` may be repeated as it is: `apply` and `done` are idempotent, the rest reads.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Asks for the lease.
    async fn handshake(&self, hello: &Hello) -> Result<Welcome, Failure>;
    /// Keeps the lease and reports how the bridge is. `Class::Lost` when the lease is gone.
    async fn heartbeat(&self, claim: &Claim, status: &Heartbeat) -> Result<Pulse, Failure>;
    /// The bots whose hash differs from the known one, and the ids of all.
    async fn configuration(&self, claim: &Claim, known: &BTreeMap<BotId, String>) -> Result<Configuration, Failure>;
    /// Carries out operations in order; one answer for each, in the same order.
    async fn apply(&self, claim: &Claim, operations: &[Operation]) -> Result<Vec<Applied>, Failure>;
    /// The open conversation of a sender, for a bridge whose store was lost.
    async fn open_conversation(&self, claim: &Claim, channel: ChannelId, user: UserId) -> Result<Option<OpenConversation>, Failure>;
    /// What happened in Odoo and has not been acknowledged, oldest first.
    async fn events(&self, claim: &Claim, limit: u32) -> Result<Vec<BackendEvent>, Failure>;
    /// Acknowledges events.
    async fn done(&self, claim: &Claim, events: &[EventId]) -> Result<(), Failure>;
}

/// Names the bridge in every call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The store's id.
    pub store_id: String,
    /// The generation of the lease.
    pub generation: i64,
}

/// What the bridge says of itself.
#[derive(Clone, Debug, Serialize)]
pub struct Hello {
    /// The protocol's version.
    pub protocol: u32,
    /// The bridge's version.
    pub bridge_version: String,
    /// This process.
    pub instance: String,
    /// The store.
    pub store_id: String,
    /// The database that the store belongs to; none yet in a new store.
    pub database_uuid: Option<String>,
    /// What the database gave at the last handshake.
    pub nonce: Option<String>,
    /// Where to send nudges.
    pub nudge_url: Option<String>,
    /// The key that signs them, in hexadecimal.
    pub nudge_secret: String,
    /// The bridge's clock.
    pub clock: Timestamp,
}

/// What Odoo answers.
#[derive(Clone, Debug, Deserialize)]
pub struct Welcome {
    /// May the bridge work?
    pub status: Readiness,
    /// Why not, for the log.
    #[serde(default)]
    pub sentence: String,
    /// The addon's version.
    pub addon_version: String,
    /// The series: `14.0`.
    pub series: String,
    /// The database.
    pub database_uuid: String,
    /// To be shown at the next handshake.
    pub nonce: String,
    /// Drawn when an administrator last confirmed a store; empty before.
    #[serde(default)]
    pub epoch: String,
    /// The generation of the lease.
    pub generation: i64,
    /// How long the lease lasts without a heartbeat.
    pub lease_seconds: u64,
}

/// May the bridge work?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// Yes.
    Ready,
    /// Another bridge does.
    Standby,
    /// An administrator must confirm that this store belongs to this database.
    Confirm,
}

/// How the bridge is.
#[derive(Clone, Debug, Serialize)]
pub struct Heartbeat {
    /// The nonce held, so that Odoo knows that it arrived.
    pub nonce: String,
    /// The bridge's version.
    pub version: String,
    /// Writes that Odoo has not confirmed.
    pub operations_waiting: u64,
    /// Writes that Odoo refused since the start.
    pub operations_refused: u64,
    /// Messages that wait to be sent.
    pub sends_waiting: u64,
    /// Nudges arrive.
    pub nudges: bool,
    /// Each channel.
    pub channels: Vec<ChannelStatus>,
}

/// How a channel is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelStatus {
    /// The channel.
    pub channel: ChannelId,
    /// Its state.
    pub state: ChannelState,
    /// Since when.
    pub since: Timestamp,
    /// When the last update came.
    pub last_update: Option<Timestamp>,
    /// What last went wrong: one line without secrets.
    pub last_error: Option<String>,
    /// The bot's username.
    pub username: Option<String>,
}

/// The states of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelState {
    /// Asks Telegram for updates.
    Polling,
    /// Telegram delivers updates.
    Webhook,
    /// Telegram refuses the token.
    Refused,
    /// Telegram can't be reached.
    Unreachable,
    /// Not running.
    Stopped,
}

/// The answer to a heartbeat.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Pulse {
    /// May the bridge go on?
    pub status: Readiness,
}

/// What differs.
#[derive(Debug, Default)]
pub struct Configuration {
    /// Every active bot.
    pub bot_ids: Vec<BotId>,
    /// Those that differ: the script, and the JSON that it was read from (for the store's copy).
    pub bots: Vec<(Script, serde_json::Value)>,
}

/// The answer to one operation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Applied {
    /// The operation.
    pub key: OperationKey,
    /// Refused, with a sentence; carried out when absent.
    #[serde(default)]
    pub refused: Option<String>,
}

/// An open conversation as Odoo has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OpenConversation {
    /// Its key.
    pub conversation: ConversationKey,
    /// The step last shown.
    pub step: Option<StepId>,
    /// The copy of the bridge's record.
    pub state: serde_json::Value,
    /// The last line's number.
    pub sequence: u32,
    /// The last activity.
    pub at: Timestamp,
    /// Its consultation, where one runs.
    #[serde(default)]
    pub consultation: Option<OpenConsultation>,
}

/// A running consultation as Odoo has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OpenConsultation {
    /// Its key.
    pub consultation: ConsultationKey,
    /// How far it is.
    pub state: ConsultationState,
    /// Who has it.
    #[serde(default)]
    pub operator: Option<String>,
}

/// Something that happened in Odoo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendEvent {
    /// To acknowledge it by.
    pub id: EventId,
    /// What.
    pub kind: EventKind,
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The configuration of these bots changed.
    Configuration {
        /// The bots.
        bots: Vec<BotId>,
    },
    /// Something concerns a chat: it takes its place in the order of that chat.
    Chat {
        /// The same key never has its effect twice.
        key: EventKey,
        /// Through which channel.
        channel: ChannelId,
        /// What happened.
        event: Box<Incoming>,
    },
    /// It could not be read: acknowledged, logged with the place of the fault.
    Unreadable(Failure),
    /// Somebody pressed *Refresh hook*, and the bridge could not be called.
    Refresh {
        /// The channel.
        channel: ChannelId,
    },
    /// Somebody pressed *Run now*, and the bridge could not be called.
    Run {
        /// The channel.
        channel: ChannelId,
    },
    /// A kind that this bridge does not know (a newer addon): acknowledged, logged.
    Unknown(String),
}
