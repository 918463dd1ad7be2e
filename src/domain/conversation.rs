//! One run of talk between a sender and a bot.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BotId, ConversationKey, StepId};

/// Where a conversation stands. Everything the engine needs to go on, and nothing that Odoo owns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Its key, drawn when it was opened.
    pub key: ConversationKey,
    /// The bot whose script is being followed.
    pub bot: BotId,
    /// The step last shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    /// /start has been pressed, or the bot does not wait for it (B-SET-15).
    #[serde(default)]
    pub started: bool,
    /// The step whose reply keyboard is on the person's screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyboard: Option<StepId>,
    /// The number of the last message of the transcript; the first is 1.
    #[serde(default)]
    pub sequence: u32,
    /// The last activity of either side.
    pub active: Timestamp,
    /// Odoo does not know this conversation any more (its database was restored): the next word opens one at the same place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forgotten: bool,
    /// The keyboard label last taken, and Telegram's date of it: the same tap again within 3 s is one tap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<(String, Timestamp)>,
}

impl Conversation {
    /// A conversation that begins now.
    pub fn open(key: ConversationKey, bot: BotId, now: Timestamp) -> Self {
        Self { key, bot, step: None, started: false, keyboard: None, sequence: 0, active: now, forgotten: false, taken: None }
    }

    /// The number of the next message of the transcript.
    pub fn next_sequence(&mut self) -> u32 {
        self.sequence += 1;
        self.sequence
    }
}
