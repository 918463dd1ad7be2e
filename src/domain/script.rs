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
    /// The not-started message (B-SET-4).
    pub not_started: Localized,
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

/// A connection through one messenger.
#[derive(Debug, Clone)]
pub struct Channel {
    /// The channel.
    pub id: ChannelId,
    /// The bot's number in Telegram, from the token.
    pub telegram_bot: TelegramBotId,
    /// The secret that opens it.
    pub token: SecretString,
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
    /// The step that a word or command leads to.
    pub fn alias(&self, word: &str) -> Option<StepId> {
        self.aliases.get(&fold(word)).copied()
    }
}

/// How aliases are compared: without case and outer spaces (ST-3).
pub fn fold(word: &str) -> String {
    word.trim().to_lowercase()
}
