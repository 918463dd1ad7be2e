//! What the bridge knows of one chat.

use serde::{Deserialize, Serialize};

use super::{ConsultationKey, Conversation, UserId};

/// A messenger account as the messenger describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The account.
    pub user: UserId,
    /// First name; never empty in Telegram.
    pub first_name: String,
    /// Last name, where given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Username without the at sign, where given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// IETF language tag of the person's app, where given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language_code: Option<String>,
}

impl Profile {
    /// First and last name, as people read it.
    pub fn full_name(&self) -> String {
        match &self.last_name {
            Some(last) => format!("{} {last}", self.first_name),
            None => self.first_name.clone(),
        }
    }
}

/// The working copy of a chat, kept in the store: written in the same transaction as the update that changed it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatRecord {
    /// The person, as last told to Odoo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// The open conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
    /// The store's era in which this was last checked against Odoo (see the port `Store`).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub era: u32,
    /// The person has blocked the bot.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blocked: bool,
}

impl ChatRecord {
    /// The consultation that is asked for, waited for or talked in.
    pub fn consultation(&self) -> Option<ConsultationKey> {
        Some(self.conversation.as_ref()?.consultation.as_ref()?.key)
    }
}

/// For serde: the first era goes without saying.
fn is_zero(era: &u32) -> bool {
    *era == 0
}
