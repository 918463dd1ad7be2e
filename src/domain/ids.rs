//! One type per id, and the only place that parses or prints them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ulid::Ulid;

/// Makes a newtype for the database id of an Odoo model: a JSON number.
macro_rules! odoo_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

/// Makes a newtype for an id that Telegram gives: a JSON string, since it outgrows Odoo's 32-bit integers.
macro_rules! telegram_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map($name)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

/// Makes a newtype for a key that the bridge draws: a ULID, 26 characters in JSON.
macro_rules! drawn_key {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Ulid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl $name {
            /// Draws a new key.
            pub fn draw() -> Self {
                Self(Ulid::generate())
            }
        }
    )+};
}

odoo_id! {
    /// `chatbridge.bot`.
    BotId,
    /// `chatbridge.channel`.
    ChannelId,
    /// `chatbridge.step`.
    StepId,
    /// `chatbridge.step.keyboard.button` or `chatbridge.step.inline.button`.
    ButtonId,
    /// `chatbridge.event`.
    EventId,
    /// `mail.message`: what an operator wrote in Discuss.
    DiscussMessageId,
}

telegram_id! {
    /// The number before the colon of a token.
    TelegramBotId,
    /// A chat; in a private chat the same number as the user.
    ChatId,
    /// A Telegram user.
    UserId,
    /// A message within its chat.
    MessageId,
    /// An update within its bot; sequential, but may restart anywhere after a silent week.
    UpdateId,
}

drawn_key! {
    /// One conversation, from its opening to its end.
    ConversationKey,
    /// One consultation, from the wish for an operator to its end; drawn by the bridge, or by Odoo where it begins there.
    ConsultationKey,
    /// One event of Odoo's; the same key never has its effect twice.
    EventKey,
    /// One operation for Odoo; the same key is never carried out twice.
    OperationKey,
}

/// A chat of a channel: what keeps its own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChatKey {
    /// The channel (token) through which we talk.
    pub channel: ChannelId,
    /// The chat within the messenger.
    pub chat: ChatId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telegram_ids_travel_as_strings_and_odoo_ids_as_numbers() {
        let key = ChatKey { channel: ChannelId(7), chat: ChatId(-1_001_234_567_890) };
        let json = serde_json::to_string(&key).expect("plain data");
        assert_eq!(json, r#"{"channel":7,"chat":"-1001234567890"}"#);
        assert_eq!(serde_json::from_str::<ChatKey>(&json).expect("round trip"), key);
    }
}
