//! What is to be written in Odoo. The JSON is that of `docs/protocol.md`, `apply`, and also what the store keeps.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BotId, ChannelId, ChatId, ConsultationKey, ConversationKey, DiscussMessageId, MessageId, OperationKey, StepId, UserId};

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
        /// The consultation whose operator is to read it; none for what is not said to one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        consultation: Option<ConsultationKey>,
        /// The message in Discuss that this line is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        discuss_message: Option<DiscussMessageId>,
    },
    /// An operator's line has reached the person.
    #[serde(rename = "message.sent")]
    MessageSent {
        /// The conversation.
        conversation: ConversationKey,
        /// The line's number.
        sequence: u32,
        /// The message in Telegram; of several, the last.
        telegram_message: MessageId,
    },
    /// A line of the bot's or of an operator's did not reach the person.
    #[serde(rename = "message.failed")]
    MessageFailed {
        /// The conversation.
        conversation: ConversationKey,
        /// The line's number.
        sequence: u32,
        /// A sentence for people.
        reason: String,
    },
    /// What an operator wrote could not even be tried.
    #[serde(rename = "discuss.failed")]
    DiscussFailed {
        /// The message in Discuss.
        discuss_message: DiscussMessageId,
        /// A sentence for people.
        reason: String,
    },
    /// An operator is wanted.
    #[serde(rename = "consultation.request")]
    ConsultationRequest {
        /// The conversation.
        conversation: ConversationKey,
        /// The consultation that is to be.
        consultation: ConsultationKey,
        /// Whose operators.
        operator_bot: BotId,
        /// The step that asks.
        step: Option<StepId>,
        /// There is nowhere else to go: queue, whatever happens.
        wait: bool,
    },
    /// A consultation runs in this conversation.
    #[serde(rename = "consultation.joined")]
    ConsultationJoined {
        /// The conversation.
        conversation: ConversationKey,
        /// The consultation.
        consultation: ConsultationKey,
    },
    /// A consultation ends, and its conversation with it.
    #[serde(rename = "consultation.end")]
    ConsultationEnd {
        /// The conversation.
        conversation: ConversationKey,
        /// The consultation.
        consultation: ConsultationKey,
        /// Why.
        reason: EndReason,
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

impl OperationBody {
    /// Carrying it out posts something in Discuss, which costs a hundred times a row.
    pub fn posts_in_discuss(&self) -> bool {
        match self {
            Self::Message { consultation, .. } => consultation.is_some(),
            Self::ConsultationRequest { .. } | Self::ConsultationJoined { .. } | Self::ConsultationEnd { .. } => true,
            _ => false,
        }
    }
}

/// Who said a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The person.
    Customer,
    /// The bot.
    Bot,
    /// An operator.
    Operator,
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

/// Why a consultation ends, where it does not end in Odoo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The person ended it.
    Customer,
    /// The person began anew.
    Restart,
    /// The person blocked the bot.
    Blocked,
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
    fn the_operations_of_a_consultation_read_as_the_protocol_says() {
        let key = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
        let texts = [
            r#""message","conversation":"KEY","sequence":2,"author":"customer","kind":"text","body":"Hi","step":11,"telegram_message":"9","consultation":"KEY""#,
            r#""message","conversation":"KEY","sequence":2,"author":"operator","kind":"text","body":"Hi","step":11,"telegram_message":null,"discuss_message":5"#,
            r#""message.sent","conversation":"KEY","sequence":2,"telegram_message":"9""#,
            r#""discuss.failed","discuss_message":5,"reason":"no""#,
            r#""consultation.request","conversation":"KEY","consultation":"KEY","operator_bot":4,"step":11,"wait":true"#,
            r#""consultation.joined","conversation":"KEY","consultation":"KEY""#,
            r#""consultation.end","conversation":"KEY","consultation":"KEY","reason":"customer""#,
        ];
        for text in texts {
            let json = format!(r#"{{"key":"KEY","at":"2026-11-22T19:00:00Z","type":{text}}}"#).replace("KEY", key);
            let operation: Operation = serde_json::from_str(&json).expect("the documented form");
            assert_eq!(serde_json::to_string(&operation).expect("plain data"), json);
        }
    }

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
