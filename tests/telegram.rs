//! The Telegram adapter against a server that answers as it is told.
#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod scripted;

use std::sync::Arc;
use std::time::Duration;

use chatbridge::domain::{ChatId, Content, Formatted, Markup, MessageId, Request, TelegramBotId, UpdateId};
use chatbridge::ports::{Certainty, Class, Connect, Failure, Identity, Messenger, Update, Webhook};
use chatbridge::telegram::{BASE_URL, Telegram};
use scripted::{Peer, Reply, log};
use secrecy::SecretString;
use serde_json::{Value, json};

const TOKEN: &str = "123456:AAsecretTOKENsecretTOKENsecretTOKEN";
const WORDS: &str = "what-a-person-wrote";

fn bot(url: &str) -> Arc<dyn Messenger> {
    log::capture();
    Telegram::new(url).unwrap().connect(&SecretString::from(TOKEN))
}

fn path(method: &str) -> String {
    format!("/bot{TOKEN}/{method}")
}

fn ok(result: Value) -> Reply {
    Reply::json(200, &json!({"ok": true, "result": result}))
}

fn refused(code: u16, description: &str) -> Reply {
    Reply::json(code, &json!({"ok": false, "error_code": code, "description": description}))
}

fn say() -> Request {
    Request::Say { text: Formatted { text: WORDS.to_owned(), entities: vec![] }, markup: Markup::Nothing }
}

async fn perform(replies: impl IntoIterator<Item = Reply>) -> Result<MessageId, Failure> {
    let peer = Peer::scripted(replies).await;
    let outcome = bot(&peer.url).perform(ChatId(5), &say()).await;
    assert_eq!(peer.seen().len(), 1, "nothing is sent twice");
    outcome
}

async fn poll(updates: Value) -> Result<Vec<Update>, Failure> {
    let peer = Peer::scripted([ok(updates)]).await;
    bot(&peer.url).updates(None, Duration::ZERO).await
}

fn user() -> Value {
    json!({"id": 777, "is_bot": false, "first_name": "Olha", "language_code": "uk", "something_new": {}})
}

fn private() -> Value {
    json!({"id": 777, "type": "private", "first_name": "Olha"})
}

fn message(id: i64, more: Value) -> Value {
    let mut message = json!({"message_id": 9, "date": 1_790_000_000, "from": user(), "chat": private()});
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"update_id": id, "message": message})
}

/// The content of the one update.
async fn one(update: Value) -> Result<Option<Content>, Failure> {
    let mut updates = poll(json!([update])).await.unwrap();
    assert_eq!(updates.len(), 1);
    updates.remove(0).content.map(|incoming| incoming.map(|incoming| incoming.content))
}

#[tokio::test]
async fn the_token_says_who_it_is() {
    let peer = Peer::scripted([ok(json!({"id": 123_456, "is_bot": true, "first_name": "Shop", "username": "shop_bot"}))]).await;
    let identity = bot(&peer.url).me().await.unwrap();
    assert_eq!(identity, Identity { bot: TelegramBotId(123_456), username: Some("shop_bot".to_owned()) });
    peer.expect_paths(&[&path("getMe")]);
    assert_eq!(peer.seen()[0].body, json!({}), "a method without parameters still has a body");
}

#[tokio::test]
async fn leaving_a_webhook_keeps_what_waits() {
    let set = json!({"url": "https://elsewhere.example/hook", "has_custom_certificate": false, "pending_update_count": 3});
    let peer = Peer::scripted([ok(set), ok(json!(true))]).await;
    assert!(bot(&peer.url).leave_webhook().await.unwrap());
    peer.expect_paths(&[&path("getWebhookInfo"), &path("deleteWebhook")]);
    assert_eq!(peer.seen()[1].body, json!({"drop_pending_updates": false}));
}

#[tokio::test]
async fn where_no_webhook_is_set_none_is_removed() {
    let peer = Peer::scripted([ok(json!({"url": "", "has_custom_certificate": false, "pending_update_count": 0}))]).await;
    assert!(!bot(&peer.url).leave_webhook().await.unwrap());
    peer.expect_paths(&[&path("getWebhookInfo")]);
}

