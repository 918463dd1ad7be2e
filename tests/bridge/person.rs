//! A customer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chatbridge::domain::{ChannelId, ChatId, ChatKey};
use serde_json::{Value, json};

use super::bot;
use super::telegram::Telegram;

#[derive(Clone)]
pub struct Person {
    pub telegram: Arc<Telegram>,
    pub bot: String,
    pub id: i64,
}

impl Person {
    /// Writes to the bot; the number of the update.
    pub async fn say(&self, text: &str) -> i64 {
        self.telegram.control("say", json!({"bot": self.bot, "user": self.id, "text": text})).await["update_id"].as_i64().unwrap()
    }

    pub async fn block(&self, blocked: bool) {
        self.telegram.control("block", json!({"bot": self.bot, "user": self.id, "blocked": blocked})).await;
    }

    /// The chat in the first channel.
    pub fn chat(&self) -> ChatKey {
        ChatKey { channel: ChannelId(bot::CHANNEL), chat: ChatId(self.id) }
    }

    async fn look(&self, after: u64, wait: u64) -> Value {
        self.telegram.look(&format!("chat?bot={}&user={}&after={after}&wait={wait}", self.bot, self.id)).await
    }

    /// What the bot has said until now.
    pub async fn heard(&self) -> Vec<String> {
        answers(&self.look(0, 0).await)
    }

    /// Waits until the bot has said so much; gives all of it.
    pub async fn hears(&self, count: usize) -> Vec<String> {
        let begun = Instant::now();
        loop {
            let chat = self.look(0, 0).await;
            let heard = answers(&chat);
            if heard.len() >= count {
                return heard;
            }
            // Shorter than the pauses of those who probe a refused token.
            assert!(begun.elapsed() < Duration::from_secs(20), "waited for {count} answers, heard {heard:?}");
            self.look(chat["seq"].as_u64().unwrap(), 5).await;
        }
    }

    /// A fault that meets only what concerns this person.
    pub async fn fault(&self, mut fault: Value) {
        fault["user"] = self.id.into();
        fault["method"] = "sendMessage".into();
        self.telegram.fault(fault).await;
    }

    /// The calls that sent, or tried to send, this person something: text and fault.
    pub async fn tries(&self) -> Vec<(String, Option<String>)> {
        let calls = self.telegram.look(&format!("calls?method=sendMessage&user={}", self.id)).await;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        calls["calls"].as_array().unwrap().iter().map(|call| (text(&call["params"]["text"]).unwrap(), text(&call["fault"]))).collect()
    }
}

fn answers(chat: &Value) -> Vec<String> {
    let messages = chat["messages"].as_array().unwrap().iter();
    messages.filter(|message| message["from"] == "bot").map(|message| message["text"].as_str().unwrap().to_owned()).collect()
}
