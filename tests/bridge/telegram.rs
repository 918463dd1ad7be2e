//! The sandbox, and how tests act in it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chatbridge::sandbox::{BotSpec, Options, Sandbox};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::person::Person;
use super::{bot, time};

pub struct Telegram {
    pub url: String,
    client: reqwest::Client,
    server: JoinHandle<()>,
}

impl Telegram {
    pub async fn open() -> Arc<Self> {
        let spec = BotSpec { token: bot::TOKEN.to_owned(), username: bot::NAME.to_owned(), first_name: "Shop".to_owned() };
        let sandbox = Sandbox::bind(Options { bots: vec![spec], ..Options::default() }).await.unwrap();
        let url = sandbox.url();
        let server = tokio::spawn(sandbox.serve(std::future::pending()));
        let client = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).build().unwrap();
        Arc::new(Self { url, client, server })
    }

    /// A customer who talks to the bot of the tests.
    pub async fn person(self: &Arc<Self>, first_name: &str) -> Person {
        self.person_of(bot::NAME, first_name).await
    }

    pub async fn person_of(self: &Arc<Self>, bot: &str, first_name: &str) -> Person {
        let made = self.control("customers", json!({"first_name": first_name})).await;
        Person { telegram: self.clone(), bot: bot.to_owned(), id: made["id"].as_i64().unwrap() }
    }

    /// A control request that must succeed.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let response = self.client.post(format!("{}/sandbox/{path}", self.url)).json(&body).send().await.unwrap();
        let (status, answer) = (response.status(), response.json::<Value>().await.unwrap());
        assert!(status.is_success(), "{path}: {answer}");
        answer
    }

    pub async fn look(&self, path: &str) -> Value {
        self.client.get(format!("{}/sandbox/{path}", self.url)).send().await.unwrap().json().await.unwrap()
    }

    /// A method of the Bot API, called by somebody else who has the token.
    pub async fn call(&self, method: &str, params: Value) -> Value {
        let url = format!("{}/bot{}/{method}", self.url, bot::TOKEN);
        self.client.post(url).json(&params).send().await.unwrap().json().await.unwrap()
    }

    pub async fn fault(&self, fault: Value) {
        self.control("faults", fault).await;
    }

    pub async fn mend(&self) {
        self.client.delete(format!("{}/sandbox/faults", self.url)).send().await.unwrap();
    }

    /// Every call of a method until now.
    pub async fn calls(&self, method: &str) -> Vec<Value> {
        self.look(&format!("calls?method={method}")).await["calls"].as_array().unwrap().clone()
    }

    /// The number of the last call.
    pub async fn last_call(&self) -> u64 {
        self.look("calls?method=none").await["seq"].as_u64().unwrap()
    }

    /// Waits until the bot has called a method after `after`.
    pub async fn until_called(&self, method: &str, after: u64) -> Value {
        let begun = Instant::now();
        loop {
            let found = self.look(&format!("calls?method={method}&after={after}&wait=5")).await;
            if let Some(call) = found["calls"].as_array().unwrap().first() {
                return call.clone();
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{method} was not called");
        }
    }

    /// The bot as the sandbox sees it.
    pub async fn bot(&self, username: &str) -> Value {
        let bots = self.look("bots").await;
        bots["bots"].as_array().unwrap().iter().find(|bot| bot["username"] == username).unwrap().clone()
    }

    /// Waits until every update of a bot is confirmed.
    pub async fn until_confirmed(&self, username: &str) {
        let begun = Instant::now();
        while self.bot(username).await["pending_update_count"] != 0 {
            assert!(begun.elapsed() < Duration::from_secs(20), "updates wait for {username}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// The same, while time flies.
    pub async fn confirmed_in_time(&self, username: &str) {
        let begun = Instant::now();
        while self.bot(username).await["pending_update_count"] != 0 {
            assert!(begun.elapsed() < Duration::from_secs(20), "updates wait for {username}");
            time::pass(Duration::from_secs(1)).await;
        }
    }
}

impl Drop for Telegram {
    fn drop(&mut self) {
        self.server.abort();
    }
}