/// SET-4: with a secret, for the kinds that we read, and nothing that waits is dropped.
#[tokio::test]
async fn setting_a_webhook_keeps_what_waits() {
    let said = |words: &str| Reply::json(200, &json!({"ok": true, "result": true, "description": words}));
    let peer =
        Peer::scripted([said("Webhook was set"), said("Webhook is already\ndeleted"), refused(400, "Bad Request: bad webhook: no https")]).await;
    let bot = bot(&peer.url);
    assert_eq!(bot.set_webhook("https://x.example/telegram/7", &SecretString::from("5ec")).await.unwrap(), "Webhook was set");
    assert_eq!(bot.delete_webhook().await.unwrap(), "Webhook is already deleted");
    let failure = bot.set_webhook("http://x", &SecretString::from("5ec")).await.unwrap_err();
    assert!(failure.class == Class::Bug && failure.reason.contains("bad webhook: no https"), "{failure}");
    peer.expect_paths(&[&path("setWebhook"), &path("deleteWebhook"), &path("setWebhook")]);
    let kinds = json!(["message", "edited_message", "callback_query", "my_chat_member"]);
    let body = json!({"url": "https://x.example/telegram/7", "allowed_updates": kinds, "drop_pending_updates": false, "secret_token": "5ec"});
    assert_eq!(peer.seen()[0].body, body);
    assert_eq!(peer.seen()[1].body, json!({"drop_pending_updates": false}));
}

#[tokio::test]
async fn a_webhook_says_how_it_stands() {
    let error = json!({"url": "https://x.example/h", "pending_update_count": 3, "last_error_date": 1_790_000_000, "last_error_message": "Connection\nrefused", "news": 1});
    let peer = Peer::scripted([ok(json!({"url": "", "has_custom_certificate": false, "pending_update_count": 0})), ok(error)]).await;
    let bot = bot(&peer.url);
    assert_eq!(bot.webhook().await.unwrap(), Webhook::default());
    let at = jiff::Timestamp::from_second(1_790_000_000).unwrap();
    let stands = Webhook { url: Some("https://x.example/h".to_owned()), waiting: 3, last_error: Some((at, "Connection refused".to_owned())) };
    assert_eq!(bot.webhook().await.unwrap(), stands);
}

