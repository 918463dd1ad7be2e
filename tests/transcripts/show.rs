//! What is written in Odoo, as a line of a transcript.

use chatbridge::domain::{ConversationKey, OperationBody};

use crate::play::number;

/// One line.
pub fn shown(body: OperationBody) -> String {
    match body {
        OperationBody::Sender { first_name, last_name, language_code, .. } => {
            format!("sender {first_name} {} ({})", last_name.unwrap_or_default(), language_code.unwrap_or_default())
        }
        OperationBody::Open { conversation, .. } => format!("open conversation {}", talk(conversation)),
        OperationBody::Message { sequence, author, kind, body, step, consultation, discuss_message, .. } => {
            let at = step.map(|id| format!(" at {id}")).unwrap_or_default();
            let to = consultation.map(|key| format!(" to the operator of {}", number(key))).unwrap_or_default();
            let of = discuss_message.map(|id| format!(" (Discuss {id})")).unwrap_or_default();
            format!("{sequence} {author:?} {kind:?}{at}{to}{of}: {}", shorten(&body))
        }
        OperationBody::MessageSent { sequence, .. } => format!("{sequence} sent"),
        OperationBody::MessageFailed { sequence, reason, .. } => format!("{sequence} failed: {reason}"),
        OperationBody::DiscussFailed { discuss_message, reason } => format!("Discuss {discuss_message} failed: {reason}"),
        OperationBody::State { step, .. } => format!("now at {}", step.map_or("no step".to_owned(), |id| id.to_string())),
        OperationBody::Close { reason, .. } => format!("close: {reason:?}"),
        OperationBody::Membership { blocked, .. } => format!("blocked: {blocked}"),
        OperationBody::Refreshed { answer, .. } => format!("refreshed: {answer}"),
        OperationBody::ConsultationRequest { conversation, consultation, operator_bot, wait, .. } => {
            let wait = if wait { ", whatever happens" } else { "" };
            format!("consultation {} in conversation {}: an operator of {operator_bot} is wanted{wait}", number(consultation), talk(conversation))
        }
        OperationBody::ConsultationJoined { conversation, consultation } => {
            format!("consultation {} runs in conversation {}", number(consultation), talk(conversation))
        }
        OperationBody::ConsultationEnd { conversation, consultation, reason } => {
            format!("consultation {} in conversation {} ends: {reason:?}", number(consultation), talk(conversation))
        }
    }
}

fn talk(key: ConversationKey) -> u128 {
    key.0.random()
}

fn shorten(body: &str) -> String {
    let short: String = body.chars().take(60).collect();
    if short.len() < body.len() { format!("{short}…") } else { short }
}
