//! Requests for an operator that Odoo has refused, or that were given up: the chat hears of it as of Odoo's own «nobody is there», and its dialog goes on.
//!
//! The refused operation is kept in the store, so nothing here needs to be remembered: whoever waits still at a start is told then.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::mailbox::Letter;
use super::pause::Pauses;
use super::run::Shared;
use crate::domain::{ChatKey, ConsultationKey, Content, FromOdoo, Incoming, OdooEvent, OperationBody};
use crate::ports::{Class, Failure, Parked};

/// Refused operations that are looked through at the start, the newest ones.
const LOOKED_THROUGH: usize = 1000;

/// Tells those who wait still for what was refused before this start.
pub fn take_up(shared: &Arc<Shared>) {
    match shared.store.parked(LOOKED_THROUGH) {
        Ok(parked) => tell(shared, &parked),
        Err(failure) => tracing::error!(%failure, "what Odoo has refused cannot be read"),
    }
}

/// Tells the chats whose requests are among these, beside everything else.
pub fn tell(shared: &Arc<Shared>, parked: &[Parked]) {
    let requested = |parked: &Parked| match parked.operation.body {
        OperationBody::ConsultationRequest { consultation, .. } => Some(consultation),
        _ => None,
    };
    let requests: HashSet<ConsultationKey> = parked.iter().filter_map(requested).collect();
    if !requests.is_empty() {
        shared.spawn(tell_all(shared.clone(), requests, shared.busy.token()));
    }
}

async fn tell_all(shared: Arc<Shared>, requests: HashSet<ConsultationKey>, _busy: TaskTrackerToken) {
    let looked = shared.clone();
    // All chats are looked through: not in the way of the others.
    let found = tokio::task::spawn_blocking(move || looked.store.chats_in(&requests)).await;
    match found {
        Ok(Ok(chats)) => chats.into_iter().for_each(|(chat, consultation)| shared.spawn(tell_chat(shared.clone(), chat, consultation))),
        Ok(Err(failure)) => tracing::error!(%failure, "who waits for an operator cannot be read; they are told at the next start"),
        Err(_) => tracing::error!("who waits for an operator could not be looked for; they are told at the next start"),
    }
}

/// Tells a chat, however long it takes. Twice does no harm: the second time, nobody waits for it.
async fn tell_chat(shared: Arc<Shared>, chat: ChatKey, consultation: ConsultationKey) {
    let mut pauses = Pauses::new(Duration::from_millis(250), Duration::from_secs(60));
    while let Err(failure) = try_to_tell(&shared, chat, consultation).await {
        tracing::info!(channel.id = %chat.channel, %failure, "a chat could not be told that nobody is there; trying again");
        if shared.stop.run_until_cancelled(tokio::time::sleep(pauses.after(&failure))).await.is_none() {
            return;
        }
    }
}

async fn try_to_tell(shared: &Arc<Shared>, chat: ChatKey, consultation: ConsultationKey) -> Result<(), Failure> {
    let Some(profile) = shared.store.chat(chat)?.and_then(|record| record.profile) else { return Ok(()) };
    let content = Content::Odoo(FromOdoo { conversation: None, what: OdooEvent::Refused { consultation } });
    let event = Incoming { chat: chat.chat, profile, at: shared.clock.now(), message: None, content };
    let (done, safe) = oneshot::channel();
    let letter = Letter { cause: None, event, taken: Instant::now(), poll: None, done: Some(done), busy: shared.busy.token() };
    if !shared.mailboxes.post(shared, chat, letter) {
        return Err(Failure::new(Class::Transient, "its mailbox is full"));
    }
    // Not told where the bridge stops: then at the next start.
    safe.await.unwrap_or(Ok(()))
}
