//! Whether the bridge may work, and how it tells others.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, oneshot, watch};

use crate::ports::{Claim, Class, Failure, Readiness};

/// The lease as the parts of the bridge see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// Sending and taking in is allowed.
    pub working: bool,
    /// What to show to Odoo; none while Odoo has not been reached.
    pub claim: Option<Claim>,
    /// Odoo does not answer at the moment.
    pub away: bool,
}

/// Publishes the lease.
pub struct LeaseBoard(watch::Sender<Lease>);

impl LeaseBoard {
    /// Nothing is allowed yet.
    pub fn new() -> Self {
        Self(watch::Sender::new(Lease::default()))
    }

    /// Publishes a change.
    pub fn set(&self, lease: Lease) {
        self.0.send_if_modified(|old| {
            let changed = *old != lease;
            *old = lease;
            changed
        });
    }

    /// Is work allowed now?
    pub fn working(&self) -> bool {
        self.0.borrow().working
    }

    /// Does Odoo not answer at the moment?
    pub fn is_away(&self) -> bool {
        self.0.borrow().away
    }

    /// Is the lease held, and Odoo there?
    pub fn held(&self) -> bool {
        self.0.borrow().working && self.0.borrow().claim.is_some()
    }

    /// Waits until work is allowed.
    pub async fn until_working(&self) {
        // The sender lives in `self`: the wait cannot end with an error.
        let _ = self.0.subscribe().wait_for(|lease| lease.working).await;
    }

    /// Waits until work is not allowed any more.
    pub async fn until_stopped(&self) {
        let _ = self.0.subscribe().wait_for(|lease| !lease.working).await;
    }

    /// Waits for a claim other than `stale`.
    pub async fn claim(&self, stale: Option<&Claim>) -> Claim {
        let mut board = self.0.subscribe();
        let fresh = board.wait_for(|lease| lease.claim.is_some() && lease.claim.as_ref() != stale).await;
        fresh.ok().and_then(|lease| lease.claim.clone()).expect("waited for it")
    }
}

/// Nudges from Odoo: something happened there.
#[derive(Default)]
pub struct Nudges {
    bell: Notify,
    arriving: AtomicBool,
}

impl Nudges {
    /// One arrived.
    pub fn ring(&self) {
        self.arriving.store(true, Ordering::Relaxed);
        self.bell.notify_one();
    }

    /// Do they arrive? No until the first, and again no after one was missed.
    pub fn arriving(&self) -> bool {
        self.arriving.load(Ordering::Relaxed)
    }

    /// One was missed: a poll found what no nudge announced.
    pub fn missed(&self) {
        self.arriving.store(false, Ordering::Relaxed);
    }

    /// Waits for the next; one that came since the last wait counts.
    pub async fn wait(&self) {
        self.bell.notified().await;
    }
}

/// Has the session read the configuration now, for somebody who waits for that.
#[derive(Default)]
pub struct Refreshes {
    bell: Notify,
    askers: Mutex<Vec<oneshot::Sender<Result<(), Failure>>>>,
}

impl Refreshes {
    /// Waits until the configuration has been read, or could not be.
    pub async fn ask(&self) -> Result<(), Failure> {
        let (asker, answer) = oneshot::channel();
        self.askers.lock().expect("no holder panics").push(asker);
        self.bell.notify_one();
        answer.await.unwrap_or_else(|_| Err(Failure::new(Class::Lost, "the lease was lost meanwhile")))
    }

    /// Waits until somebody asks.
    pub async fn wait(&self) {
        self.bell.notified().await;
    }

    /// Tells those who ask.
    pub fn answer(&self, outcome: &Result<(), Failure>) {
        for asker in std::mem::take(&mut *self.askers.lock().expect("no holder panics")) {
            // Who has gone need not be told.
            let _ = asker.send(outcome.clone());
        }
    }
}

/// What `/readyz` says.
pub struct Ready(Mutex<(bool, String)>);

impl Ready {
    /// Not ready yet.
    pub fn new() -> Self {
        Self(Mutex::new((false, "starting".to_owned())))
    }

    /// Publishes a state: ready or not, and one line that says why.
    pub fn set(&self, ready: bool, line: impl Into<String>) {
        *self.0.lock().expect("no holder panics") = (ready, line.into());
    }

    /// The state.
    pub fn get(&self) -> (bool, String) {
        self.0.lock().expect("no holder panics").clone()
    }
}

impl Default for Ready {
    fn default() -> Self {
        Self::new()
    }
}

/// What a readiness means for the line that people read.
pub fn line_of(status: Readiness) -> &'static str {
    match status {
        Readiness::Ready => "working",
        Readiness::Standby => "another bridge is working; waiting",
        Readiness::Confirm => "waiting for an administrator to confirm this bridge in Odoo (Chatbot, Settings, Bridge)",
    }
}