#[tokio::test]
async fn a_delivered_update_is_read_as_a_polled_one() {
    let bot = bot("http://127.0.0.1:1");
    let update = bot.read_update(message(8, json!({"text": "hi"})).to_string().as_bytes()).unwrap();
    assert_eq!((update.id, update.content.unwrap().unwrap().content), (UpdateId(8), Content::Text("hi".to_owned())));
    let broken = bot.read_update(br#"{"update_id": 9, "message": {"text": 5}}"#).unwrap();
    assert_eq!((broken.id, broken.content.unwrap_err().class), (UpdateId(9), Class::Malformed));
    for without in [&b""[..], b"{", b"{}", b"[]", b"\xff", b"{\"update_id\":-1}"] {
        assert!(bot.read_update(without).is_none());
    }
}

#[tokio::test]
async fn a_poll_names_what_it_wants() {
    let peer = Peer::scripted([ok(json!([])), ok(json!([]))]).await;
    let bot = bot(&peer.url);
    bot.updates(Some(UpdateId(42)), Duration::from_secs(30)).await.unwrap();
    bot.updates(None, Duration::from_secs(500)).await.unwrap();
    peer.expect_paths(&[&path("getUpdates"), &path("getUpdates")]);
    let kinds = json!(["message", "edited_message", "callback_query", "my_chat_member"]);
    assert_eq!(peer.seen()[0].body, json!({"offset": 42, "limit": 100, "timeout": 30, "allowed_updates": kinds}));
    assert_eq!(peer.seen()[1].body, json!({"limit": 100, "timeout": 50, "allowed_updates": kinds}));
}

#[tokio::test]
async fn a_message_says_who_when_and_where() {
    let mut updates = poll(json!([message(8, json!({"text": "hi"}))])).await.unwrap();
    let update = updates.remove(0);
    assert_eq!(update.id, UpdateId(8));
    let incoming = update.content.unwrap().unwrap();
    assert_eq!((incoming.chat, incoming.message), (ChatId(777), Some(MessageId(9))));
    assert_eq!(incoming.at.as_second(), 1_790_000_000);
    assert_eq!(incoming.profile.first_name, "Olha");
    assert_eq!(incoming.profile.language_code.as_deref(), Some("uk"));
    assert_eq!(incoming.content, Content::Text("hi".to_owned()));
}

#[tokio::test]
async fn each_kind_of_update_is_read() {
    let command =
        json!({"text": "/start p", "entities": [{"type": "brand_new", "offset": 7, "length": 1}, {"type": "bot_command", "offset": 0, "length": 6}]});
    let start = Content::Command { name: "start".to_owned(), payload: "p".to_owned(), text: "/start p".to_owned() };
    assert_eq!(one(message(1, command)).await.unwrap(), Some(start));
    assert_eq!(one(message(1, json!({"photo": [], "caption": "see"}))).await.unwrap(), Some(Content::Other("photo")));
    assert_eq!(one(message(1, json!({"pinned_message": {}}))).await.unwrap(), None);

    let inaccessible = json!({"chat": private(), "message_id": 4, "date": 0});
    let tap = |more: Value| {
        let mut callback = json!({"id": "c1", "from": user(), "chat_instance": "x"});
        callback.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"update_id": 1, "callback_query": callback})
    };
    let expected = Content::Tap { callback: "c1".to_owned(), data: "b:1".to_owned() };
    assert_eq!(one(tap(json!({"data": "b:1", "message": inaccessible}))).await.unwrap(), Some(expected));
    assert_eq!(one(tap(json!({"message": inaccessible}))).await.unwrap(), None, "a game's button has no data");
    assert_eq!(one(tap(json!({"data": "b:1", "inline_message_id": "z"}))).await.unwrap(), None);

    let member = |status: &str, chat: Value| json!({"update_id": 1, "my_chat_member": {"chat": chat, "from": user(), "date": 5, "new_chat_member": {"status": status}}});
    assert_eq!(one(member("kicked", private())).await.unwrap(), Some(Content::Blocked));
    assert_eq!(one(member("member", private())).await.unwrap(), Some(Content::Unblocked));
    assert_eq!(one(member("administrator", json!({"id": -5, "type": "supergroup", "title": "G"}))).await.unwrap(), None);
    assert_eq!(one(json!({"update_id": 1, "edited_message": {"text": "x"}})).await.unwrap(), None);
    assert_eq!(one(json!({"update_id": 1, "brand_new_update": {"a": 1}})).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_new_elsewhere_does_not_matter() {
    let news = json!({"text": "hi", "forward_origin": {"type": "hologram"}, "reply_markup": 5, "reply_to_message": {"chat": {"type": "village"}}});
    assert_eq!(one(message(1, news)).await.unwrap(), Some(Content::Text("hi".to_owned())));
    let village = json!({"chat": {"id": 1, "type": "village"}, "text": "hi"});
    assert_eq!(one(message(1, village)).await.unwrap(), None);
}

#[tokio::test]
async fn a_broken_update_keeps_its_id_and_spoils_no_other() {
    let broken = [
        json!({"update_id": 2, "message": {"text": WORDS}}),
        json!({"update_id": 3, "message": WORDS}),
        json!({"update_id": 4}),
        message(5, json!({"date": WORDS, "text": WORDS})),
        message(6, json!({"text": [WORDS]})),
        message(7, json!({"from": {"id": -1, "first_name": WORDS}, "text": WORDS})),
        json!({"update_id": 8, "callback_query": {"id": 5, "data": WORDS, "message": {"chat": private()}}}),
        json!({"update_id": 9, "my_chat_member": {"chat": private()}}),
    ];
    let mut batch = vec![message(1, json!({"text": "first"}))];
    batch.extend(broken);
    batch.push(message(10, json!({"text": "last"})));
    let updates = poll(Value::Array(batch)).await.unwrap();
    assert_eq!(updates.iter().map(|update| update.id.0).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
    assert!(updates[0].content.is_ok() && updates[9].content.is_ok());
    for update in &updates[1..9] {
        let failure = update.content.as_ref().unwrap_err();
        assert_eq!(failure.class, Class::Malformed);
        assert!(failure.reason.starts_with(&format!("update {}: ", update.id)), "{failure}");
        assert!(!format!("{failure} {failure:?}").contains(WORDS), "{failure}");
    }
}

#[tokio::test]
async fn a_broken_character_spoils_one_update_at_most() {
    let batch = r#"{"ok":true,"result":[{"update_id":1,"message":{"text":"\ud800"}},{"update_id":2,"edited_message":{}}]}"#;
    let peer = Peer::scripted([Reply::Answer(200, vec![], batch.to_owned())]).await;
    let updates = bot(&peer.url).updates(None, Duration::ZERO).await.unwrap();
    assert_eq!(updates.len(), 2);
    assert_eq!(updates[0].content.as_ref().unwrap_err().class, Class::Malformed);
}

#[tokio::test]
async fn an_update_without_an_id_is_left_out() {
    let without = [
        json!({"message": {"text": WORDS}}),
        json!(null),
        json!("x"),
        json!({"update_id": "5"}),
        json!({"update_id": -5}),
        json!({"update_id": 9e15}),
    ];
    let mut batch = without.to_vec();
    batch.push(message(3, json!({"text": "hi"})));
    let updates = poll(Value::Array(batch)).await.unwrap();
    assert_eq!(updates.iter().map(|update| update.id).collect::<Vec<_>>(), [UpdateId(3)]);
    let failure = poll(Value::Array(without.to_vec())).await.unwrap_err();
    assert_eq!(failure.class, Class::Transient, "a batch that can't be confirmed must make the poller pause");
}

#[tokio::test]
async fn a_message_sent_has_its_id_whatever_else_the_answer_holds() {
    let sent = json!({"message_id": 31, "chat": {"type": "village"}, "date": "soon"});
    assert_eq!(perform([ok(sent)]).await.unwrap(), MessageId(31));
    let failure = perform([ok(json!(true))]).await.unwrap_err();
    assert_eq!((failure.class, failure.certainty), (Class::Malformed, Certainty::Unknown));
}

#[tokio::test]
async fn each_answer_has_its_class() {
    use Certainty::{NotDone, Unknown};
    let rows = [
        (refused(400, "Bad Request: chat not found"), Class::Gone, NotDone),
        (refused(400, "Bad Request: message is too long"), Class::Bug, NotDone),
        (refused(401, "Unauthorized"), Class::Denied, NotDone),
        (refused(403, "Forbidden: bot was blocked by the user"), Class::Gone, NotDone),
        (refused(409, "Conflict: terminated by other getUpdates request"), Class::Lost, NotDone),
        (refused(500, "Internal Server Error"), Class::Transient, Unknown),
        (Reply::json(200, &json!({"ok": false, "error_code": 403, "description": "Forbidden"})), Class::Gone, NotDone),
        (Reply::html(502), Class::Transient, Unknown),
        (Reply::html(200), Class::Transient, Unknown),
        (Reply::html(404), Class::Transient, Unknown),
        (Reply::Answer(302, vec![("location".to_owned(), "http://127.0.0.1:1/".to_owned())], String::new()), Class::Transient, Unknown),
        (Reply::json(200, &json!([])), Class::Transient, Unknown),
        (Reply::Cut, Class::Transient, Unknown),
        (Reply::HalfAndCut, Class::Transient, Unknown),
    ];
    for (reply, class, certainty) in rows {
        let failure = perform([reply.clone()]).await.unwrap_err();
        assert_eq!((failure.class, failure.certainty), (class, certainty), "{reply:?}: {failure}");
        assert!(!failure.reason.contains("secret"), "{failure}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_got_nothing() {
    let failure = bot("http://127.0.0.1:1").perform(ChatId(5), &say()).await.unwrap_err();
    assert_eq!((failure.class, failure.certainty), (Class::Transient, Certainty::NotDone));
    assert!(failure.reason.contains("Connection refused"), "{failure}");
}

#[tokio::test]
async fn a_limit_says_how_long() {
    let limit =
        |parameters: Value| Reply::json(429, &json!({"ok": false, "error_code": 429, "description": "Too Many Requests", "parameters": parameters}));
    let rows = [
        (limit(json!({"retry_after": 86_400})), 86_400),
        (limit(json!({})).with_header("Retry-After", "17"), 17),
        (Reply::html(429).with_header("Retry-After", "8"), 8),
        (limit(json!({"retry_after": "x"})), 1),
    ];
    for (reply, seconds) in rows {
        let failure = perform([reply]).await.unwrap_err();
        assert_eq!((failure.class, failure.retry_after), (Class::RateLimited, Some(Duration::from_secs(seconds))));
    }
}

#[tokio::test]
async fn a_tap_that_waited_too_long_is_answered_well_enough() {
    let peer = Peer::scripted([refused(400, "Bad Request: query is too old and response timeout expired"), refused(401, "Unauthorized")]).await;
    let bot = bot(&peer.url);
    bot.answer_tap("c1").await.unwrap();
    assert_eq!(bot.answer_tap("c2").await.unwrap_err().class, Class::Denied);
    assert_eq!(peer.seen()[0].body, json!({"callback_query_id": "c1"}));
}

#[tokio::test]
async fn a_broken_token_becomes_no_other_path() {
    let peer = Peer::scripted([refused(404, "Not Found")]).await;
    let messenger = Telegram::new(&format!("{}/prefix/", peer.url)).unwrap().connect(&SecretString::from("1:a/../x?y#z"));
    assert_eq!(messenger.me().await.unwrap_err().class, Class::Denied);
    peer.expect_paths(&["/prefix/bot1:a%2F..%2Fx%3Fy%23z/getMe"]);
}

#[test]
fn an_address_that_is_none_is_said_without_repeating_it() {
    assert!(Telegram::new(BASE_URL).is_ok());
    for address in ["", "api.telegram.org/secret", "ftp://secret", "http://"] {
        let failure = Telegram::new(address).unwrap_err();
        assert!(!failure.reason.contains("secret"), "{failure}");
    }
}

/// Neither token nor words, in any failure or any log line of any crate.
#[tokio::test]
async fn secrets_stay_secret() {
    let echo = refused(400, &format!("Bad Request: /bot{TOKEN}/sendMessage\nis wrong"));
    for reply in [echo, Reply::html(502), Reply::Cut, Reply::HalfAndCut, ok(json!({"text": WORDS}))] {
        let failure = perform([reply]).await.unwrap_err();
        assert!(!format!("{failure} {failure:?}").contains(TOKEN));
        assert!(!format!("{failure} {failure:?}").contains(WORDS));
        assert_eq!(failure.reason.lines().count(), 1);
    }
    poll(json!([{"text": WORDS}, message(1, json!({"text": WORDS})), {"update_id": 2, "message": WORDS}, {"update_id": 3, "edited_message": WORDS}]))
        .await
        .unwrap();
    let telegram = Telegram::new("http://127.0.0.1:1").unwrap();
    assert!(!format!("{telegram:?}").contains("secret"));

    let log = log::text();
    assert!(log.contains("updates without an id"), "the log is being read");
    assert!(!log.contains("secretTOKEN"), "{}", log.lines().find(|line| line.contains("secretTOKEN")).unwrap_or_default());
    assert!(!log.contains(WORDS), "{}", log.lines().find(|line| line.contains(WORDS)).unwrap_or_default());
}
