//! What the Odoo of the tests has been told, and which rules of the protocol were broken in telling it.

use std::collections::HashMap;

use chatbridge::domain::{ChannelId, ConsultationState, ConversationKey, Operation, OperationBody, OperationKey, UserId};
use chatbridge::ports::{Applied, OpenConsultation, OpenConversation};

#[derive(Default)]
pub struct Ledger {
    /// Operations carried out, in their order.
    pub done: Vec<Operation>,
    /// Operations that came again, with a key seen before.
    pub repeated: usize,
    pub violations: Vec<String>,
    answers: HashMap<OperationKey, (Operation, Applied)>,
    /// The last line of each conversation.
    lines: HashMap<ConversationKey, u32>,
}

impl Ledger {
    /// Carries out an operation, or refuses it, once; the same key again gets the first answer.
    pub fn take(&mut self, operation: &Operation, refused: Option<String>) -> Applied {
        if let Some((first, answer)) = self.answers.get(&operation.key) {
            self.repeated += 1;
            if first != operation {
                self.violations.push(format!("one key for two operations: {first:?} and {operation:?}"));
            }
            return answer.clone();
        }
        self.check(operation);
        if refused.is_none() {
            self.done.push(operation.clone());
        }
        let answer = Applied { key: operation.key, refused };
        self.answers.insert(operation.key, (operation.clone(), answer.clone()));
        answer
    }

    fn check(&mut self, operation: &Operation) {
        match &operation.body {
            OperationBody::Open { conversation, .. } => {
                if self.lines.insert(*conversation, 0).is_some() {
                    self.violations.push(format!("opened twice: {conversation}"));
                }
            }
            OperationBody::Message { conversation, sequence, .. } => match self.lines.insert(*conversation, *sequence) {
                Some(last) if last + 1 == *sequence => {}
                last => self.violations.push(format!("line {sequence} after {last:?} in {conversation}")),
            },
            OperationBody::MessageFailed { conversation, sequence, .. } | OperationBody::MessageSent { conversation, sequence, .. } => {
                if self.lines.get(conversation).is_none_or(|last| last < sequence) {
                    self.violations.push(format!("line {sequence} was sent or failed before it was written in {conversation}"));
                }
            }
            OperationBody::State { conversation, .. }
            | OperationBody::Close { conversation, .. }
            | OperationBody::ConsultationRequest { conversation, .. }
            | OperationBody::ConsultationJoined { conversation, .. }
            | OperationBody::ConsultationEnd { conversation, .. } => {
                if !self.lines.contains_key(conversation) {
                    self.violations.push(format!("never opened: {conversation}"));
                }
            }
            OperationBody::Sender { .. }
            | OperationBody::Membership { .. }
            | OperationBody::DiscussFailed { .. }
            | OperationBody::Refreshed { .. } => {}
        }
    }

    /// A conversation that Odoo itself has made.
    pub fn known(&mut self, conversation: ConversationKey) {
        self.lines.insert(conversation, 0);
    }

    /// The last conversation that was opened with somebody, if Odoo knows it and it is open.
    pub fn open_conversation(&self, in_channel: ChannelId, with: UserId) -> Option<OpenConversation> {
        let mut found = None;
        for operation in &self.done {
            match &operation.body {
                OperationBody::Open { conversation, channel, user, .. } if (*channel, *user) == (in_channel, with) => {
                    let sequence = self.lines.get(conversation).copied();
                    found = sequence.map(|sequence| OpenConversation {
                        conversation: *conversation,
                        step: None,
                        state: serde_json::Value::Null,
                        sequence,
                        at: operation.at,
                        consultation: None,
                    });
                }
                OperationBody::State { conversation, step, state } => {
                    if let Some(open) = found.as_mut().filter(|open| open.conversation == *conversation) {
                        (open.step, open.state) = (*step, state.clone());
                    }
                }
                OperationBody::ConsultationJoined { conversation, consultation } => {
                    if let Some(open) = found.as_mut().filter(|open| open.conversation == *conversation) {
                        let (consultation, operator) = (*consultation, Some("Julia".to_owned()));
                        open.consultation = Some(OpenConsultation { consultation, state: ConsultationState::Assigned, operator });
                    }
                }
                OperationBody::Close { conversation, .. } | OperationBody::ConsultationEnd { conversation, .. } => {
                    found = found.filter(|open| open.conversation != *conversation)
                }
                _ => {}
            }
        }
        found
    }

    /// The database is restored from before all conversations.
    pub fn restore(&mut self) {
        self.lines.clear();
    }

    /// The kinds of what was carried out, in order.
    pub fn kinds(&self) -> Vec<String> {
        self.done.iter().map(kind).collect()
    }

    pub fn count(&self, wanted: &str) -> usize {
        self.done.iter().filter(|operation| kind(operation) == wanted).count()
    }

    /// The words of all lines, in the order in which they were written.
    pub fn words(&self) -> Vec<&str> {
        self.done
            .iter()
            .filter_map(|operation| match &operation.body {
                OperationBody::Message { body, .. } => Some(body.as_str()),
                _ => None,
            })
            .collect()
    }
}

/// The kind, as the protocol writes it.
pub fn kind(operation: &Operation) -> String {
    serde_json::to_value(&operation.body).unwrap()["type"].as_str().unwrap().to_owned()
}
