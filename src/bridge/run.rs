//! Puts the parts together, runs them, and stops them in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::calls::Calls;
use super::delivery::Deliveries;
use super::mailbox::Mailboxes;
use super::metrics::Metrics;
use super::outbox::Outbox;
use super::refusals;
use super::registry::Registry;
use super::session;
use super::status::{Lease, LeaseBoard, Nudges, Ready, Refreshes};
use super::writer::{self, LANES, Writer};
use crate::domain::Script;
use crate::ports::{Backend, Clock, Connect, Counts, Failure, Lane, Store};

/// How long a stop may take: what is under way is finished, what waits is written, then it ends.
const DRAIN: Duration = Duration::from_secs(10);
/// How long calls in flight may then take to end.
const GRACE: Duration = Duration::from_secs(5);
/// Taps that are being answered at the same time.
const TAPS: usize = 64;
/// Marks of seen updates are kept so long; Telegram keeps updates for one day.
const SEEN_HOURS: i64 = 72;

/// The world that the bridge runs in.
pub struct Parts {
    /// What survives.
    pub store: Arc<dyn Store>,
    /// Odoo.
    pub backend: Arc<dyn Backend>,
    /// Telegram.
    pub connect: Arc<dyn Connect>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Reads a bot's JSON that the store has kept.
    pub read_script: fn(&serde_json::Value) -> Result<Script, Failure>,
}

/// How the bridge presents itself.
#[derive(Clone, Debug)]
pub struct Settings {
    /// This process.
    pub instance: String,
    /// Where Odoo sends nudges; none: nowhere.
    pub nudge_url: Option<String>,
    /// The key that signs them, in hexadecimal.
    pub nudge_secret: String,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Asked to stop; everything was finished.
    Drained,
    /// Asked to stop; something had to be left for the next start.
    CutShort,
    /// Odoo refused for good at the start; the log says why.
    Refused,
}

/// What all parts share.
pub struct Shared {
    pub store: Arc<dyn Store>,
    pub backend: Arc<dyn Backend>,
    pub clock: Arc<dyn Clock>,
    pub settings: Settings,
    pub metrics: Arc<Metrics>,
    pub registry: Registry,
    pub mailboxes: Mailboxes,
    pub outbox: Outbox,
    pub writer: Writer,
    pub lease: LeaseBoard,
    pub nudges: Arc<Nudges>,
    pub ready: Arc<Ready>,
    pub refreshes: Refreshes,
    /// The store's era: chats of an earlier one are checked against Odoo at the next word.
    pub era: AtomicU32,
    /// Rings when the lease should be looked at now.
    pub session_bell: tokio::sync::Notify,
    pub tasks: TaskTracker,
    /// A token of it for everything that is under way between Telegram and the store: empty means that nothing can come of itself any more.
    pub busy: TaskTracker,
    /// Places for answers to taps.
    pub taps: Arc<tokio::sync::Semaphore>,
    /// No more updates are taken in.
    pub intake_stop: CancellationToken,
    /// Everything ends; calls in flight are waited for.
    pub stop: CancellationToken,
    /// Calls in flight are given up too.
    abandon: CancellationToken,
    polls: AtomicU64,
    read_script: fn(&serde_json::Value) -> Result<Script, Failure>,
}

impl Shared {
    /// Runs something beside everything else; it ends with the bridge at the latest.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let abandon = self.abandon.clone();
        self.tasks.spawn(async move { abandon.run_until_cancelled(work).await });
    }

    /// A number for a poll that brings something.
    pub fn next_poll(&self) -> u64 {
        self.polls.fetch_add(1, Ordering::Relaxed)
    }

    /// Publishes the lease.
    pub fn set_lease(&self, lease: Lease) {
        self.metrics.working.set(if lease.working { 1.0 } else { 0.0 });
        self.lease.set(lease);
    }

    /// The store's id.
    pub fn store_id(&self) -> String {
        self.store.identity().map(|identity| identity.store_id).unwrap_or_default()
    }

    /// Reads how much waits, for Odoo and for the metrics.
    pub fn note_counts(&self) -> Result<Counts, Failure> {
        let counts = self.store.counts()?;
        self.metrics.operations_waiting.set(i64::try_from(counts.operations).unwrap_or(i64::MAX));
        self.metrics.sends_waiting.set(i64::try_from(counts.sends).unwrap_or(i64::MAX));
        Ok(counts)
    }
}

/// The bridge, ready to run.
pub struct Bridge(Arc<Shared>);

impl Bridge {
    /// Puts it together. Nothing happens yet.
    pub fn new(parts: Parts, settings: Settings) -> Self {
        let era = parts.store.identity().map(|identity| identity.era).unwrap_or_default();
        let registry = Registry::new(parts.connect, parts.clock.clone());
        Self(Arc::new(Shared {
            store: parts.store,
            backend: parts.backend,
            clock: parts.clock,
            settings,
            metrics: Arc::default(),
            registry,
            mailboxes: Mailboxes::default(),
            outbox: Outbox::new(),
            writer: Writer::new(),
            lease: LeaseBoard::new(),
            nudges: Arc::default(),
            ready: Arc::default(),
            refreshes: Refreshes::default(),
            era: AtomicU32::new(era),
            session_bell: tokio::sync::Notify::new(),
            tasks: TaskTracker::new(),
            busy: TaskTracker::new(),
            taps: Arc::new(tokio::sync::Semaphore::new(TAPS)),
            intake_stop: CancellationToken::new(),
            stop: CancellationToken::new(),
            abandon: CancellationToken::new(),
            polls: AtomicU64::new(0),
            read_script: parts.read_script,
        }))
    }

