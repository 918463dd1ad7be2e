//! Takes updates in, by long polling or by a webhook. An update is confirmed to Telegram only when everything that follows from it is safe in the store.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::bell::Asker;
use super::check::{check, sentence};
use super::mailbox::Letter;
use super::pause::Pauses;
use super::registry::Running;
use super::run::Shared;
use super::webhook::{self, Hook};
use crate::domain::{ChatKey, UpdateId};
use crate::ports::{Cause, ChannelState, Class, Failure, Update};

/// How long Telegram holds a poll in which nothing happens.
const WAIT: Duration = Duration::from_secs(25);
/// How often a webhook is looked at.
const LOOK: Duration = Duration::from_secs(60);
/// How often a refused token, or a bot that somebody else polls, is tried again.
const PROBE: Duration = Duration::from_secs(30);

/// Works a channel until it is stopped. `_busy`: until then, more may come under way.
pub async fn work(shared: Arc<Shared>, running: Arc<Running>, _busy: TaskTrackerToken) {
    let _ended = running.ended.clone().drop_guard();
    tokio::select! {
        () = attend(&shared, &running) => {}
        () = running.stop.cancelled() => {}
        () = shared.intake_stop.cancelled() => {}
    }
    shared.registry.set_state(&running, ChannelState::Stopped, None);
    drop(running.bell.take());
    shared.stop.run_until_cancelled(retire(&running)).await;
}

/// Nobody serves this bot any more: its updates wait at Telegram, instead of being delivered to nobody. When the bridge stops, the webhook stays.
async fn retire(running: &Running) {
    let gone = running.stop.is_cancelled() && !running.superseded.load(Ordering::Acquire);
    if gone
        && running.channel.webhook_url.is_some()
        && let Err(failure) = webhook::delete(running.messenger.as_ref()).await
    {
        tracing::info!(channel.id = %running.channel.id, %failure, "the webhook of a channel that was switched off could not be removed");
    }
}

async fn attend(shared: &Arc<Shared>, running: &Running) {
    if let Some(before) = &running.before {
        before.cancelled().await;
    }
    let mut intake = Intake::new(shared, running);
    loop {
        shared.lease.until_working().await;
        let wish = running.bell.take();
        if wish.hurry {
            intake.hurry();
        }
        let outcome = if wish.askers.is_empty() {
            tokio::select! {
                outcome = intake.round() => outcome,
                () = running.bell.for_the_intake() => continue,
                () = shared.lease.until_stopped() => continue,
            }
        } else {
            tokio::select! {
                outcome = intake.tell(wish.askers) => outcome,
                () = shared.lease.until_stopped() => continue,
            }
        };
        match outcome {
            Ok(()) => intake.pauses.reset(),
            Err(failure) => {
                let pause = intake.fail(&failure).await;
                intake.rest(pause, &failure).await;
            }
        }
    }
}

/// What one intake knows.
struct Intake<'a> {
    shared: &'a Arc<Shared>,
    running: &'a Running,
    /// The webhook that is to be; none: updates are polled.
    hook: Option<Hook>,
    pauses: Pauses,
    /// The token has been shown, and updates come the way they are to.
    greeted: bool,
    offset: Option<UpdateId>,
}

impl<'a> Intake<'a> {
    fn new(shared: &'a Arc<Shared>, running: &'a Running) -> Self {
        let pauses = Pauses::new(Duration::from_millis(500), Duration::from_secs(30));
        let hook = Hook::of(&running.channel, &shared.store_id());
        Self { shared, running, hook, pauses, greeted: false, offset: None }
    }

    /// Takes in what there is, or sees that Telegram delivers it.
    async fn round(&mut self) -> Result<(), Failure> {
        if !self.greeted {
            let identity = self.running.messenger.me().await?;
            self.shared.registry.set_username(self.running, identity.username);
        }
        if self.hook.is_some() { self.watch().await } else { self.poll().await }
    }

    /// One poll, and everything that comes of it.
    async fn poll(&mut self) -> Result<(), Failure> {
        let messenger = &self.running.messenger;
        if !self.greeted {
            if messenger.leave_webhook().await? {
                tracing::info!(channel.id = %self.running.channel.id, "the webhook of this bot has been removed: it is polled from now on");
            }
            self.greeted = true;
        }
        // The first poll after trouble does not wait for updates: it is to tell that the trouble is over.
        let wait = if self.running.status().state == ChannelState::Polling { WAIT } else { Duration::ZERO };
        let updates = messenger.updates(self.offset, wait).await?;
        self.shared.registry.set_state(self.running, ChannelState::Polling, None);
        let Some(last) = updates.iter().map(|update| update.id).max() else { return Ok(()) };
        take_in(self.shared, self.running, updates).await?;
        self.offset = Some(UpdateId(last.0 + 1));
        Ok(())
    }

