//! What is to be written in Odoo. The JSON is that of `docs/protocol.md`, `apply`, and also what the store keeps.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ChannelId, ChatId, ConversationKey, MessageId, OperationKey, StepId, UserId};

/// One write, carried out at most once however often it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Drawn when the operation was committed to the store.
    pub key: OperationKey,
    /// When it happened.
    pub at: Timestamp,
    /// What to write.
    #[serde(flatten)]
    pub body: OperationBody,
}

/// The kinds of writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum OperationBody {
    /// A person was met, or describes themselves anew.
    #[serde(rename = "sender")]
    Sender {
        /// Through which channel.
        channel: ChannelId,
        /// The account.
        user: UserId,
        /// The private chat.
        chat: ChatId,
        /// First name.
        first_name: String,
        /// Last name.
        last_name: Option<String>,
        /// Username.
        username: Option<String>,
        /// Language tag of the app.
        language_code: Option<String>,
    },
    /// A conversation begins; one that is open in this chat ends.
    #[serde(rename = "conversation.open")]
    Open {
        /// The new one.
        conversation: ConversationKey,
        /// Through which channel.
        channel: ChannelId,
        /// With whom.
        user: UserId,
        /// In which chat.
        chat: ChatId,
    },
    /// A line of the transcript.
    #[serde(rename = "message")]
    Message {
        /// The conversation.
        conversation: ConversationKey,
        /// The line's number: 1, 2, ….
        sequence: u32,
        /// Who said it.
        author: Author,
        /// What it is.
        kind: MessageKind,
        /// HTML.
        body: String,
        /// The step that said it, or at which it was said.
        step: Option<StepId>,
        /// The message in Telegram, where it is known.
        telegram_message: Option<MessageId>,
    },
    /// A line of the bot's did not reach the person.
    #[serde(rename = "message.failed")]
    MessageFailed {
        /// The conversation.
        conversation: ConversationKey,
        /// The line's number.
        sequence: u32,
        /// A sentence for people.
        reason: String,
    },
    /// Where the dialog stands.
    #[serde(rename = "conversation.state")]
    State {
        /// The conversation.
        conversation: ConversationKey,
        /// The step last shown.
        step: Option<StepId>,
        /// The conversation as the bridge keeps it.
        state: serde_json::Value,
    },
    /// A conversation ends.
    #[serde(rename = "conversation.close")]
    Close {
        /// The conversation.
        conversation: ConversationKey,
        /// Why.
        reason: CloseReason,
    },
    /// What came of *Refresh hook*, where nobody waited for it.
    #[serde(rename = "channel.refreshed")]
    Refreshed {
        /// The channel.
        channel: ChannelId,
        /// All is right.
        ok: bool,
        /// What Telegram says, or what is wrong and what to do.
        answer: String,
        /// Who the token belongs to.
        username: Option<String>,
    },
    /// A person blocked or unblocked the bot.
    #[serde(rename = "membership")]
    Membership {
        /// Through which channel.
        channel: ChannelId,
        /// The account.
        user: UserId,
        /// Blocked, or back.
        blocked: bool,
    },
}

/// Who said a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The person.
    Customer,
    /// The bot.
    Bot,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Words.
    Text,
    /// A command.
    Command,
    /// A tap on a button of either keyboard.
    Button,
    /// A photo, a voice message, a file.
    Media,
    /// Anything else.
    Other,
}

/// Why a conversation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The person began anew.
    Restart,
    /// The person blocked the bot.
    Blocked,
    /// Nobody said anything for a day.
    Silence,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stored format: operations written by an earlier version must still load.
    #[test]
    fn an_operation_reads_as_the_protocol_says() {
        let json = r#"{"key":"01ARZ3NDEKTSV4RRFFQ69G5FAV","at":"2026-11-22T19:00:00Z","type":"message","conversation":"01ARZ3NDEKTSV4RRFFQ69G5FAV","sequence":2,"author":"bot","kind":"text","body":"Hi","step":11,"telegram_message":null}"#;
        let operation: Operation = serde_json::from_str(json).expect("the documented form");
        assert_eq!(serde_json::to_string(&operation).expect("plain data"), json);
    }

    #[test]
    fn what_refresh_hook_found_reads_as_the_protocol_says() {
        let json = r#"{"key":"01ARZ3NDEKTSV4RRFFQ69G5FAV","at":"2026-11-22T19:00:00Z","type":"channel.refreshed","channel":7,"ok":true,"answer":"Webhook was set","username":"shop_bot"}"#;
        let operation: Operation = serde_json::from_str(json).expect("the documented form");
        assert_eq!(serde_json::to_string(&operation).expect("plain data"), json);
    }
}
