//! How an intake is called from outside: to hurry, or to look at everything and say what it found.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use tokio::sync::{Notify, oneshot, watch};

/// What came of looking at a channel: *Refresh hook* shows it on the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// All is right.
    pub ok: bool,
    /// What Telegram says, or what is wrong and what to do.
    pub answer: String,
    /// Who the token belongs to, where Telegram said so.
    pub username: Option<String>,
}

impl Checked {
    /// It is not right, for this reason.
    pub fn wrong(answer: impl Into<String>) -> Self {
        Self { ok: false, answer: answer.into(), username: None }
    }
}

/// Who waits for an answer.
pub type Asker = oneshot::Sender<Checked>;

/// The bell of one channel.
#[derive(Default)]
pub struct Bell {
    intake: Notify,
    /// Counts, so that a message that is just being tried hears of it too.
    sends: watch::Sender<u64>,
    wish: Mutex<Wish>,
}

/// What is wished of an intake.
#[derive(Default)]
pub struct Wish {
    /// Not to wait any longer.
    pub hurry: bool,
    /// To look at everything, and tell these.
    pub askers: Vec<Asker>,
}

impl Bell {
    /// Nobody is to wait any longer: not the intake for its next try, not messages for theirs.
    pub fn hurry(&self) {
        self.wish().hurry = true;
        self.intake.notify_one();
        self.sends.send_modify(|rung| *rung += 1);
    }

    /// Has the channel looked at; the answer comes when that is done, or an error when the channel stops before.
    pub fn ask(&self) -> oneshot::Receiver<Checked> {
        let (asker, answer) = oneshot::channel();
        self.wish().askers.push(asker);
        self.hurry();
        answer
    }

    /// What has been wished since the last time; the intake is not called for it again.
    pub fn take(&self) -> Wish {
        // A call that comes in between stands for a wish that is taken below or comes later: none is lost.
        let _ = self.intake.notified().now_or_never();
        std::mem::take(&mut self.wish())
    }

    fn wish(&self) -> MutexGuard<'_, Wish> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the intake is called.
    pub async fn for_the_intake(&self) {
        self.intake.notified().await;
    }

    /// How often messages have been told to hurry.
    pub fn rung(&self) -> u64 {
        *self.sends.borrow()
    }

    /// Waits until messages have been told to hurry more often than that.
    pub async fn for_sends(&self, since: u64) {
        // The sender lives in `self`: the wait cannot end with an error.
        let _ = self.sends.subscribe().wait_for(|rung| *rung > since).await;
    }
}
