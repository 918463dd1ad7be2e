//! The JSON in the tables, word for word. What is stored now must be read by every later version: change a text here only together with
//! the format number, or add a new text beside it.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::rows::{decode, encode};
use crate::domain::{ChatRecord, Request};
use crate::ports::StoreIdentity;
use crate::ports::contract::store::samples::{chat, full_operation, full_outgoing, full_record, markups, outgoing};

/// A value is written as this text, and the text is read as that value.
fn is_stored_as<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, json: &str) {
    assert_eq!(String::from_utf8(encode(value).expect("it has a JSON form")).expect("text"), json);
    assert_eq!(&decode::<T>(json.as_bytes(), String::new).expect("it is read"), value);
}

#[test]
fn chats_are_stored_like_this() {
    is_stored_as(&ChatRecord::default(), "{}");
    is_stored_as(
        &full_record(),
        r#"{"profile":{"user":"7000000000","first_name":"Оксана","last_name":"Шевченко","username":"oksana","language_code":"uk"},"conversation":{"key":"01ARZ3NDEKTSV4RRFFQ69G5FAV","bot":3,"step":11,"started":true,"keyboard":11,"sequence":4,"active":"2026-11-22T19:00:04Z","over":true,"taken":["Ціни","2026-11-22T19:00:03Z"],"consultation":{"key":"01BX5ZZKBKACTAV9WEVGEMMVRZ","state":"assigned","operator":"Юлія"},"refused":[12]},"blocked":true}"#,
    );
}

/// What the first format wrote: a conversation that Odoo had lost was called forgotten.
#[test]
fn chats_of_the_first_format_are_read() {
    let json = r#"{"conversation":{"key":"01ARZ3NDEKTSV4RRFFQ69G5FAV","bot":3,"step":11,"started":true,"sequence":4,"active":"2026-11-22T19:00:04Z","forgotten":true}}"#;
    let conversation = decode::<ChatRecord>(json.as_bytes(), String::new).expect("it is read").conversation.expect("open");
    assert!(conversation.over && conversation.consultation.is_none());
}

#[test]
fn messages_are_stored_like_this() {
    is_stored_as(
        &outgoing(chat(1, -7), 3),
        r#"{"to":{"channel":1,"chat":"-7"},"conversation":"01ARZ3NDEKTSV4RRFFQ69G5FAV","sequence":3,"request":{"do":"say","text":{"text":"line 3"}}}"#,
    );
    is_stored_as(
        &full_outgoing(chat(1, -7)),
        r#"{"to":{"channel":1,"chat":"-7"},"conversation":"01ARZ3NDEKTSV4RRFFQ69G5FAV","sequence":1,"request":{"do":"say","text":{"text":"<b> \"&\" 🦔","entities":[{"offset":0,"length":1,"style":"bold"},{"offset":1,"length":1,"style":"italic"},{"offset":2,"length":1,"style":"underline"},{"offset":3,"length":1,"style":"strikethrough"},{"offset":4,"length":1,"style":"code"},{"offset":5,"length":1,"style":"pre"},{"offset":6,"length":1,"style":"blockquote"},{"offset":7,"length":1,"style":{"link":"https://example.com/?a=1&b=2"}}]},"markup":{"type":"inline","rows":[[{"text":"Так","data":"b:41"}],[{"text":"Site","url":"https://example.com"}]]}},"confirm":true}"#,
    );
}

#[test]
fn keyboards_are_stored_like_this() {
    let with = |markup| {
        let Request::Say { text, .. } = outgoing(chat(1, 1), 0).request;
        Request::Say { text, markup }
    };
    let texts = [
        r#"{"do":"say","text":{"text":"line 0"}}"#,
        r#"{"do":"say","text":{"text":"line 0"},"markup":{"type":"remove"}}"#,
        r#"{"do":"say","text":{"text":"line 0"},"markup":{"type":"keyboard","rows":[["A","B"],["C"]]}}"#,
    ];
    for (markup, json) in markups().into_iter().zip(texts) {
        is_stored_as(&with(markup), json);
    }
}

