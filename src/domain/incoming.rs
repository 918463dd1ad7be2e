//! What happens in a chat, in the words of no messenger.

use jiff::Timestamp;

use super::{ChatId, FromOdoo, MessageId, Profile};

/// Something a person did, or something that happened to their chat in Odoo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Where.
    pub chat: ChatId,
    /// Who; for what happened in Odoo: whose chat it is, as Odoo knows them.
    pub profile: Profile,
    /// When, by the messenger's clock (a tap: when it reached us).
    pub at: Timestamp,
    /// The message, where there is one.
    pub message: Option<MessageId>,
    /// What.
    pub content: Content,
}

/// The kinds of things that happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A text; a tap on the reply keyboard comes as one too.
    Text(String),
    /// A command of the form `/name payload`; the name in lower case, without slash and bot name.
    Command {
        /// The name: `start`.
        name: String,
        /// What follows it; empty when nothing does.
        payload: String,
        /// The message as it was written.
        text: String,
    },
    /// A tap on an inline button.
    Tap {
        /// What to answer, so that the button stops waiting.
        callback: String,
        /// The data that we gave the button.
        data: String,
    },
    /// Something that is no text: a photo, a sticker, a location. The name of its kind.
    Other(&'static str),
    /// The person blocked the bot.
    Blocked,
    /// The person unblocked the bot.
    Unblocked,
    /// Not a person's doing.
    Odoo(FromOdoo),
}
