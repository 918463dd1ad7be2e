//! Delivery to webhooks: order, lanes, repeats, secrets, replies with a method, and switching to and from polling.

use std::sync::Arc;
use std::time::Duration;

use chatbridge::sandbox::Options;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, oneshot};
use warp::Filter;
use warp::http::{HeaderMap, Response};

use super::harness::{BOT, Fixture, inline};

/// One delivery that waits for the test to answer it.
struct Delivery {
    update: Value,
    secret: Option<String>,
    answer: oneshot::Sender<Response<String>>,
}

impl Delivery {
    fn text(&self) -> &str {
        self.update["message"]["text"].as_str().unwrap_or_default()
    }

    fn accept(self) {
        self.answer_with(200, "", &[]);
    }

    fn answer_with(self, status: u16, body: &str, headers: &[(&str, &str)]) {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let _ = self.answer.send(response.body(body.to_owned()).unwrap());
    }
}

/// A webhook whose answers the test gives one by one.
struct Hook {
    url: String,
    deliveries: UnboundedReceiver<Delivery>,
}

impl Hook {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, deliveries) = unbounded_channel();
        let sender = Arc::new(Mutex::new(sender));
        let route = warp::path("hook")
            .and(warp::header::headers_cloned())
            .and(warp::body::json())
            .then(move |headers, update| receive(Arc::clone(&sender), headers, update));
        tokio::spawn(warp::serve(route).incoming(listener).run());
        Self { url, deliveries }
    }

    async fn next(&mut self) -> Delivery {
        tokio::time::timeout(Duration::from_secs(10), self.deliveries.recv()).await.unwrap().unwrap()
    }
}

async fn receive(sender: Arc<Mutex<UnboundedSender<Delivery>>>, headers: HeaderMap, update: Value) -> Response<String> {
    let secret = headers.get("x-telegram-bot-api-secret-token").map(|value| value.to_str().unwrap().to_owned());
    let (answer, answered) = oneshot::channel();
    let _ = sender.lock().await.send(Delivery { update, secret, answer });
    answered.await.unwrap_or_else(|_| Response::builder().status(500).body(String::new()).unwrap())
}

async fn fixture() -> Fixture {
    let options = Options { webhook_pause: Duration::from_millis(1), webhook_pause_most: Duration::from_millis(4), ..Options::default() };
    let fixture = Fixture::with(options).await;
    fixture.begin().await;
    fixture
}

async fn set(fixture: &Fixture, hook: &Hook) {
    fixture.call("setWebhook", json!({"url": hook.url})).await.result();
}

#[tokio::test]
async fn updates_are_posted_with_the_secret() {
    let (fixture, mut hook) = (fixture().await, Hook::new().await);
    let set = json!({"url": hook.url, "secret_token": "a-B_1"});
    let reply = fixture.call("setWebhook", set.clone()).await;
    assert_eq!(reply.body, json!({"ok": true, "result": true, "description": "Webhook was set"}));
    let again = fixture.call("setWebhook", set).await;
    assert_eq!(again.body["description"], "Webhook is already set");
    let said = fixture.say("hello").await;
    let delivery = hook.next().await;
    assert_eq!(delivery.secret.as_deref(), Some("a-B_1"));
    assert_eq!(delivery.update["update_id"], said["update_id"]);
    assert_eq!(delivery.text(), "hello");
    delivery.accept();
}

#[tokio::test]
async fn a_chat_has_one_delivery_at_a_time_and_other_chats_go_on() {
    let (fixture, mut hook) = (fixture().await, Hook::new().await);
    let other = fixture.customer("Тарас").await;
    set(&fixture, &hook).await;
    fixture.say("1").await;
    fixture.say("2").await;
    let first = hook.next().await;
    fixture.control("say", json!({"bot": BOT, "user": other, "text": "other"})).await;
    // The second message of the first chat waits although it came before this one.
    let beside = hook.next().await;
    assert_eq!((first.text(), beside.text()), ("1", "other"));
    first.accept();
    assert_eq!(hook.next().await.text(), "2");
}

#[tokio::test]
async fn a_button_press_does_not_wait_for_the_messages_of_its_chat() {
    let (fixture, mut hook) = (fixture().await, Hook::new().await);
    let more = json!({"reply_markup": inline("Yes", "y")});
    let message = fixture.send_with("Sure?", more).await.result();
    set(&fixture, &hook).await;
    fixture.say("1").await;
    let first = hook.next().await;
    fixture.tap(&message["message_id"], "y").await;
    assert_eq!(hook.next().await.update["callback_query"]["data"], "y");
    first.accept();
}

#[tokio::test]
async fn no_more_deliveries_run_than_connections_are_allowed() {
    let (fixture, mut hook) = (fixture().await, Hook::new().await);
    let other = fixture.customer("Тарас").await;
    fixture.call("setWebhook", json!({"url": hook.url, "max_connections": 1})).await.result();
    fixture.say("1").await;
    fixture.say("2").await;
    fixture.control("say", json!({"bot": BOT, "user": other, "text": "other"})).await;
    for expected in ["1", "2", "other"] {
        let delivery = hook.next().await;
        assert_eq!(delivery.text(), expected);
        assert!(hook.deliveries.try_recv().is_err());
        delivery.accept();
    }
}