#[test]
fn operations_are_stored_like_this() {
    let texts = [
        r#"{"key":"00000000000000000000000001","at":"2026-11-22T19:00:00Z","type":"sender","channel":7,"user":"7000000000","chat":"-100","first_name":"Оксана","last_name":"Шевченко","username":null,"language_code":"uk"}"#,
        r#"{"key":"00000000000000000000000002","at":"2026-11-22T19:00:00Z","type":"conversation.open","conversation":"01ARZ3NDEKTSV4RRFFQ69G5FAV","channel":7,"user":"7000000000","chat":"-100"}"#,
        r#"{"key":"00000000000000000000000003","at":"2026-11-22T19:00:00Z","type":"message","conversation":"01ARZ3NDEKTSV4RRFFQ69G5FAV","sequence":1,"author":"customer","kind":"button","body":"<p>Ціни</p>","step":11,"telegram_message":"42"}"#,
        r#"{"key":"00000000000000000000000004","at":"2026-11-22T19:00:00Z","type":"message.failed","conversation":"01ARZ3NDEKTSV4RRFFQ69G5FAV","sequence":2,"reason":"The person is gone"}"#,
        r#"{"key":"00000000000000000000000005","at":"2026-11-22T19:00:00Z","type":"conversation.state","conversation":"01ARZ3NDEKTSV4RRFFQ69G5FAV","step":null,"state":{"list":[1,null],"step":11}}"#,
        r#"{"key":"00000000000000000000000006","at":"2026-11-22T19:00:00Z","type":"conversation.close","conversation":"01ARZ3NDEKTSV4RRFFQ69G5FAV","reason":"silence"}"#,
        r#"{"key":"00000000000000000000000007","at":"2026-11-22T19:00:00Z","type":"membership","channel":7,"user":"7000000000","blocked":true}"#,
        r#"{"key":"00000000000000000000000008","at":"2026-11-22T19:00:00Z","type":"message","conversation":"01ARZ3NDEKTSV4RRFFQ69G5FAV","sequence":2,"author":"operator","kind":"text","body":"<p>Так</p>","step":null,"telegram_message":null,"consultation":"01BX5ZZKBKACTAV9WEVGEMMVRZ","discuss_message":5}"#,
        r#"{"key":"00000000000000000000000009","at":"2026-11-22T19:00:00Z","type":"message.sent","conversation":"01ARZ3NDEKTSV4RRFFQ69G5FAV","sequence":2,"telegram_message":"43"}"#,
        r#"{"key":"0000000000000000000000000A","at":"2026-11-22T19:00:00Z","type":"discuss.failed","discuss_message":5,"reason":"The person is gone"}"#,
        r#"{"key":"0000000000000000000000000B","at":"2026-11-22T19:00:00Z","type":"consultation.request","conversation":"01ARZ3NDEKTSV4RRFFQ69G5FAV","consultation":"01BX5ZZKBKACTAV9WEVGEMMVRZ","operator_bot":4,"step":11,"wait":true}"#,
        r#"{"key":"0000000000000000000000000C","at":"2026-11-22T19:00:00Z","type":"consultation.joined","conversation":"01ARZ3NDEKTSV4RRFFQ69G5FAV","consultation":"01BX5ZZKBKACTAV9WEVGEMMVRZ"}"#,
        r#"{"key":"0000000000000000000000000D","at":"2026-11-22T19:00:00Z","type":"consultation.end","conversation":"01ARZ3NDEKTSV4RRFFQ69G5FAV","consultation":"01BX5ZZKBKACTAV9WEVGEMMVRZ","reason":"customer"}"#,
        r#"{"key":"0000000000000000000000000E","at":"2026-11-22T19:00:00Z","type":"channel.refreshed","channel":7,"ok":true,"answer":"Webhook was set","username":"shop_bot"}"#,
    ];
    let operations = full_operation();
    assert_eq!(operations.len(), texts.len());
    for (operation, json) in operations.iter().zip(texts) {
        is_stored_as(operation, json);
    }
}

#[test]
fn identities_are_stored_like_this() {
    let identity = StoreIdentity { nonce: Some("n".to_owned()), ..StoreIdentity::new("01ARZ3NDEKTSV4RRFFQ69G5FAV") };
    is_stored_as(&identity, r#"{"store_id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","database_uuid":null,"nonce":"n","epoch":"","era":0,"held":false}"#);
}
