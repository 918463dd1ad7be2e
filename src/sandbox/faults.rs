//! Faults that tests put in the way of calls.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::answer::Failure;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    RateLimited,
    ServerError,
    #[serde(rename = "html_502")]
    Html502,
    TimeOutBefore,
    TimeOutAfter,
    Blocked,
    BadRequest,
    Unauthorized,
    MalformedJson,
    /// Nothing but `delay_ms`.
    Slow,
}

/// A fault and the calls it is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    #[serde(default, skip_deserializing)]
    pub id: u64,
    pub kind: Kind,
    /// Only calls of this bot (username or id).
    pub bot: Option<String>,
    /// Only this method.
    pub method: Option<String>,
    /// Only calls that concern this customer.
    pub user: Option<i64>,
    /// How many calls are still to fail.
    #[serde(default = "once")]
    pub times: u64,
    pub retry_after: Option<u64>,
    /// How long the answer, or the end of the connection, is held back.
    pub delay_ms: Option<u64>,
    /// The text of a `bad_request`.
    pub description: Option<String>,
}

fn once() -> u64 {
    1
}

/// How long a time-out is held when the fault does not say: longer than any client waits.
const HOLD: Duration = Duration::from_secs(600);

impl Fault {
    /// Whether the method does its work.
    pub fn executes(&self) -> bool {
        matches!(self.kind, Kind::TimeOutAfter | Kind::MalformedJson | Kind::Slow)
    }

    /// Whether the connection ends without an answer.
    pub fn drops(&self) -> bool {
        matches!(self.kind, Kind::TimeOutBefore | Kind::TimeOutAfter)
    }

    pub fn delay(&self) -> Duration {
        match self.delay_ms {
            Some(ms) => Duration::from_millis(ms),
            None if self.drops() => HOLD,
            None => Duration::ZERO,
        }
    }

    /// The refusal this fault answers, if it answers one.
    pub fn failure(&self) -> Failure {
        match self.kind {
            Kind::RateLimited => Failure::too_many(self.retry_after.unwrap_or(1)),
            Kind::Blocked => Failure::forbidden("bot was blocked by the user"),
            Kind::BadRequest => Failure::bad(self.description.as_deref().unwrap_or("injected by a fault")),
            Kind::Unauthorized => Failure::unauthorized(),
            Kind::Html502 => Failure::new(502, "Bad Gateway"),
            Kind::TimeOutBefore => Failure::new(504, "held back, not executed"),
            Kind::ServerError | Kind::TimeOutAfter | Kind::MalformedJson | Kind::Slow => Failure::new(500, "Internal Server Error"),
        }
    }
}

/// The faults in force, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub list: Vec<Fault>,
    last: u64,
}

impl Faults {
    pub fn add(&mut self, mut fault: Fault) -> u64 {
        self.last += 1;
        fault.id = self.last;
        self.list.push(fault);
        self.last
    }

    /// Takes one use of the first fault that fits.
    pub fn take(&mut self, bot: &super::bot::Bot, method: &str, user: Option<i64>) -> Option<Fault> {
        let fits = |fault: &Fault| {
            fault.times > 0
                && fault.bot.as_ref().is_none_or(|name| bot.is_called(name))
                && fault.method.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(method))
                && (fault.user.is_none() || fault.user == user)
        };
        let found = self.list.iter_mut().find(|fault| fits(fault))?;
        found.times -= 1;
        let taken = found.clone();
        self.list.retain(|fault| fault.times > 0);
        Some(taken)
    }
}
