//! A sandbox on a free port with one bot and one customer.

use std::time::Duration;

use chatbridge::sandbox::{BotSpec, Options, Sandbox};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub const TOKEN: &str = "42:AA-secret_1";
pub const BOT: &str = "shop_bot";

/// A running sandbox; it stops when dropped or by `stop`.
pub struct Fixture {
    pub url: String,
    pub client: reqwest::Client,
    pub user: i64,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

/// An answer of the Bot API.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub retry_after: Option<String>,
    pub body: Value,
}

impl Reply {
    /// The result of a call that must succeed.
    #[track_caller]
    pub fn result(self) -> Value {
        assert!(self.status == 200 && self.body["ok"] == true, "{self:?}");
        self.body["result"].clone()
    }

    /// Asserts a refusal, complete with its code.
    #[track_caller]
    pub fn refused(&self, code: u16, description: &str) {
        let expected = (code, json!(false), json!(code), json!(description));
        let found = (self.status, &self.body["ok"], &self.body["error_code"], &self.body["description"]);
        assert_eq!(found, (expected.0, &expected.1, &expected.2, &expected.3));
    }
}

impl Fixture {
    pub async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        let bot = BotSpec { token: TOKEN.to_owned(), username: BOT.to_owned(), first_name: "Shop".to_owned() };
        let sandbox = Sandbox::bind(Options { bots: vec![bot], ..options }).await.unwrap();
        let (url, (stop, stopped)) = (sandbox.url(), oneshot::channel());
        let server = tokio::spawn(sandbox.serve(async {
            let _ = stopped.await;
        }));
        let client = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).timeout(Duration::from_secs(20)).build().unwrap();
        let mut fixture = Self { url, client, user: 0, stop: Some(stop), server };
        fixture.user = fixture.customer("Олена").await;
        fixture
    }

    /// With a chat that the customer began; its first update is already confirmed.
    pub async fn begun() -> Self {
        let fixture = Self::new().await;
        fixture.begin().await;
        fixture
    }

    pub async fn begin(&self) {
        let said = self.say("/start").await;
        let offset = said["update_id"].as_i64().unwrap() + 1;
        self.call("getUpdates", json!({"offset": offset})).await.result();
    }

    pub async fn customer(&self, first_name: &str) -> i64 {
        let made = self.control("customers", json!({"first_name": first_name})).await;
        made["id"].as_i64().unwrap()
    }

    /// Ends the sandbox and waits for it.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        self.server.await.unwrap();
    }

    /// A Bot API call with a JSON body.
    pub async fn call(&self, method: &str, params: Value) -> Reply {
        self.try_call(method, params).await.unwrap()
    }

    pub async fn try_call(&self, method: &str, params: Value) -> reqwest::Result<Reply> {
        let url = format!("{}/bot{TOKEN}/{method}", self.url);
        reply(self.client.post(url).json(&params).send().await?).await
    }

    /// Starts a long poll; returns when the sandbox holds it.
    pub async fn long_poll(&self, params: Value) -> JoinHandle<Reply> {
        let url = format!("{}/bot{TOKEN}/getUpdates", self.url);
        let request = self.client.post(url).json(&params);
        let poll = tokio::spawn(async move { reply(request.send().await.unwrap()).await.unwrap() });
        while self.look("bots").await["bots"][0]["polling"] == 0 {}
        poll
    }

    pub async fn send(&self, text: &str) -> Reply {
        self.call("sendMessage", json!({"chat_id": self.user, "text": text})).await
    }

    /// Sends with further parameters.
    pub async fn send_with(&self, text: &str, more: Value) -> Reply {
        let mut params = json!({"chat_id": self.user, "text": text});
        for (key, value) in more.as_object().unwrap() {
            params[key] = value.clone();
        }
        self.call("sendMessage", params).await
    }

    /// Updates from `offset` on, without waiting.
    pub async fn updates(&self, offset: i64) -> Vec<Value> {
        let result = self.call("getUpdates", json!({"offset": offset})).await.result();
        result.as_array().unwrap().clone()
    }

    /// A control request that must succeed.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.try_control(path, body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub async fn try_control(&self, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/sandbox/{path}", self.url);
        let response = self.client.post(url).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// A control question that must be answered.
    pub async fn look(&self, path: &str) -> Value {
        let url = format!("{}/sandbox/{path}", self.url);
        let response = self.client.get(url).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    pub async fn chat(&self) -> Value {
        self.look(&format!("chat?bot={BOT}&user={}", self.user)).await
    }

    pub async fn say(&self, text: &str) -> Value {
        self.control("say", json!({"bot": BOT, "user": self.user, "text": text})).await
    }

    pub async fn tap(&self, message_id: &Value, data: &str) -> Value {
        let tap = json!({"bot": BOT, "user": self.user, "message_id": message_id, "data": data});
        self.control("tap", tap).await
    }

    /// Waits for a recorded call of `method` after `after`.
    pub async fn called(&self, method: &str, after: u64) -> Vec<Value> {
        let found = self.look(&format!("calls?bot={BOT}&method={method}&after={after}&wait=10")).await;
        found["calls"].as_array().unwrap().clone()
    }
}

/// Reads an answer of the Bot API.
pub async fn reply(response: reqwest::Response) -> reqwest::Result<Reply> {
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    Ok(Reply { status, retry_after, body: response.json().await? })
}

/// An inline keyboard with one button.
pub fn inline(text: &str, data: &str) -> Value {
    json!({"inline_keyboard": [[{"text": text, "callback_data": data}]]})
}
