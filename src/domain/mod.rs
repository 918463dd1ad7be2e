//! Plain data that every other part speaks of. No behaviour beyond what the data itself knows, no I/O.

pub mod chat;
pub mod consultation;
pub mod conversation;
pub mod from_odoo;
pub mod ids;
pub mod incoming;
pub mod localized;
pub mod operation;
pub mod outgoing;
pub mod script;

pub use chat::{ChatRecord, Profile};
pub use consultation::{Consultation, ConsultationState};
pub use conversation::Conversation;
pub use from_odoo::{FromOdoo, OdooEvent};
pub use ids::{
    BotId, ButtonId, ChannelId, ChatId, ChatKey, ConsultationKey, ConversationKey, DiscussMessageId, EventId, EventKey, MessageId, OperationKey,
    StepId, TelegramBotId, UpdateId, UserId,
};
pub use incoming::{Content, Incoming};
pub use localized::Localized;
pub use operation::{Author, CloseReason, EndReason, MessageKind, Operation, OperationBody};
pub use outgoing::{Entity, Formatted, InlineAction, InlineButton, Markup, Outgoing, Request, Style};
pub use script::{Button, Channel, Script, Step, StepKind, Target, Texts, ToOperator};
