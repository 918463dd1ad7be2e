//! One run of talk between a sender and a bot.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BotId, Consultation, ConversationKey, StepId};

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
    /// It is over in Odoo: ended together with its consultation, or unknown there (its database was restored). The next word opens one at the same place.
    #[serde(default, alias = "forgotten", skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
    /// The keyboard label last taken, and Telegram's date of it: the same tap again within 3 s is one tap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<(String, Timestamp)>,
    /// An operator has this conversation, or is awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consultation: Option<Consultation>,
    /// Steps that found no operator since the person last said something: none of them is tried again before the next word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<StepId>,
}

impl Conversation {
    /// A conversation that begins now.
    pub fn open(key: ConversationKey, bot: BotId, now: Timestamp) -> Self {
        Self {
            key,
            bot,
            step: None,
            started: false,
            keyboard: None,
            sequence: 0,
            active: now,
            over: false,
            taken: None,
            consultation: None,
            refused: Vec::new(),
        }
    }

    /// Goes on where another conversation stood.
    pub fn stand_where(&mut self, other: &Self) {
        (self.step, self.started, self.keyboard) = (other.step, other.started, other.keyboard);
    }

    /// The number of the next message of the transcript.
    pub fn next_sequence(&mut self) -> u32 {
        self.sequence += 1;
        self.sequence
    }
}
