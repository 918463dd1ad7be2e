//! A record of every Bot API call, in the order in which they were decided.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::watch;

use super::answer::Outcome;

/// One call and what became of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Call {
    pub seq: u64,
    pub bot: String,
    pub method: String,
    /// The customer concerned, if there is one.
    pub user: Option<i64>,
    pub params: Map<String, Value>,
    /// Microseconds since 1970 when the request had been read.
    pub at_us: i64,
    /// How long until it was decided.
    pub took_us: i64,
    /// Came as the answer to a webhook delivery.
    pub via_webhook: bool,
    /// The kind of the fault that was injected.
    pub fault: Option<String>,
    /// Whether the method did its work, whatever the bot was told.
    pub executed: bool,
    pub ok: bool,
    pub error_code: Option<u16>,
    pub description: Option<String>,
    pub result: Value,
}

impl Call {
    /// Writes what was decided.
    pub fn decide(&mut self, outcome: &Outcome) {
        self.took_us = super::message::now_us() - self.at_us;
        match outcome {
            Ok(success) => {
                self.ok = true;
                self.result = serde_json::from_str(&success.result).unwrap_or(Value::Null);
            }
            Err(failure) => {
                self.error_code = Some(failure.code);
                self.description = Some(failure.description.clone());
            }
        }
    }
}

/// The last calls.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    kept: VecDeque<Call>,
    /// The number of the last call; moves with each.
    pub last: watch::Sender<u64>,
}

/// Which calls are asked for.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub after: u64,
    pub bot: Option<String>,
    pub method: Option<String>,
    pub user: Option<i64>,
}

impl Calls {
    pub fn add(&mut self, mut call: Call, most: usize) {
        call.seq = *self.last.borrow() + 1;
        let seq = call.seq;
        self.kept.push_back(call);
        while self.kept.len() > most {
            self.kept.pop_front();
        }
        self.last.send_replace(seq);
    }

    pub fn find(&self, wanted: &Wanted) -> Vec<&Call> {
        let start = self.kept.partition_point(|call| call.seq <= wanted.after);
        self.kept.range(start..).filter(|call| wanted.fits(call)).collect()
    }
}

impl Wanted {
    fn fits(&self, call: &Call) -> bool {
        self.bot.as_ref().is_none_or(|bot| *bot == call.bot)
            && self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&call.method))
            && self.user.is_none_or(|user| call.user == Some(user))
    }
}
