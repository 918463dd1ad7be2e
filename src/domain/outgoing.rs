//! What is to be said in a chat, in the words of no messenger.

use serde::{Deserialize, Serialize};

use super::{ChatKey, ConversationKey};

/// A message on its way to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// Where to.
    pub to: ChatKey,
    /// The line of the transcript that it is.
    pub conversation: ConversationKey,
    /// The line's number.
    pub sequence: u32,
    /// What to do.
    pub request: Request,
    /// Odoo is to hear when the messenger has taken it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirm: bool,
}

/// What can be asked of a messenger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// Says something.
    Say {
        /// The words.
        text: Formatted,
        /// The keyboard that comes with them.
        #[serde(default, skip_serializing_if = "Markup::is_nothing")]
        markup: Markup,
    },
}

/// A text with its formatting beside it: nothing in it needs escaping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Formatted {
    /// The words.
    pub text: String,
    /// The formatting; offsets and lengths in UTF-16 units, as Telegram counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<Entity>,
}

/// A stretch of formatted text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// First UTF-16 unit.
    pub offset: u32,
    /// Number of UTF-16 units; never 0.
    pub length: u32,
    /// What it looks like.
    pub style: Style,
}

/// The formatting that a chat can show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// Underlined.
    Underline,
    /// Struck out.
    Strikethrough,
    /// Monospaced, within a line.
    Code,
    /// Monospaced, a block.
    Pre,
    /// A quotation.
    Blockquote,
    /// A link to this address.
    Link(String),
}

/// The keyboard that comes with a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Markup {
    /// None: what is on the screen stays.
    #[default]
    Nothing,
    /// Takes the reply keyboard away.
    Remove,
    /// A reply keyboard, by rows of labels.
    Keyboard {
        /// The labels.
        rows: Vec<Vec<String>>,
    },
    /// Buttons under the message, by rows.
    Inline {
        /// The buttons.
        rows: Vec<Vec<InlineButton>>,
    },
}

impl Markup {
    /// No keyboard is touched.
    pub fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }
}

/// A button under a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InlineButton {
    /// What stands on it.
    pub text: String,
    /// What it does.
    #[serde(flatten)]
    pub action: InlineAction,
}

/// What a button under a message does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InlineAction {
    /// Comes back to us with this data (at most 64 bytes).
    Data(String),
    /// Opens this page.
    Url(String),
}
