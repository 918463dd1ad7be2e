//! One letter: one turn of the engine, one transaction. Only after the commit does anything leave.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::mailbox::Letter;
use super::recall;
use super::registry::Running;
use super::run::Shared;
use crate::dialog::{Effect, Given, advance};
use crate::domain::{ChatKey, ChatRecord, ConsultationKey, ConversationKey, Operation, OperationKey, Outgoing, Request};
use crate::ports::{Cause, Change, Class, Committed, Failure, Lane};

/// Takes a letter.
pub async fn take(shared: &Arc<Shared>, chat: ChatKey, record: &mut Option<ChatRecord>, letter: &Letter) -> Result<(), Failure> {
    let Some((script, running)) = shared.registry.channel(chat.channel) else {
        return Err(Failure::new(Class::Transient, "the channel has been switched off"));
    };
    let before = match record.take() {
        Some(known) if known.era == shared.era.load(Ordering::Relaxed) => known,
        _ => recall::record(shared, chat, script.bot, &letter.event).await?,
    };
    let given = Given {
        channel: chat.channel,
        now: shared.clock.now(),
        fresh: ConversationKey::draw(),
        consultation: ConsultationKey::draw(),
        backend_away: shared.lease.is_away(),
    };
    let turn = catch_unwind(AssertUnwindSafe(|| advance(&script, before.clone(), &letter.event, given)));
    let Ok((after, effects)) = turn else {
        return quarantine(shared, chat, letter).await;
    };
    for effect in &effects {
        if let Effect::AnswerTap { callback } = effect {
            answer_tap(shared, &running, callback.clone());
        }
    }
    let mut change = Change { chats: vec![(chat, after.clone())], ..Change::default() };
    change.seen = letter.cause.map(|cause| (cause, given.now));
    carry(&mut change, chat, effects, &given, &script.name);
    let (sends, operations) = (!change.sends.is_empty(), !change.operations.is_empty());
    match shared.store.commit(change).await? {
        Committed::Duplicate => {
            shared.metrics.duplicates.inc();
            *record = Some(before);
        }
        Committed::Done => {
            *record = Some(after);
            if sends {
                let answers = matches!(letter.cause, Some(Cause::Update(..)));
                shared.outbox.wake(shared, chat, answers.then_some(letter.taken));
            }
            if operations {
                shared.writer.wake(lane_of(chat));
            }
        }
    }
    Ok(())
}

/// Puts the effects that must survive into the change.
fn carry(change: &mut Change, chat: ChatKey, effects: Vec<Effect>, given: &Given, bot: &str) {
    for effect in effects {
        match effect {
            Effect::Say { conversation, sequence, text, markup, confirm } => {
                change.sends.push(Outgoing { to: chat, conversation, sequence, request: Request::Say { text, markup }, confirm });
            }
            Effect::Record(body) => change.operations.push((lane_of(chat), Operation { key: OperationKey::draw(), at: given.now, body })),
            Effect::Report(flaw) => tracing::warn!(bot, ?flaw, "the bot's steps have a fault"),
            Effect::AnswerTap { .. } => {}
        }
    }
}

/// The engine failed at this letter: it is put aside for good, so that the chat goes on.
async fn quarantine(shared: &Shared, chat: ChatKey, letter: &Letter) -> Result<(), Failure> {
    shared.metrics.engine_failures.inc();
    tracing::error!(channel.id = %chat.channel, cause = ?letter.cause, "the engine failed at an update or event; it is put aside");
    let seen = letter.cause.map(|cause| (cause, shared.clock.now()));
    shared.store.commit(Change { seen, ..Change::default() }).await.map(|_| ())
}

/// Answers a tap at once, beside everything else: it expires within seconds, and a lost answer only leaves the button waiting a little. So none is
/// answered where too many are under way, or where nothing may be sent.
fn answer_tap(shared: &Arc<Shared>, running: &Running, callback: String) {
    let Ok(place) = shared.taps.clone().try_acquire_owned() else { return };
    if !shared.lease.working() {
        return;
    }
    let (messenger, stop) = (running.messenger.clone(), shared.stop.clone());
    shared.spawn(async move {
        let _place = place;
        if let Some(Err(failure)) = stop.run_until_cancelled(messenger.answer_tap(&callback)).await {
            tracing::debug!(%failure, "a tap could not be answered");
        }
    });
}

/// The lane of a chat: always the same, so that its operations stay in order.
pub fn lane_of(chat: ChatKey) -> Lane {
    let mixed = (chat.chat.0 ^ chat.channel.0.rotate_left(32)).unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Lane(u8::try_from((mixed >> 32) % u64::from(super::writer::LANES)).expect("below the number of lanes"))
}
