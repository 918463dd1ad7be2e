//! What happens in Odoo and concerns a chat.

use super::{ConsultationKey, ConversationKey, DiscussMessageId, Localized};

/// Something that happened in Odoo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromOdoo {
    /// The conversation that Odoo speaks of, where it has one.
    pub conversation: Option<ConversationKey>,
    /// What happened.
    pub what: OdooEvent,
}

/// The kinds of what happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OdooEvent {
    /// No operator is free, or none is there.
    Queued {
        /// Which consultation waits.
        consultation: ConsultationKey,
        /// Its place; 1 is next.
        place: u32,
    },
    /// An operator has the chat, or another one has it now.
    Assigned {
        /// Which consultation.
        consultation: ConsultationKey,
        /// The operator's name.
        operator: String,
        /// It was begun in Odoo: nobody in the chat asked for it.
        started: bool,
    },
    /// Nobody is there to take it.
    Refused {
        /// Which consultation.
        consultation: ConsultationKey,
    },
    /// An operator wrote.
    Said {
        /// In which consultation.
        consultation: ConsultationKey,
        /// The message in Discuss.
        message: DiscussMessageId,
        /// The operator's name.
        operator: String,
        /// The words: HTML as Odoo's composer writes it.
        html: String,
    },
    /// It was ended in Odoo, and its conversation with it.
    Ended {
        /// Which consultation.
        consultation: ConsultationKey,
    },
    /// Odoo has something to say in the bot's name.
    Say {
        /// The words, plain.
        text: Localized,
    },
}
