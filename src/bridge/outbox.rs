//! Sends what waits, in order per chat, chats side by side. A message leaves the store when Telegram has taken or refused it for good.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::mailbox::Letter;
use super::pause::Pauses;
use super::registry::Running;
use super::run::Shared;
use super::turn::lane_of;
use crate::domain::{ChannelId, ChatKey, Content, Formatted, Incoming, Markup, MessageId, Operation, OperationBody, OperationKey, Request};
use crate::ports::{Certainty, Change, Class, Failure, StoredSend};

/// Messages read from the store at a time.
const BATCH: usize = 16;
/// Messages in flight to Telegram at the same time, all chats together.
const IN_FLIGHT: usize = 256;
/// How often a chat whose channel is refused is tried again.
const PROBE: Duration = Duration::from_secs(30);

/// The chats that are being drained.
pub struct Outbox {
    active: DashMap<ChatKey, Drain>,
    in_flight: Semaphore,
}

#[derive(Default)]
struct Drain {
    /// More was put into the store since the drain last looked.
    again: AtomicBool,
}

impl Outbox {
    /// Nothing is under way.
    pub fn new() -> Self {
        Self { active: DashMap::new(), in_flight: Semaphore::new(IN_FLIGHT) }
    }

    /// Sends what waits for a chat. `taken`: when the update was taken in that this answers.
    pub fn wake(&self, shared: &Arc<Shared>, chat: ChatKey, taken: Option<Instant>) {
        match self.active.entry(chat) {
            Entry::Occupied(entry) => entry.get().again.store(true, Ordering::Release),
            Entry::Vacant(entry) => {
                entry.insert(Drain::default());
                shared.spawn(drain(shared.clone(), chat, taken, shared.busy.token()));
            }
        }
    }

    /// Takes up again what waits in the store for the chats of these channels.
    pub fn wake_channels(&self, shared: &Arc<Shared>, channels: &HashSet<ChannelId>) -> Result<(), Failure> {
        for chat in shared.store.chats_with_sends()? {
            if channels.contains(&chat.channel) {
                self.wake(shared, chat, None);
            }
        }
        Ok(())
    }

    /// Ends a drain, whatever waits.
    fn forget(&self, chat: ChatKey) {
        self.active.remove(&chat);
    }

    /// Ends a drain, unless more has come meanwhile.
    fn finished(&self, chat: ChatKey) -> bool {
        self.active.remove_if(&chat, |_, drain| !drain.again.swap(false, Ordering::AcqRel)).is_some()
    }
}

/// What became of a message.
enum Delivery {
    /// Telegram has taken it, or refused it for good.
    Settled,
    /// The channel is switched off: what waits stays in the store.
    Off,
    /// The bridge stops: what waits stays in the store.
    Stopping,
}

async fn drain(shared: Arc<Shared>, chat: ChatKey, mut taken: Option<Instant>, _busy: TaskTrackerToken) {
    let mut pauses = Pauses::new(Duration::from_millis(300), Duration::from_secs(60));
    loop {
        let waiting = match shared.store.sends(chat, BATCH) {
            Ok(waiting) => waiting,
            Err(failure) => {
                tracing::error!(%failure, "the store cannot be read");
                if shared.stop.run_until_cancelled(tokio::time::sleep(pauses.after(&failure))).await.is_none() {
                    return shared.outbox.forget(chat);
                }
                continue;
            }
        };
        if waiting.is_empty() {
            if shared.outbox.finished(chat) {
                return;
            }
            continue;
        }
        for send in waiting {
            match deliver(&shared, chat, &send, &mut pauses, &mut taken).await {
                Delivery::Settled => {}
                Delivery::Off if shared.outbox.finished(chat) => return,
                // It has been switched on again meanwhile.
                Delivery::Off => break,
                Delivery::Stopping => return shared.outbox.forget(chat),
            }
        }
    }
}

/// Sends one message, however long it takes. A stop ends every wait, but not a call: what Telegram has taken must be ticked off.
async fn deliver(shared: &Arc<Shared>, chat: ChatKey, send: &StoredSend, pauses: &mut Pauses, taken: &mut Option<Instant>) -> Delivery {
    loop {
        let allowed = async {
            shared.lease.until_working().await;
            shared.outbox.in_flight.acquire().await
        };
        let Some(Ok(place)) = shared.stop.run_until_cancelled(allowed).await else { return Delivery::Stopping };
        if !shared.lease.working() {
            // It was lost while this waited for its place.
            continue;
        }
        let Some((_, running)) = shared.registry.channel(chat.channel) else { return Delivery::Off };
        if let Some(taken) = taken.take() {
            shared.metrics.answer_seconds.observe(taken.elapsed().as_secs_f64());
        }
        let rung = running.bell.rung();
        let outcome = perform(&running, chat, &send.outgoing.request).await;
        drop(place);
        match outcome {
            Ok(message) => {
                pauses.reset();
                shared.metrics.sent.inc();
                settle(shared, chat, send, confirmation(send, message)).await;
                return Delivery::Settled;
            }
            Err(failure) => match failure.class {
                Class::Transient | Class::RateLimited | Class::Lost => again(shared, &running, &failure, pauses, rung).await,
                Class::Denied => refused_token(shared, &running, rung).await,
                Class::Gone | Class::Refused | Class::Malformed | Class::Bug => {
                    refuse(shared, chat, send, &failure).await;
                    return Delivery::Settled;
                }
            },
        }
    }
}