    /// Sees that Telegram delivers: sets the webhook, and looks now and then how it stands.
    async fn watch(&mut self) -> Result<(), Failure> {
        let Some(hook) = &self.hook else { return Ok(()) };
        if self.greeted {
            tokio::time::sleep(LOOK).await;
        } else {
            hook.set(self.running.messenger.as_ref()).await?;
        }
        let stands = self.running.messenger.webhook().await?;
        self.greeted = stands.url.as_ref() == Some(&hook.url);
        if !self.greeted {
            return Err(Failure::new(Class::Lost, "somebody else has changed the webhook of this bot"));
        }
        self.shared.registry.set_state(self.running, ChannelState::Webhook, webhook::trouble(&stands));
        Ok(())
    }

    /// Looks at everything, and tells those who wait for it.
    async fn tell(&mut self, askers: Vec<Asker>) -> Result<(), Failure> {
        let (checked, outcome) = check(self.running.messenger.as_ref(), self.hook.as_ref()).await;
        if checked.username.is_some() {
            self.shared.registry.set_username(self.running, checked.username.clone());
        }
        self.greeted = outcome.is_ok();
        if self.greeted && self.hook.is_some() {
            self.shared.registry.set_state(self.running, ChannelState::Webhook, None);
        }
        for asker in askers {
            // Who has gone need not be told.
            let _ = asker.send(checked.clone());
        }
        outcome
    }

    /// Somebody does not want to wait: a webhook is set anew, so that Telegram delivers what waits at once.
    fn hurry(&mut self) {
        self.greeted = self.greeted && self.hook.is_none();
    }

    /// Waits before the next try; where Telegram says how long to wait, nobody may hurry.
    async fn rest(&self, pause: Duration, failure: &Failure) {
        let bound = failure.class == Class::RateLimited;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.running.bell.for_the_intake(), if !bound => {}
        }
    }

    /// Publishes what went wrong; how long to wait.
    async fn fail(&mut self, failure: &Failure) -> Duration {
        let running = self.running;
        let refused = failure.class == Class::Denied || (self.hook.is_some() && failure.class == Class::Bug);
        let state = if refused { ChannelState::Refused } else { ChannelState::Unreachable };
        let line = if refused { sentence(failure) } else { failure.to_string() };
        if running.status().last_error.as_ref() != Some(&line) {
            tracing::warn!(channel.id = %running.channel.id, class = ?failure.class, "{line}");
        }
        self.shared.registry.set_state(running, state, Some(line));
        match failure.class {
            _ if refused => PROBE,
            // A webhook that somebody set is in the way of polling; another poller is not ours to end.
            Class::Lost if self.hook.is_none() => match running.messenger.leave_webhook().await {
                Ok(true) => {
                    tracing::warn!(channel.id = %running.channel.id, "a webhook was set for this bot; it has been removed, since this bridge polls");
                    self.pauses.after(failure)
                }
                Ok(false) | Err(_) => PROBE,
            },
            _ => {
                // Whatever it was: the webhook is set anew.
                self.greeted = self.greeted && self.hook.is_none();
                self.pauses.after(failure)
            }
        }
    }
}

/// Hands updates to their chats, and waits until all of them are safe.
pub async fn take_in(shared: &Arc<Shared>, running: &Running, updates: Vec<Update>) -> Result<(), Failure> {
    running.heard(shared.clock.now());
    let taken = Instant::now();
    let poll = Some(shared.next_poll());
    let mut waiting = Vec::with_capacity(updates.len());
    let mut outcome = Ok(());
    let mut full = HashSet::new();
    for update in updates {
        shared.metrics.updates.inc();
        match update.content {
            Ok(Some(event)) => {
                let (done, safe) = oneshot::channel();
                let chat = ChatKey { channel: running.channel.id, chat: event.chat };
                let cause = Some(Cause::Update(running.telegram_bot(), update.id));
                let letter = Letter { cause, event, taken, poll, done: Some(done), busy: shared.busy.token() };
                // Behind one that found no place none may slip in.
                if full.contains(&chat) || !shared.mailboxes.post(shared, chat, letter) {
                    full.insert(chat);
                    outcome = Err(Failure::new(Class::Transient, "too many updates of one chat wait"));
                    continue;
                }
                waiting.push(safe);
            }
            Ok(None) => {}
            Err(failure) => {
                shared.metrics.undecodable.inc();
                tracing::warn!(channel.id = %running.channel.id, update.id = %update.id, %failure, "an update could not be read; it is put aside");
            }
        }
    }
    for safe in waiting {
        let one = safe.await.unwrap_or_else(|_| Err(Failure::new(Class::Bug, "a mailbox went away with a letter in it")));
        outcome = outcome.and(one);
    }
    outcome
}