    /// What all parts share, for the tests of one of them.
    #[cfg(test)]
    pub(super) fn shared(&self) -> Arc<Shared> {
        self.0.clone()
    }

    /// The counters.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.0.metrics.clone()
    }

    /// Where nudges are to be told.
    pub fn nudges(&self) -> Arc<Nudges> {
        self.0.nudges.clone()
    }

    /// Whether the bridge is ready.
    pub fn ready(&self) -> Arc<Ready> {
        self.0.ready.clone()
    }

    /// Where updates are to be brought that Telegram delivers.
    pub fn deliveries(&self) -> Deliveries {
        Deliveries::new(&self.0)
    }

    /// Where calls of Odoo's forms are to be brought.
    pub fn calls(&self) -> Calls {
        Calls::new(&self.0)
    }

    /// Runs until `asked` ends (or Odoo refuses at the start), then finishes what is under way.
    pub async fn run(self, asked: impl Future<Output = ()>) -> Ended {
        let shared = self.0;
        load_kept(&shared);
        refusals::take_up(&shared);
        for lane in 0..LANES {
            shared.spawn(until_stop(shared.stop.clone(), writer::work(shared.clone(), Lane(lane))));
        }
        shared.spawn(until_stop(shared.stop.clone(), housekeep(shared.clone())));
        let session = session::work(shared.clone());
        tokio::pin!(session, asked);
        tokio::select! {
            ended = &mut session => {
                stop(&shared).await;
                return ended;
            }
            () = &mut asked => {}
        }
        // The lease is kept while what waits is finished.
        tokio::select! {
            ended = drain(&shared) => ended,
            ended = session => {
                stop(&shared).await;
                ended
            }
        }
    }
}

/// Starts with the configuration that the store has kept: Odoo may be down.
fn load_kept(shared: &Arc<Shared>) {
    let kept = match shared.store.bots() {
        Ok(kept) => kept,
        Err(failure) => return tracing::error!(%failure, "the kept configuration cannot be read"),
    };
    let all: Vec<_> = kept.iter().map(|(id, _)| *id).collect();
    let scripts = kept.iter().filter_map(|(id, json)| match (shared.read_script)(json) {
        Ok(script) => Some(script),
        Err(failure) => {
            tracing::warn!(bot.id = %id, %failure, "a kept bot cannot be read; Odoo will be asked for it");
            None
        }
    });
    let difference = shared.registry.update(&all, scripts.collect());
    session::start(shared, difference);
}

/// Forgets what need not be known any more.
async fn housekeep(shared: Arc<Shared>) {
    loop {
        let before = shared.clock.now() - jiff::SignedDuration::from_hours(SEEN_HOURS);
        match shared.store.prune_seen(before).await {
            Ok(forgotten) => tracing::debug!(forgotten, "old marks of updates forgotten"),
            Err(failure) => tracing::warn!(%failure, "old marks of updates could not be forgotten"),
        }
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
}

async fn until_stop(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
}

/// Stops in order: no more updates; what is under way is finished; what waits is written; the end.
async fn drain(shared: &Arc<Shared>) -> Ended {
    tracing::info!("stopping: finishing what is under way");
    shared.intake_stop.cancel();
    let end = Instant::now() + DRAIN;
    // In this order: what is under way may still put something into the store. Messages that wait while nothing is under way are those of channels
    // that are switched off: they can wait longer.
    while !(shared.busy.is_empty() && shared.note_counts().is_ok_and(|counts| counts.operations == 0)) && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let ended_in_time = stop(shared).await;
    match shared.note_counts() {
        Ok(counts) if ended_in_time && counts.operations == 0 && counts.sends == 0 => {
            tracing::info!("stopped; nothing waits");
            return Ended::Drained;
        }
        Ok(counts) => tracing::warn!(counts.operations, counts.sends, "stopped; what waits is kept for the next start"),
        Err(failure) => tracing::warn!(%failure, "stopped; what waits cannot be counted"),
    }
    Ended::CutShort
}

/// Ends everything; false when something had to be given up. Nothing runs any more afterwards, so the store is free.
async fn stop(shared: &Shared) -> bool {
    shared.intake_stop.cancel();
    shared.stop.cancel();
    shared.tasks.close();
    let ended_in_time = timeout(GRACE, shared.tasks.wait()).await.is_ok();
    if !ended_in_time {
        tracing::warn!("some calls did not end in time; they are given up");
        shared.abandon.cancel();
        shared.tasks.wait().await;
    }
    ended_in_time
}
