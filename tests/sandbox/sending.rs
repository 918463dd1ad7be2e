//! `sendMessage`, its text, its keyboards, and to whom it may go.

use chatbridge::sandbox::{Options, Pace};
use serde_json::{Value, json};
use std::time::Duration;

use super::harness::{BOT, Fixture, inline};

async fn description(fixture: &Fixture, text: &str, more: Value) -> String {
    let reply = fixture.send_with(text, more).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    reply.body["description"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_answer_is_the_message_as_telegram_shows_it() {
    let fixture = Fixture::begun().await;
    let more = json!({"parse_mode": "HTML", "reply_markup": inline("Yes", "y")});
    let message = fixture.send_with("<b>Дякуємо</b> &amp; до зустрічі ", more).await.result();
    let expected = json!({
        "message_id": 2,
        "from": {"id": 42, "is_bot": true, "first_name": "Shop", "username": BOT},
        "chat": {"id": fixture.user, "type": "private", "first_name": "Олена"},
        "date": message["date"],
        "text": "Дякуємо & до зустрічі",
        "entities": [{"type": "bold", "offset": 0, "length": 7}],
        "reply_markup": inline("Yes", "y"),
    });
    assert_eq!(message, expected);
}

#[tokio::test]
async fn a_bot_writes_only_to_people_who_began() {
    let fixture = Fixture::new().await;
    let nobody = json!({"chat_id": 5, "text": "a"});
    fixture.call("sendMessage", nobody).await.refused(400, "Bad Request: chat not found");
    let name = json!({"chat_id": "@nobody", "text": "a"});
    fixture.call("sendMessage", name).await.refused(400, "Bad Request: chat not found");
    let missing = fixture.call("sendMessage", json!({"text": "a"})).await;
    missing.refused(400, "Bad Request: chat_id is empty");
    let early = fixture.send("a").await;
    early.refused(403, "Forbidden: bot can't initiate conversation with a user");
    fixture.say("/start").await;
    let text_id = json!({"chat_id": fixture.user.to_string(), "text": "a"});
    fixture.call("sendMessage", text_id).await.result();
}

#[tokio::test]
async fn a_blocked_bot_is_refused_until_it_is_unblocked() {
    let fixture = Fixture::begun().await;
    let block = |blocked| json!({"bot": BOT, "user": fixture.user, "blocked": blocked});
    fixture.control("block", block(true)).await;
    fixture.send("a").await.refused(403, "Forbidden: bot was blocked by the user");
    let say = json!({"bot": BOT, "user": fixture.user, "text": "hi"});
    assert_eq!(fixture.try_control("say", say).await.0, 409);
    fixture.control("block", block(false)).await;
    fixture.send("a").await.result();
}

#[tokio::test]
async fn text_is_measured_after_parsing() {
    let fixture = Fixture::begun().await;
    for text in ["", "  \n ", "<b> </b>"] {
        let refused = description(&fixture, text, json!({"parse_mode": "HTML"})).await;
        assert_eq!(refused, "Bad Request: message text is empty", "{text:?}");
    }
    let longest = format!("<b>{}</b>", "й".repeat(4096));
    fixture.send_with(&longest, json!({"parse_mode": "HTML"})).await.result();
    let refused = description(&fixture, &"й".repeat(4097), json!({})).await;
    assert_eq!(refused, "Bad Request: message is too long");
}

#[tokio::test]
async fn wrong_html_is_refused_with_the_place() {
    let fixture = Fixture::begun().await;
    let html = json!({"parse_mode": "HTML"});
    assert_eq!(
        description(&fixture, "<b>a", html.clone()).await,
        "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\""
    );
    assert_eq!(
        description(&fixture, "a<br>", html.clone()).await,
        "Bad Request: can't parse entities: Unsupported start tag \"br\" at byte offset 1"
    );
    assert!(description(&fixture, "a & b", html).await.contains("byte offset 2"));
    let mode = json!({"parse_mode": "Htm"});
    assert_eq!(description(&fixture, "a", mode).await, "Bad Request: unsupported parse_mode");
}

#[tokio::test]
async fn entities_are_taken_when_they_fit_the_text() {
    let fixture = Fixture::begun().await;
    let entities = json!([{"type": "italic", "offset": 2, "length": 1}]);
    let message = fixture.send_with("😀a", json!({"entities": entities})).await.result();
    assert_eq!(message["entities"], entities);
    let beyond = json!({"entities": [{"type": "italic", "offset": 2, "length": 2}]});
    assert!(description(&fixture, "😀a", beyond).await.contains("can't parse MessageEntity"));
}

#[tokio::test]
async fn inline_buttons_have_limits() {
    let fixture = Fixture::begun().await;
    let button = |button: Value| json!({"reply_markup": {"inline_keyboard": [[button]]}});
    let data = |data: &str| button(json!({"text": "A", "callback_data": data}));
    fixture.send_with("a", data(&"x".repeat(64))).await.result();
    for wrong in ["", &"x".repeat(65), &"ї".repeat(33)] {
        assert_eq!(description(&fixture, "a", data(wrong)).await, "Bad Request: BUTTON_DATA_INVALID");
    }
    for (wrong, expected) in [
        (json!({"text": "A"}), "text buttons are unallowed"),
        (json!({"text": " ", "callback_data": "a"}), "text must be non-empty"),
        (json!({"text": "A", "callback_data": "a", "url": "https://a.example"}), "exactly one thing"),
        (json!({"text": "A", "url": "http://localhost/x"}), "Wrong HTTP URL"),
        (json!({"text": "A", "url": "ftp://a.example"}), "Wrong HTTP URL"),
        (json!({"text": "A", "web_app": {"url": "http://a.example"}}), "Only HTTPS"),
        (json!({"text": "A", "pay": true}), "not supported by the sandbox"),
        (json!({"text": "A", "callback_data": "a", "style": "rainbow"}), "style is invalid"),
    ] {
        let refused = description(&fixture, "a", button(wrong)).await;
        assert!(refused.contains(expected), "{refused}");
    }
    let one = json!({"text": "A", "callback_data": "a"});
    let rows = |rows: usize, wide: usize| json!({"reply_markup": {"inline_keyboard": vec![vec![one.clone(); wide]; rows]}});
    fixture.send_with("a", rows(20, 5)).await.result();
    assert!(description(&fixture, "a", rows(101, 1)).await.contains("reply markup is too long"));
    assert!(description(&fixture, "a", rows(1, 9)).await.contains("at most 8"));
}

#[tokio::test]
async fn reply_keyboards_have_limits_and_are_never_shown_in_messages() {
    let fixture = Fixture::begun().await;
    let keyboard = |rows: Value| json!({"reply_markup": {"keyboard": rows, "resize_keyboard": true}});
    let message = fixture.send_with("a", keyboard(json!([["A", {"text": "B"}]]))).await.result();
    assert!(message.get("reply_markup").is_none());
    assert!(description(&fixture, "a", keyboard(json!([vec!["A"; 13]]))).await.contains("at most 12"));
    let many = description(&fixture, "a", keyboard(json!(vec![["A"]; 301]))).await;
    assert_eq!(many, "Bad Request: reply markup is too long");
    let two = json!([[{"text": "A", "request_contact": true, "request_location": true}]]);
    assert!(description(&fixture, "a", keyboard(two)).await.contains("at most one special"));
    assert!(description(&fixture, "a", keyboard(json!([[""]]))).await.contains("non-empty"));
}

#[tokio::test]
async fn a_reply_needs_its_original_unless_told_otherwise() {
    let fixture = Fixture::begun().await;
    let reply = json!({"reply_parameters": {"message_id": 1}});
    let message = fixture.send_with("a", reply).await.result();
    assert_eq!(message["reply_to_message"]["text"], "/start");
    let missing = json!({"reply_parameters": {"message_id": 99}});
    let refused = description(&fixture, "a", missing).await;
    assert_eq!(refused, "Bad Request: message to be replied not found");
    let anyway = json!({"reply_parameters": {"message_id": 99, "allow_sending_without_reply": true}});
    assert!(fixture.send_with("a", anyway).await.result().get("reply_to_message").is_none());
}

#[tokio::test]
async fn a_chat_that_is_written_to_too_fast_is_refused_for_a_while() {
    let pace = Pace { burst: 2, every: Duration::from_secs(30) };
    let fixture = Fixture::with(Options { pace: Some(pace), ..Options::default() }).await;
    fixture.say("hi").await;
    fixture.send("1").await.result();
    fixture.send("2").await.result();
    let refused = fixture.send("3").await;
    refused.refused(429, "Too Many Requests: retry after 30");
    assert_eq!(refused.body["parameters"], json!({"retry_after": 30}));
    assert_eq!(refused.retry_after.as_deref(), Some("30"));
    let other = fixture.customer("Тарас").await;
    fixture.control("say", json!({"bot": BOT, "user": other, "text": "hi"})).await;
    fixture.call("sendMessage", json!({"chat_id": other, "text": "a"})).await.result();
}
