//! One way to fail, for all adapters: what kind, whether it may have happened, and when to try again.

use std::fmt;
use std::time::Duration;

/// The kinds of failure; what to do about it follows from the kind alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It may work later: network, server error, restart. Retried with growing pauses.
    Transient,
    /// Told to wait. Retried after `retry_after`.
    RateLimited,
    /// A rule says no; the reason may be shown to people. Not retried.
    Refused,
    /// Credentials or rights are missing. Probed slowly.
    Denied,
    /// Somebody else holds the lease or polls the bot. The claim is to be renewed.
    Lost,
    /// The other person is gone: blocked the bot, deleted the chat. Not retried.
    Gone,
    /// What came cannot be understood. Put aside, not retried.
    Malformed,
    /// A mistake of ours, or one that nobody has named. Put aside, not retried.
    Bug,
}

/// Did it happen? Only what certainly did not may be repeated without a key that makes repeating harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Certainly not.
    NotDone,
    /// It may have.
    Unknown,
}

/// A failure as the rest of the bridge sees it. `reason` is safe to log: adapters keep bodies, tokens and phone numbers out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The kind.
    pub class: Class,
    /// Did it happen?
    pub certainty: Certainty,
    /// How long to wait, where we were told.
    pub retry_after: Option<Duration>,
    /// What went wrong: one line, for logs and (when `Refused`) for people.
    pub reason: String,
}

impl Failure {
    /// A failure that certainly had no effect.
    pub fn new(class: Class, reason: impl Into<String>) -> Self {
        Self { class, certainty: Certainty::NotDone, retry_after: None, reason: reason.into() }
    }

    /// The same failure, but it may have had its effect.
    pub fn uncertain(mut self) -> Self {
        self.certainty = Certainty::Unknown;
        self
    }

    /// The same failure, to be tried again after this time.
    pub fn after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    /// May it work later by itself?
    pub fn is_temporary(&self) -> bool {
        matches!(self.class, Class::Transient | Class::RateLimited)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Failure {}
