//! Things to put into a store.

use jiff::Timestamp;
use ulid::Ulid;

use crate::domain::{
    Author, BotId, ChannelId, ChatId, ChatKey, ChatRecord, CloseReason, Conversation, ConversationKey, Entity, Formatted, InlineAction, InlineButton,
    Markup, MessageId, MessageKind, Operation, OperationBody, OperationKey, Outgoing, Profile, Request, StepId, Style, UserId,
};

/// No limit.
pub const ALL: usize = usize::MAX;

/// A chat.
pub fn chat(channel: i64, chat: i64) -> ChatKey {
    ChatKey { channel: ChannelId(channel), chat: ChatId(chat) }
}

/// A second of an evening.
pub fn instant(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_374_000 + second).expect("a second of 2026")
}

/// A conversation's key.
pub fn conversation() -> ConversationKey {
    ConversationKey(Ulid::from_string("01ARZ3NDEKTSV4RRFFQ69G5FAV").expect("a ULID"))
}

/// A plain message, told from others by its line.
pub fn outgoing(to: ChatKey, line: u32) -> Outgoing {
    let text = Formatted { text: format!("line {line}"), entities: Vec::new() };
    Outgoing { to, conversation: conversation(), sequence: line, request: Request::Say { text, markup: Markup::Nothing } }
}

/// An operation, told from others by its line.
pub fn operation(line: u32) -> Operation {
    let body = OperationBody::MessageFailed { conversation: conversation(), sequence: line, reason: String::new() };
    Operation { key: OperationKey(Ulid(u128::from(line))), at: instant(i64::from(line)), body }
}

/// A chat of a person with this name.
pub fn record(name: &str) -> ChatRecord {
    let profile = Profile { user: UserId(1), first_name: name.to_owned(), last_name: None, username: None, language_code: None };
    ChatRecord { profile: Some(profile), ..ChatRecord::default() }
}

/// A chat in which every field is filled.
pub fn full_record() -> ChatRecord {
    ChatRecord {
        era: 0,
        profile: Some(Profile {
            user: UserId(7_000_000_000),
            first_name: "Оксана".to_owned(),
            last_name: Some("Шевченко".to_owned()),
            username: Some("oksana".to_owned()),
            language_code: Some("uk".to_owned()),
        }),
        conversation: Some(Conversation {
            step: Some(StepId(11)),
            started: true,
            keyboard: Some(StepId(11)),
            sequence: 4,
            taken: Some(("Ціни".to_owned(), instant(3))),
            ..Conversation::open(conversation(), BotId(3), instant(4))
        }),
        blocked: true,
    }
}

/// A message with every kind of formatting and button.
pub fn full_outgoing(to: ChatKey) -> Outgoing {
    let styles = [
        Style::Bold,
        Style::Italic,
        Style::Underline,
        Style::Strikethrough,
        Style::Code,
        Style::Pre,
        Style::Blockquote,
        Style::Link("https://example.com/?a=1&b=2".to_owned()),
    ];
    let entities = (0..).zip(styles).map(|(offset, style)| Entity { offset, length: 1, style }).collect();
    let rows = vec![
        vec![InlineButton { text: "Так".to_owned(), action: InlineAction::Data("b:41".to_owned()) }],
        vec![InlineButton { text: "Site".to_owned(), action: InlineAction::Url("https://example.com".to_owned()) }],
    ];
    let text = Formatted { text: "<b> \"&\" 🦔".to_owned(), entities };
    Outgoing { to, conversation: conversation(), sequence: 1, request: Request::Say { text, markup: Markup::Inline { rows } } }
}

/// The other keyboards.
pub fn markups() -> Vec<Markup> {
    vec![Markup::Nothing, Markup::Remove, Markup::Keyboard { rows: vec![vec!["A".to_owned(), "B".to_owned()], vec!["C".to_owned()]] }]
}

/// One operation of each kind, every field filled in one of them.
pub fn full_operation() -> Vec<Operation> {
    let (conversation, channel, user, chat) = (conversation(), ChannelId(7), UserId(7_000_000_000), ChatId(-100));
    let bodies = vec![
        OperationBody::Sender {
            channel,
            user,
            chat,
            first_name: "Оксана".to_owned(),
            last_name: Some("Шевченко".to_owned()),
            username: None,
            language_code: Some("uk".to_owned()),
        },
        OperationBody::Open { conversation, channel, user, chat },
        OperationBody::Message {
            conversation,
            sequence: 1,
            author: Author::Customer,
            kind: MessageKind::Button,
            body: "<p>Ціни</p>".to_owned(),
            step: Some(StepId(11)),
            telegram_message: Some(MessageId(42)),
        },
        OperationBody::MessageFailed { conversation, sequence: 2, reason: "The person is gone".to_owned() },
        OperationBody::State { conversation, step: None, state: serde_json::json!({"step": 11, "list": [1, null]}) },
        OperationBody::Close { conversation, reason: CloseReason::Silence },
        OperationBody::Membership { channel, user, blocked: true },
    ];
    let operation = |(line, body)| Operation { key: OperationKey(Ulid(line)), at: instant(0), body };
    (1..).zip(bodies).map(operation).collect()
}
