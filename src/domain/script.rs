//! A bot as its admin configured it: settings, channels, steps. Immutable; a change makes a new one.

use std::collections::HashMap;

use secrecy::SecretString;

use super::{BotId, ButtonId, ChannelId, Localized, StepId, TelegramBotId};

/// One version of a bot.
#[derive(Debug)]
pub struct Script {
    /// The bot.
    pub bot: BotId,
    /// Tells this version from every other.
    pub hash: String,
    /// The bot's name.
    pub name: String,
    /// An automated dialog; else a consultation desk.
    pub client: bool,
    /// The bot's language, for people whose own has no translation.
    pub language: String,
    /// The bot answers `not_started` until /start (B-SET-15).
    pub wait_for_start: bool,
    /// Nobody serves as an operator from a messenger (B-SET-2); on consultation desks.
    pub odoo_operators_only: bool,
    /// What it says besides its steps.
    pub texts: Texts,
    /// Where the bot can be met.
    pub channels: Vec<Channel>,
    /// Every step by its id.
    pub steps: HashMap<StepId, Step>,
    /// The step that /start leads to.
    pub first: Option<StepId>,
    /// Words and commands that lead to a step: folded (trimmed, lower case).
    pub aliases: HashMap<String, StepId>,
    /// Every inline button, by its id.
    pub inline: HashMap<ButtonId, Target>,
}

/// What a bot says besides its steps: plain texts. An empty one says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// Before /start (B-SET-4).
    pub not_started: Localized,
    /// An operator has joined (B-SET-5); the subject stands before it.
    pub operator_connected: Localized,
    /// Nobody is there (B-SET-6).
    pub no_operator: Localized,
    /// How to end a consultation (B-SET-7).
    pub how_to_end: Localized,
    /// On a desk: who writes has to be approved as an operator (B-SET-8).
    pub moderation: Localized,
    /// A consultation has ended (B-SET-11).
    pub consultation_ended: Localized,
}

/// A connection through one messenger.
#[derive(Debug, Clone)]
pub struct Channel {
    /// The channel.
    pub id: ChannelId,
    /// The bot's number in Telegram, from the token.
    pub telegram_bot: TelegramBotId,
    /// The secret that opens it.
    pub token: SecretString,
    /// Operators are called by their names (B-SET-17).
    pub send_operator_name: bool,
    /// It is said when an operator joins (B-SET-18).
    pub join_message: bool,
    /// It is said when a consultation has ended (B-SET-19).
    pub end_message: bool,
    /// The public address of the bridge, where Telegram is to deliver updates; none: they are polled (SET-4).
    pub webhook_url: Option<String>,
}

/// One node of the dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its id; stable over versions.
    pub id: StepId,
    /// What it does.
    pub kind: StepKind,
    /// What it says: HTML as Odoo's editor writes it, with placeholders.
    pub text: Localized,
    /// The step after it.
    pub next: Option<StepId>,
    /// Whom to ask, of the kind `Operator`.
    pub operator: ToOperator,
    /// The reply keyboard, by rows.
    pub keyboard: Vec<Vec<Button>>,
    /// The buttons under the message, by rows.
    pub buttons: Vec<Vec<Button>>,
}

/// The kinds of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// Says its text, goes on at once, waits for nothing (ST-TXT).
    Text,
    /// Waits for one of its buttons (ST-BTN).
    Buttons,
    /// Hands the person over to an operator (ST-OP).
    Operator,
}

/// Where a step of the kind `Operator` hands over to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ToOperator {
    /// The desk whose operators are asked; none where the admin has not said.
    pub bot: Option<BotId>,
    /// The step to go to when nobody is there; none: the person waits in the queue.
    pub otherwise: Option<StepId>,
}

/// A button of either keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// Its id.
    pub id: ButtonId,
    /// What stands on it.
    pub text: Localized,
    /// What it does.
    pub target: Target,
}

/// What a button does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Leads to a step.
    Step(StepId),
    /// Opens a page; only under a message.
    Url(String),
    /// Nothing yet: the admin has not said (ST-6).
    Nothing,
}

impl Script {
    /// One of its channels.
    pub fn channel(&self, id: ChannelId) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == id)
    }

    /// The step that a word or command leads to.
    pub fn alias(&self, word: &str) -> Option<StepId> {
        self.aliases.get(&fold(word)).copied()
    }
}

/// How aliases are compared: without case and outer spaces (ST-3).
pub fn fold(word: &str) -> String {
    word.trim().to_lowercase()
}
