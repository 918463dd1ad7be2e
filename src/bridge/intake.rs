//! Takes updates in, by long polling. An update is confirmed to Telegram only when everything that follows from it is safe in the store.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::mailbox::Letter;
use super::pause::Pauses;
use super::registry::Running;
use super::run::Shared;
use crate::domain::{ChatKey, UpdateId};
use crate::ports::{Cause, ChannelState, Class, Failure, Update};

/// How long Telegram holds a poll in which nothing happens.
const WAIT: Duration = Duration::from_secs(25);
/// How often a refused token, or a bot that somebody else polls, is tried again.
const PROBE: Duration = Duration::from_secs(30);

/// Works a channel until it is stopped. `_busy`: until then, more may come under way.
pub async fn work(shared: Arc<Shared>, running: Arc<Running>, _busy: TaskTrackerToken) {
    tokio::select! {
        () = poll(&shared, &running) => {}
        () = running.stop.cancelled() => {}
        () = shared.intake_stop.cancelled() => {}
    }
    shared.registry.set_state(&running, ChannelState::Stopped, None);
}

async fn poll(shared: &Arc<Shared>, running: &Running) {
    let mut pauses = Pauses::new(Duration::from_millis(500), Duration::from_secs(30));
    let mut offset = None;
    let mut greeted = false;
    loop {
        shared.lease.until_working().await;
        let outcome = tokio::select! {
            outcome = round(shared, running, &mut greeted, &mut offset) => outcome,
            () = shared.lease.until_stopped() => continue,
        };
        match outcome {
            Ok(()) => pauses.reset(),
            Err(failure) => {
                let pause = fail(shared, running, &failure, &mut pauses).await;
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// One poll, and everything that comes of it.
async fn round(shared: &Arc<Shared>, running: &Running, greeted: &mut bool, offset: &mut Option<UpdateId>) -> Result<(), Failure> {
    if !*greeted {
        let identity = running.messenger.me().await?;
        shared.registry.set_username(running, identity.username);
        *greeted = true;
    }
    // The first poll after trouble does not wait for updates: it is to tell that the trouble is over.
    let wait = if running.status().state == ChannelState::Polling { WAIT } else { Duration::ZERO };
    let updates = running.messenger.updates(*offset, wait).await?;
    shared.registry.set_state(running, ChannelState::Polling, None);
    let Some(last) = updates.iter().map(|update| update.id).max() else { return Ok(()) };
    take_in(shared, running, updates).await?;
    *offset = Some(UpdateId(last.0 + 1));
    Ok(())
}

/// Hands updates to their chats, and waits until all of them are safe.
async fn take_in(shared: &Arc<Shared>, running: &Running, updates: Vec<Update>) -> Result<(), Failure> {
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

/// Publishes what went wrong; how long to wait.
async fn fail(shared: &Shared, running: &Running, failure: &Failure, pauses: &mut Pauses) -> Duration {
    let state = match failure.class {
        Class::Denied => ChannelState::Refused,
        _ => ChannelState::Unreachable,
    };
    let line = match failure.class {
        Class::Denied => format!("Telegram refuses the token: {failure}. Ask @BotFather for the current one."),
        _ => failure.to_string(),
    };
    if running.status().last_error.as_ref() != Some(&line) {
        tracing::warn!(channel.id = %running.channel.id, class = ?failure.class, "{line}");
    }
    shared.registry.set_state(running, state, Some(line));
    match failure.class {
        // A webhook that somebody set is in the way of polling; another poller is not ours to end.
        Class::Lost => match running.messenger.leave_webhook().await {
            Ok(true) => {
                tracing::warn!(channel.id = %running.channel.id, "a webhook was set for this bot; it has been removed, since this bridge polls");
                pauses.after(failure)
            }
            Ok(false) | Err(_) => PROBE,
        },
        Class::Denied => PROBE,
        _ => pauses.after(failure),
    }
}
