//! The lease: shaking hands with Odoo, the heartbeat, and what Odoo tells us.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::courier::{Courier, Settled};
use super::looks::{Look, Looks};
use super::pause::Pauses;
use super::run::{Ended, Shared};
use super::sorting::{ours, unless_lost, wants_configuration};
use super::status::{Lease, line_of};
use super::{calls, intake, registry::Difference};
use crate::domain::EventId;
use crate::ports::{BackendEvent, Change, Claim, Class, EventKind, Failure, Heartbeat, Hello, Readiness, StoreIdentity, Welcome};

/// The protocol that this bridge speaks.
pub const PROTOCOL: u32 = 2;
/// The series of Odoo that it works with.
const SERIES: std::ops::RangeInclusive<u32> = 14..=19;
/// Between heartbeats.
const BEAT: Duration = Duration::from_secs(10);
/// Between polls for events while nudges don't arrive, and while they do.
const POLL_BUSY: Duration = Duration::from_secs(1);
const POLL_CALM: Duration = Duration::from_secs(15);
/// Between tries while Odoo refuses the password: more would lock the user out.
const PROBE: Duration = Duration::from_secs(30);
/// Between handshakes while another bridge works, or an administrator is awaited.
const WAIT: Duration = Duration::from_secs(3);
/// Events taken at a time.
const EVENTS: u32 = 200;

/// Keeps the session until the bridge stops. Ends early only when Odoo refuses for good at the first handshake.
pub async fn work(shared: Arc<Shared>) -> Ended {
    let mut pauses = Pauses::new(Duration::from_millis(500), Duration::from_secs(15));
    let mut first = true;
    loop {
        match shake(&shared).await {
            Ok(welcome) if welcome.status == Readiness::Ready => {
                first = false;
                let begun = Instant::now();
                let lost = serve(&shared, &welcome).await;
                tracing::warn!(failure = %lost, "the lease is lost");
                if begun.elapsed() >= BEAT {
                    pauses.reset();
                } else {
                    // Two bridges on copies of one store would take the lease from each other without end.
                    tokio::time::sleep(pauses.after(&lost)).await;
                }
            }
            Ok(welcome) => {
                first = false;
                hold(&shared, &welcome).await;
                tokio::time::sleep(WAIT).await;
            }
            Err(failure) if first && !failure.is_temporary() && failure.class != Class::Lost => {
                tracing::error!("{failure}");
                return Ended::Refused;
            }
            Err(failure) => {
                go_on_without(&shared, &failure);
                first = first && !shared.lease.working();
                let pause = if failure.class == Class::Denied { PROBE } else { pauses.after(&failure) };
                tokio::time::sleep(pause).await;
            }
        }
    }
}

async fn shake(shared: &Shared) -> Result<Welcome, Failure> {
    let identity = shared.store.identity()?;
    let hello = Hello {
        protocol: PROTOCOL,
        bridge_version: env!("CARGO_PKG_VERSION").to_owned(),
        instance: shared.settings.instance.clone(),
        store_id: identity.store_id.clone(),
        database_uuid: identity.database_uuid.clone(),
        nonce: identity.nonce.clone(),
        nudge_url: shared.settings.nudge_url.clone(),
        nudge_secret: shared.settings.nudge_secret.clone(),
        clock: shared.clock.now(),
    };
    let welcome = shared.backend.handshake(&hello).await?;
    check_series(&welcome)?;
    if welcome.status == Readiness::Ready {
        let identity = renewed(identity, &welcome);
        shared.era.store(identity.era, Ordering::Relaxed);
        shared.store.commit(Change { identity: Some(identity), ..Change::default() }).await?;
    }
    Ok(welcome)
}

/// Odoo's series must be one that addon and bridge were made for.
pub fn check_series(welcome: &Welcome) -> Result<(), Failure> {
    let major = welcome.series.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| SERIES.contains(&major)) {
        return Ok(());
    }
    let (first, last) = (SERIES.start(), SERIES.end());
    Err(Failure::new(Class::Refused, format!("this is Odoo {}; Chatbridge works with {first}.0 to {last}.0: update the bridge", welcome.series)))
}

/// What ties the store to the database from now on. A new epoch (an administrator has confirmed that the two belong together) begins a new era.
fn renewed(old: StoreIdentity, welcome: &Welcome) -> StoreIdentity {
    let era = if old.epoch == welcome.epoch { old.era } else { old.era + 1 };
    StoreIdentity {
        store_id: old.store_id,
        database_uuid: Some(welcome.database_uuid.clone()),
        nonce: Some(welcome.nonce.clone()),
        epoch: welcome.epoch.clone(),
        era,
        held: false,
    }
}

/// Odoo wants us to wait: nothing is taken in or sent.
async fn hold(shared: &Shared, welcome: &Welcome) {
    let line = line_of(welcome.status);
    if shared.ready.get().1 != line {
        tracing::warn!(reason = %welcome.sentence, "{line}");
    }
    shared.ready.set(false, line);
    shared.set_lease(Lease::default());
    remember_to_wait(shared).await;
}

