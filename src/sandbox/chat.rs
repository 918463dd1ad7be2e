//! The private chat between one bot and one customer, as the customer sees it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;

use super::message::Message;
use super::options::Pace;

/// How long «typing…» is shown.
const TYPING: Duration = Duration::from_secs(5);

/// One chat.
#[derive(Debug)]
pub(crate) struct Chat {
    /// The customer wrote at least once; before that the bot may not.
    pub started: bool,
    /// The customer blocked the bot.
    pub blocked: bool,
    pub messages: BTreeMap<i64, Message>,
    last_id: i64,
    pub keyboard: Option<Keyboard>,
    /// The bot asked for a reply; the text is the placeholder.
    pub asks_reply: Option<String>,
    typing: Option<(String, Instant)>,
    pub toast: Option<Toast>,
    /// Counts changes; moves after each.
    pub seq: watch::Sender<u64>,
    allowance: Option<(f64, Instant)>,
}

/// The reply keyboard shown below the input.
#[derive(Clone, Debug)]
pub(crate) struct Keyboard {
    pub message_id: i64,
    pub markup: Value,
}

/// What the bot answered to the last pressed inline button.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Toast {
    pub callback_query_id: String,
    pub text: Option<String>,
    pub alert: bool,
    pub url: Option<String>,
}

impl Default for Chat {
    fn default() -> Self {
        Self {
            started: false,
            blocked: false,
            messages: BTreeMap::new(),
            last_id: 0,
            keyboard: None,
            asks_reply: None,
            typing: None,
            toast: None,
            seq: watch::Sender::new(0),
            allowance: None,
        }
    }
}

impl Chat {
    /// A message that was not deleted.
    pub fn message(&self, id: i64) -> Option<&Message> {
        self.messages.get(&id).filter(|message| !message.deleted)
    }

    /// Adds a message and gives it the next id.
    pub fn add(&mut self, mut message: Message) -> i64 {
        self.last_id += 1;
        message.id = self.last_id;
        message.seq = self.touch();
        self.typing = None;
        self.messages.insert(message.id, message);
        self.last_id
    }

    /// Changes a message that is there.
    pub fn change(&mut self, id: i64, change: impl FnOnce(&mut Message)) {
        let seq = self.touch();
        if let Some(message) = self.messages.get_mut(&id) {
            change(message);
            message.seq = seq;
        }
    }

    /// Deletes a message, and with it the keyboard it brought.
    pub fn delete(&mut self, id: i64) {
        if self.keyboard.as_ref().is_some_and(|keyboard| keyboard.message_id == id) {
            self.keyboard = None;
        }
        self.change(id, |message| message.deleted = true);
    }

    /// Says that the customer sees something new.
    pub fn touch(&self) -> u64 {
        self.seq.send_modify(|seq| *seq += 1);
        *self.seq.borrow()
    }

    pub fn type_now(&mut self, action: &str) {
        self.typing = Some((action.to_owned(), Instant::now()));
        self.touch();
    }

    /// What the bot is doing, for the few seconds it is shown.
    pub fn typing(&self) -> Option<&str> {
        self.typing.as_ref().filter(|(_, since)| since.elapsed() < TYPING).map(|(action, _)| action.as_str())
    }

    /// Takes one message of the allowance, or says in how many seconds there is one.
    pub fn allow(&mut self, pace: Pace) -> Result<(), u64> {
        let every = pace.every.as_secs_f64().max(f64::EPSILON);
        let (left, since) = self.allowance.unwrap_or((f64::from(pace.burst), Instant::now()));
        let left = (left + since.elapsed().as_secs_f64() / every).min(f64::from(pace.burst));
        let granted = left >= 1.0;
        self.allowance = Some((if granted { left - 1.0 } else { left }, Instant::now()));
        if granted {
            return Ok(());
        }
        // Whole seconds, rounded up: what Telegram says.
        let seconds = Duration::from_secs_f64((1.0 - left) * every);
        Err(seconds.as_secs() + 1)
    }
}