/// Carries a request out. What Telegram refuses for its looks (a link that leads nowhere, a button that it does not take) is sent once without them: a
/// customer is never left without an answer for an admin's slip.
async fn perform(running: &Running, chat: ChatKey, request: &Request) -> Result<MessageId, Failure> {
    let outcome = running.messenger.perform(chat.chat, request).await;
    match (&outcome, plain(request)) {
        (Err(failure), Some(plain)) if failure.class == Class::Bug => {
            tracing::warn!(channel.id = %running.channel.id, %failure, "a message is sent without formatting and buttons: Telegram refuses it with them");
            running.messenger.perform(chat.chat, &plain).await
        }
        _ => outcome,
    }
}

/// The same words without formatting and buttons; none where they are plain already. A reply keyboard stays: its labels cannot be wrong.
fn plain(request: &Request) -> Option<Request> {
    let Request::Say { text, markup } = request;
    let looks = !text.entities.is_empty() || matches!(markup, Markup::Inline { .. });
    let markup = if matches!(markup, Markup::Inline { .. }) { Markup::Nothing } else { markup.clone() };
    looks.then(|| Request::Say { text: Formatted { text: text.text.clone(), entities: Vec::new() }, markup })
}

/// Waits before a refused token is tried again; not where the configuration brings another one.
async fn refused_token(shared: &Shared, running: &Running, rung: u64) {
    tokio::select! {
        () = tokio::time::sleep(PROBE) => {}
        () = running.stop.cancelled() => {}
        () = running.bell.for_sends(rung) => {}
        () = shared.stop.cancelled() => {}
    }
}

/// Waits before the next try. What may have arrived is sent again nevertheless: for a person a doubled answer is better than none.
async fn again(shared: &Shared, running: &Running, failure: &Failure, pauses: &mut Pauses, rung: u64) {
    if failure.certainty == Certainty::Unknown {
        shared.metrics.resent.inc();
    }
    let pause = pauses.after(failure);
    tracing::info!(channel.id = %running.channel.id, class = ?failure.class, ?pause, %failure, "a message waits");
    // Where Telegram says how long to wait, nobody may hurry.
    let bound = failure.class == Class::RateLimited;
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = running.bell.for_sends(rung), if !bound => {}
        () = shared.stop.cancelled() => {}
    }
}

/// What Odoo is to hear of a message that Telegram has taken: an operator is shown that it has arrived.
fn confirmation(send: &StoredSend, telegram_message: MessageId) -> Option<OperationBody> {
    let outgoing = &send.outgoing;
    outgoing.confirm.then_some(OperationBody::MessageSent { conversation: outgoing.conversation, sequence: outgoing.sequence, telegram_message })
}

/// Telegram refuses the message for good: Odoo is told why, and who has blocked the bot is marked.
async fn refuse(shared: &Arc<Shared>, chat: ChatKey, send: &StoredSend, failure: &Failure) {
    shared.metrics.undeliverable.inc();
    tracing::warn!(channel.id = %chat.channel, class = ?failure.class, %failure, "a message cannot be delivered");
    let body =
        OperationBody::MessageFailed { conversation: send.outgoing.conversation, sequence: send.outgoing.sequence, reason: failure.reason.clone() };
    settle(shared, chat, send, Some(body)).await;
    if failure.class == Class::Gone {
        tell_blocked(shared, chat);
    }
}

/// Puts what we found out into the chat's own mailbox, so that it takes its place in the order.
fn tell_blocked(shared: &Arc<Shared>, chat: ChatKey) {
    let known = shared.store.chat(chat).ok().flatten().filter(|record| !record.blocked);
    let Some(profile) = known.and_then(|record| record.profile) else { return };
    let event = Incoming { chat: chat.chat, profile, at: shared.clock.now(), message: None, content: Content::Blocked };
    let letter = Letter { cause: None, event, taken: Instant::now(), poll: None, done: None, busy: shared.busy.token() };
    if !shared.mailboxes.post(shared, chat, letter) {
        tracing::info!(channel.id = %chat.channel, "a block could not be noted; the next message will find it out");
    }
}

/// Takes a message out of the store, with what Odoo is to know of it. Tried until it succeeds: else it would be sent again.
async fn settle(shared: &Shared, chat: ChatKey, send: &StoredSend, outcome: Option<OperationBody>) {
    let mut pauses = Pauses::new(Duration::from_millis(100), Duration::from_secs(5));
    let operations: Vec<_> =
        outcome.map(|body| (lane_of(chat), Operation { key: OperationKey::draw(), at: shared.clock.now(), body })).into_iter().collect();
    let written = !operations.is_empty();
    let change = Change { sent: vec![send.id], operations, ..Change::default() };
    while let Err(failure) = shared.store.commit(change.clone()).await {
        tracing::error!(%failure, "a sent message could not be taken off the list");
        tokio::time::sleep(pauses.after(&failure)).await;
    }
    if written {
        shared.writer.wake(lane_of(chat));
    }
}