/// Keeps in the store that Odoo wants us to wait: else the next outage of Odoo would let us go on.
async fn remember_to_wait(shared: &Shared) {
    let identity = shared.store.identity().ok().filter(|identity| !identity.held);
    let Some(identity) = identity else { return };
    let change = Change { identity: Some(StoreIdentity { held: true, ..identity }), ..Change::default() };
    if let Err(failure) = shared.store.commit(change).await {
        tracing::error!(%failure, "the store could not be written");
    }
}

/// Odoo can't be reached. A store that belongs to a database goes on with the dialogs; a new one has to wait.
fn go_on_without(shared: &Shared, failure: &Failure) {
    let known = shared.store.identity().is_ok_and(|identity| identity.nonce.is_some() && !identity.held);
    let line = format!("Odoo cannot be reached: {failure}");
    if shared.ready.get().1 != line {
        tracing::warn!(class = ?failure.class, "{line}; {}", if known { "dialogs go on, writes wait" } else { "waiting for it" });
    }
    shared.ready.set(known, line);
    if known && failure.is_temporary() {
        shared.set_lease(Lease { working: true, claim: None, away: true });
    }
}

/// Works with the lease until it is lost; how that was told.
async fn serve(shared: &Arc<Shared>, welcome: &Welcome) -> Failure {
    tracing::info!(odoo.series = %welcome.series, addon = %welcome.addon_version, generation = welcome.generation, "connected to Odoo");
    let claim = Claim { store_id: shared.store_id(), generation: welcome.generation };
    let courier = Courier::new(shared.clone());
    let mut held = Held {
        shared: shared.clone(),
        claim: claim.clone(),
        nonce: welcome.nonce.clone(),
        current: false,
        poll: Instant::now(),
        kept: HashSet::new(),
        courier,
        looks: Looks::new(),
    };
    match held.refresh().await {
        Err(failure) if failure.class == Class::Lost => return failure,
        Err(failure) => tracing::warn!(%failure, "the configuration could not be read; trying again"),
        Ok(()) => {}
    }
    shared.set_lease(Lease { working: true, claim: Some(claim), away: false });
    shared.ready.set(true, line_of(Readiness::Ready));
    let lost = held.keep().await;
    // First of all: the store may take its time.
    shared.set_lease(Lease::default());
    shared.ready.set(false, "renewing the lease");
    remember_to_wait(shared).await;
    lost
}

struct Held {
    shared: Arc<Shared>,
    claim: Claim,
    nonce: String,
    /// The configuration has been read since the handshake.
    current: bool,
    /// When to look for events without a nudge.
    poll: Instant,
    /// Events of the last look that concern no chat and wait in Odoo.
    kept: HashSet<EventId>,
    courier: Courier,
    looks: Looks,
}

impl Held {
    /// Heartbeats and events, until the lease is lost.
    async fn keep(&mut self) -> Failure {
        let mut beat = Instant::now();
        let mut trouble = false;
        loop {
            let shared = self.shared.clone();
            let outcome = tokio::select! {
                biased;
                () = shared.session_bell.notified() => self.beat().await,
                () = sleep_until(beat) => {
                    beat = Instant::now() + BEAT;
                    self.beat().await
                }
                () = shared.registry.changed.notified() => self.beat().await,
                settled = self.courier.settled() => self.acknowledge(settled).await,
                look = self.looks.ended() => self.looked_at(look).await,
                () = shared.refreshes.wait() => self.refresh_for_somebody().await,
                () = shared.nudges.wait() => self.events(true).await,
                () = sleep_until(self.poll) => {
                    self.poll = Instant::now() + if shared.nudges.arriving() { POLL_CALM } else { POLL_BUSY };
                    self.events(false).await
                }
            };
            match outcome {
                Ok(()) if trouble => {
                    trouble = false;
                    self.shared.ready.set(true, line_of(Readiness::Ready));
                    self.shared.set_lease(Lease { working: true, claim: Some(self.claim.clone()), away: false });
                    tracing::info!("Odoo answers again");
                }
                Ok(()) => {}
                Err(failure) if failure.class == Class::Lost => return failure,
                Err(failure) => {
                    if !trouble {
                        go_on_without(&self.shared, &failure);
                        self.shared.set_lease(Lease { working: true, claim: Some(self.claim.clone()), away: true });
                    }
                    trouble = true;
                    self.poll = Instant::now() + if failure.class == Class::Denied { PROBE } else { POLL_BUSY };
                    beat = beat.max(self.poll);
                }
            }
        }
    }

    async fn beat(&self) -> Result<(), Failure> {
        let counts = self.shared.note_counts()?;
        let status = Heartbeat {
            nonce: self.nonce.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            operations_waiting: counts.operations,
            operations_refused: counts.parked,
            sends_waiting: counts.sends,
            nudges: self.shared.nudges.arriving(),
            channels: self.shared.registry.statuses(),
        };
        let pulse = self.shared.backend.heartbeat(&self.claim, &status).await?;
        match pulse.status {
            Readiness::Ready => Ok(()),
            other => Err(Failure::new(Class::Lost, line_of(other))),
        }
    }

