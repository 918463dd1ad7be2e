//! What the engine wants done.

use crate::domain::{ConversationKey, Formatted, Markup, OperationBody, StepId};

/// Something to be done after the commit. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Say something in the chat. It is the line `sequence` of the conversation, or a part of it; the line is recorded apart.
    Say {
        /// The conversation.
        conversation: ConversationKey,
        /// The line.
        sequence: u32,
        /// The words.
        text: Formatted,
        /// The keyboard.
        markup: Markup,
        /// Odoo is to hear when it has been taken.
        confirm: bool,
    },
    /// Write something in Odoo.
    Record(OperationBody),
    /// Stop a tapped button from waiting.
    AnswerTap {
        /// What to answer.
        callback: String,
    },
    /// Tell the admin that the script has a fault here; the customer is not troubled with it.
    Report(Flaw),
}

/// A fault of a script, met while it ran (ST-6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Steps that wait for nothing lead back to this one: cut.
    Loop(StepId),
    /// A button or a step leads to a step that is not there.
    Missing(StepId),
    /// A button of this step leads nowhere.
    NoTarget(StepId),
    /// This step hands over to an operator, but names no desk.
    NoDesk(StepId),
    /// The placeholders of this step can't be read.
    Template(StepId),
}
