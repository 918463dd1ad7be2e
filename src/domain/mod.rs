//! Plain data that every other part speaks of. No behaviour beyond what the data itself knows, no I/O.

pub mod chat;
pub mod conversation;
pub mod ids;
pub mod incoming;
pub mod localized;
pub mod operation;
pub mod outgoing;
pub mod script;

pub use chat::{ChatRecord, Profile};
pub use conversation::Conversation;
pub use ids::{
    BotId, ButtonId, ChannelId, ChatId, ChatKey, ConversationKey, EventId, MessageId, OperationKey, StepId, TelegramBotId, UpdateId, UserId,
};
pub use incoming::{Content, Incoming};
pub use localized::Localized;
pub use operation::{Author, CloseReason, MessageKind, Operation, OperationBody};
pub use outgoing::{Entity, Formatted, InlineAction, InlineButton, Markup, Outgoing, Request, Style};
pub use script::{Button, Channel, Script, Step, StepKind, Target};
