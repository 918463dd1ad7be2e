//! A person who may write to bots.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The first id given to a customer that brings none: above 32 bits, as real ids are.
pub(crate) const FIRST_ID: i64 = 7_000_000_001;

/// A customer as the control API gives and shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Customer {
    #[serde(default)]
    pub id: i64,
    pub first_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language_code: Option<String>,
    /// Shared when a `request_contact` button is pressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl Customer {
    /// Telegram's `User`.
    pub fn user(&self) -> Value {
        let mut user = self.names();
        user["is_bot"] = false.into();
        if let Some(code) = &self.language_code {
            user["language_code"] = code.as_str().into();
        }
        user
    }

    /// Telegram's `Chat`, of the private chat with this person.
    pub fn chat(&self) -> Value {
        let mut chat = self.names();
        chat["type"] = "private".into();
        chat
    }

    /// Telegram's `Contact`, of the person's own number.
    pub fn contact(&self) -> Option<Value> {
        let phone = self.phone.as_ref()?;
        let mut contact = json!({"phone_number": phone, "first_name": self.first_name, "user_id": self.id});
        if let Some(name) = &self.last_name {
            contact["last_name"] = name.as_str().into();
        }
        Some(contact)
    }

    fn names(&self) -> Value {
        let mut names = json!({"id": self.id, "first_name": self.first_name});
        for (key, value) in [("last_name", &self.last_name), ("username", &self.username)] {
            if let Some(text) = value {
                names[key] = text.as_str().into();
            }
        }
        names
    }
}