    /// Takes what happened in Odoo, until nothing new is left. A configuration that can't be read holds up no chat: what tells of it waits in Odoo, and the
    /// failure is given afterwards.
    async fn events(&mut self, mut nudged: bool) -> Result<(), Failure> {
        let mut read = Ok(());
        if !self.current {
            read = unless_lost(self.refresh().await)?;
        }
        loop {
            let kept = u32::try_from(self.kept.len()).unwrap_or(u32::MAX);
            let limit = EVENTS.saturating_add(self.courier.waiting()).saturating_add(kept);
            let events = self.shared.backend.events(&self.claim, limit).await?;
            let more = events.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
            let new = events.iter().any(|event| !self.courier.knows(event.id) && !self.kept.contains(&event.id));
            let looking = self.looks.under_way();
            let waits = |event: &&BackendEvent| wants_configuration(event) && !looking.contains(&event.id);
            let configuring: HashSet<EventId> = events.iter().filter(waits).map(|event| event.id).collect();
            if read.is_ok() && !configuring.is_empty() {
                read = unless_lost(self.refresh().await)?;
            }
            self.kept = if read.is_ok() { HashSet::new() } else { configuring };
            self.press(&events);
            self.kept.extend(self.looks.under_way());
            let ours = ours(&events, &self.kept);
            let looked = self.courier.look(events);
            if looked.full {
                self.look_soon();
            }
            if !ours.is_empty() {
                self.shared.backend.done(&self.claim, &ours).await?;
            }
            if new && !nudged && self.shared.nudges.arriving() {
                // What the nudge announced may be newer than what was just seen.
                nudged = self.announced().await;
                if nudged {
                    continue;
                }
                self.shared.nudges.missed();
            }
            if !more || (ours.is_empty() && looked.handed == 0) {
                return read;
            }
        }
    }

    /// Acknowledges what chats have taken, and looks at what waited behind.
    async fn acknowledge(&mut self, settled: Settled) -> Result<(), Failure> {
        let done = self.shared.backend.done(&self.claim, &settled.safe).await;
        let more = self.courier.release(&settled);
        if settled.failed {
            self.look_soon();
        }
        done?;
        if more && !settled.failed { self.events(true).await } else { Ok(()) }
    }

    /// Acknowledges what asked for a look, when its answer is safe.
    async fn looked_at(&mut self, look: Look) -> Result<(), Failure> {
        if look.safe {
            return self.shared.backend.done(&self.claim, &[look.event]).await;
        }
        self.look_soon();
        Ok(())
    }

    /// Something could not be taken: looked at again soon, but not without a pause.
    fn look_soon(&mut self) {
        self.poll = self.poll.min(Instant::now() + POLL_BUSY);
    }

    /// Carries out what buttons of forms ask for.
    fn press(&mut self, events: &[BackendEvent]) {
        for event in events {
            match event.kind {
                EventKind::Refresh { channel } if !self.kept.contains(&event.id) => self.looks.begin(&self.shared, event.id, channel),
                EventKind::Run { channel } => drop(calls::run(&self.shared, channel)),
                _ => {}
            }
        }
    }

    /// Reads the configuration for those who wait for it.
    async fn refresh_for_somebody(&mut self) -> Result<(), Failure> {
        let outcome = self.refresh().await;
        self.shared.refreshes.answer(&outcome);
        outcome
    }

    /// A nudge may be on its way still when a poll finds what it announces.
    async fn announced(&self) -> bool {
        timeout(Duration::from_secs(1), self.shared.nudges.wait()).await.is_ok()
    }

    /// Fetches what differs in the configuration, keeps it, and starts and stops channels accordingly.
    async fn refresh(&mut self) -> Result<(), Failure> {
        let shared = &self.shared;
        let known = shared.registry.hashes();
        let configuration = shared.backend.configuration(&self.claim, &known).await?;
        let forget_bots = known.keys().filter(|id| !configuration.bot_ids.contains(id)).copied().collect();
        let mut change = Change { forget_bots, ..Change::default() };
        let mut scripts = Vec::with_capacity(configuration.bots.len());
        for (script, json) in configuration.bots {
            change.bots.push((script.bot, json));
            scripts.push(script);
        }
        let changed = scripts.len();
        // Kept first: where that fails, nothing has changed, and the configuration is asked for again.
        shared.store.commit(change).await?;
        let difference = shared.registry.update(&configuration.bot_ids, scripts);
        tracing::info!(bots = configuration.bot_ids.len(), changed, "configuration read");
        shared.metrics.bots_read.inc_by(u64::try_from(changed).unwrap_or(0));
        start(shared, difference);
        self.current = true;
        Ok(())
    }
}

/// Starts the intakes of channels that are new, and sends what waits for them.
pub fn start(shared: &Arc<Shared>, difference: Difference) {
    let channels = difference.started.iter().map(|running| running.channel.id).collect();
    if let Err(failure) = shared.outbox.wake_channels(shared, &channels) {
        tracing::error!(%failure, "what waits to be sent could not be read");
    }
    for running in difference.started {
        shared.spawn(intake::work(shared.clone(), running, shared.busy.token()));
    }
}