#[tokio::test]
async fn what_was_not_accepted_comes_again_before_anything_newer_of_its_chat() {
    let (fixture, mut hook) = (fixture().await, Hook::new().await);
    set(&fixture, &hook).await;
    fixture.say("1").await;
    fixture.say("2").await;
    for status in [500, 404, 302, 500] {
        let delivery = hook.next().await;
        assert_eq!(delivery.text(), "1");
        delivery.answer_with(status, "", &[]);
    }
    hook.next().await.accept();
    let second = hook.next().await;
    assert_eq!(second.text(), "2");
    let info = fixture.call("getWebhookInfo", json!({})).await.result();
    assert_eq!(info["pending_update_count"], 1);
    let error = "Wrong response from the webhook: 500 Internal Server Error";
    assert_eq!(info["last_error_message"], error);
    assert!(info["last_error_date"].is_i64());
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let (fixture, mut hook) = (fixture().await, Hook::new().await);
    set(&fixture, &hook).await;
    fixture.say("1").await;
    let before = tokio::time::Instant::now();
    hook.next().await.answer_with(429, "", &[("retry-after", "1")]);
    assert_eq!(hook.next().await.text(), "1");
    assert!(before.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_webhook_that_cannot_be_reached_is_reported_and_tried_again() {
    let fixture = fixture().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    drop(listener);
    fixture.call("setWebhook", json!({"url": url})).await.result();
    fixture.say("1").await;
    let mut info = json!({});
    while info["last_error_message"].is_null() {
        info = fixture.call("getWebhookInfo", json!({})).await.result();
    }
    assert_eq!(info["last_error_message"], "Connection refused");
    assert_eq!(info["pending_update_count"], 1);
}

#[tokio::test]
async fn nothing_is_lost_between_webhook_and_polling() {
    let (fixture, mut hook) = (fixture().await, Hook::new().await);
    let said = fixture.say("before").await["update_id"].as_i64().unwrap();
    set(&fixture, &hook).await;
    let delivery = hook.next().await;
    assert_eq!(delivery.text(), "before");
    delivery.answer_with(500, "", &[]);
    fixture.say("during").await;
    let deleted = fixture.call("deleteWebhook", json!({})).await;
    assert_eq!(deleted.body["description"], "Webhook was deleted");
    let updates = fixture.updates(said).await;
    let texts: Vec<_> = updates.iter().map(|update| &update["message"]["text"]).collect();
    assert_eq!(texts, ["before", "during"]);
    let info = fixture.call("getWebhookInfo", json!({})).await.result();
    assert_eq!(info["url"], "");
}

#[tokio::test]
async fn pending_updates_can_be_dropped() {
    let fixture = fixture().await;
    fixture.say("1").await;
    let dropped = fixture.call("deleteWebhook", json!({"drop_pending_updates": true})).await;
    assert_eq!(dropped.body["description"], "Webhook is already deleted");
    assert!(fixture.updates(0).await.is_empty());
}

#[tokio::test]
async fn a_method_in_the_answer_is_executed() {
    let (fixture, mut hook) = (fixture().await, Hook::new().await);
    set(&fixture, &hook).await;
    fixture.say("1").await;
    let reply = json!({"method": "sendMessage", "chat_id": fixture.user, "text": "by reply"});
    let json = [("content-type", "application/json")];
    hook.next().await.answer_with(200, &reply.to_string(), &json);
    let call = fixture.called("sendMessage", 0).await.remove(0);
    assert_eq!((&call["via_webhook"], &call["ok"]), (&json!(true), &json!(true)));
    assert_eq!(fixture.chat().await["messages"][2]["text"], "by reply");
}

#[tokio::test]
async fn methods_that_only_ask_are_ignored_in_an_answer() {
    let (fixture, mut hook) = (fixture().await, Hook::new().await);
    set(&fixture, &hook).await;
    fixture.say("1").await;
    hook.next().await.answer_with(200, r#"{"method": "deleteWebhook"}"#, &[]);
    fixture.say("2").await;
    assert_eq!(hook.next().await.text(), "2");
}

#[tokio::test]
async fn webhook_settings_are_checked() {
    let fixture = fixture().await;
    for (params, expected) in [
        (json!({"url": "http://example.com/"}), "bad webhook: An HTTPS URL must be provided for webhook"),
        (json!({"url": "https://example.com:8444/"}), "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"),
        (json!({"url": "::"}), "bad webhook: invalid URL specified"),
        (json!({"url": "https://example.com/", "secret_token": "a b"}), "secret token contains unallowed characters"),
        (json!({"url": "https://example.com/", "secret_token": "a".repeat(257)}), "secret token is too long"),
    ] {
        let reply = fixture.call("setWebhook", params).await;
        reply.refused(400, &format!("Bad Request: {expected}"));
    }
    fixture.call("setWebhook", json!({"url": "https://example.com:8443/a"})).await.result();
    let info = fixture.call("getWebhookInfo", json!({})).await.result();
    let expected = json!({
        "url": "https://example.com:8443/a", "has_custom_certificate": false,
        "pending_update_count": 0, "max_connections": 40,
    });
    assert_eq!(info, expected);
}
