//! A pressed inline button that waits for `answerCallbackQuery`.

use std::time::{Duration, Instant};

/// One callback query.
#[derive(Debug)]
pub(crate) struct Query {
    pub user: i64,
    pub asked: Instant,
    pub answered: bool,
}

impl Query {
    pub fn new(user: i64) -> Self {
        Self { user, asked: Instant::now(), answered: false }
    }

    /// Whether an answer still counts.
    pub fn open(&self, age: Duration) -> bool {
        !self.answered && self.asked.elapsed() <= age
    }
}
