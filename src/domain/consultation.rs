//! A conversation in the hands of an operator, as far as a chat needs to know. Odoo owns it: it decides who has it, and when it ends.

use serde::{Deserialize, Serialize};

use super::ConsultationKey;

/// The consultation of a conversation; a conversation has one at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consultation {
    /// Its key, drawn by who began it: the bridge, or Odoo.
    pub key: ConsultationKey,
    /// How far it is.
    pub state: ConsultationState,
    /// Who has it, once somebody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
}

/// How far a consultation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsultationState {
    /// Odoo has been asked for an operator, and has not answered.
    Requested,
    /// Every operator is busy.
    Queued,
    /// An operator has it.
    Assigned,
}

impl Consultation {
    /// One that Odoo is about to hear of.
    pub fn requested(key: ConsultationKey) -> Self {
        Self { key, state: ConsultationState::Requested, operator: None }
    }

    /// One that an operator has.
    pub fn assigned(key: ConsultationKey, operator: &str) -> Self {
        Self { key, state: ConsultationState::Assigned, operator: Some(operator.to_owned()) }
    }

    /// An operator has it.
    pub fn is_assigned(&self) -> bool {
        self.state == ConsultationState::Assigned
    }
}
