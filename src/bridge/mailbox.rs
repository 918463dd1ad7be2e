//! One ordered mailbox per chat. Chats are independent: one that is stuck, or at which the engine fails, never stops another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::recall;
use super::run::Shared;
use crate::dialog::{Effect, Given, advance};
use crate::domain::{ChatKey, ChatRecord, ConversationKey, Incoming, Operation, OperationKey, Outgoing, Request, TelegramBotId, UpdateId};
use crate::ports::{Change, Class, Committed, Failure, Lane};

/// Letters that wait for one chat; more than a poll can bring for one chat.
const CAPACITY: usize = 256;
/// A mailbox that is idle so long is cleared away.
const IDLE: Duration = Duration::from_secs(60);

/// Something that happened in a chat.
pub struct Letter {
    /// The update it came in; none for what the bridge itself found out.
    pub update: Option<(TelegramBotId, UpdateId)>,
    /// What happened.
    pub event: Incoming,
    /// When it was taken in.
    pub taken: Instant,
    /// The poll that brought it. When one letter of a poll fails, those behind it fail too: they come again together, in order.
    pub poll: Option<u64>,
    /// Told when it is safe in the store, or why it is not.
    pub done: Option<oneshot::Sender<Result<(), Failure>>>,
    /// Something is under way as long as this is there.
    #[expect(dead_code, reason = "held, never read")]
    pub busy: TaskTrackerToken,
}

/// All mailboxes.
#[derive(Default)]
pub struct Mailboxes(DashMap<ChatKey, mpsc::Sender<Letter>>);

impl Mailboxes {
    /// Puts a letter into the mailbox of its chat, in order with those before it. Never waits; false when the mailbox is full.
    pub fn post(&self, shared: &Arc<Shared>, chat: ChatKey, letter: Letter) -> bool {
        // Sending happens under the map's lock, and so does clearing away: no letter falls between.
        match self.0.entry(chat) {
            Entry::Occupied(mut entry) => match entry.get().try_send(letter) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(_)) => return false,
                Err(mpsc::error::TrySendError::Closed(letter)) => drop(entry.insert(open(shared, chat, letter))),
            },
            Entry::Vacant(entry) => drop(entry.insert(open(shared, chat, letter))),
        }
        true
    }

    fn clear_if_idle(&self, chat: ChatKey, letters: &mpsc::Receiver<Letter>) -> bool {
        self.0.remove_if(&chat, |_, _| letters.is_empty()).is_some()
    }
}

fn open(shared: &Arc<Shared>, chat: ChatKey, first: Letter) -> mpsc::Sender<Letter> {
    let (sender, letters) = mpsc::channel(CAPACITY);
    sender.try_send(first).expect("a new channel has room");
    shared.spawn(work(shared.clone(), chat, letters));
    sender
}

/// Works a mailbox until it has been idle for a while.
async fn work(shared: Arc<Shared>, chat: ChatKey, mut letters: mpsc::Receiver<Letter>) {
    let mut record: Option<ChatRecord> = None;
    let mut failed_poll = None;
    loop {
        let letter = tokio::select! {
            biased;
            letter = letters.recv() => letter,
            () = tokio::time::sleep(IDLE) => {
                if shared.mailboxes.clear_if_idle(chat, &letters) {
                    break;
                }
                continue;
            }
            () = shared.stop.cancelled() => break,
        };
        let Some(mut letter) = letter else { break };
        let outcome = if letter.poll.is_some() && letter.poll == failed_poll {
            Err(Failure::new(Class::Transient, "the update before it has to come again first"))
        } else {
            handle(&shared, chat, &mut record, &letter).await
        };
        if outcome.is_err() {
            failed_poll = letter.poll;
        }
        if let Some(done) = letter.done.take() {
            // Where nobody waits any more, the intake has been stopped, and the update will come again.
            let _ = done.send(outcome);
        }
    }
}

/// One letter: one turn of the engine, one transaction.
async fn handle(shared: &Arc<Shared>, chat: ChatKey, record: &mut Option<ChatRecord>, letter: &Letter) -> Result<(), Failure> {
    let before = match record.take() {
        Some(known) if known.era == shared.era.load(Ordering::Relaxed) => known,
        _ => recall::record(shared, chat, letter.event.profile.user).await?,
    };
    let Some((script, running)) = shared.registry.channel(chat.channel) else {
        return Err(Failure::new(Class::Transient, "the channel has been switched off"));
    };
    let given = Given { channel: chat.channel, now: shared.clock.now(), fresh: ConversationKey::draw() };
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
    change.seen = letter.update.map(|(bot, update)| (bot, update, given.now));
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
                shared.outbox.wake(shared, chat, Some(letter.taken));
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
            Effect::Say { conversation, sequence, text, markup } => {
                change.sends.push(Outgoing { to: chat, conversation, sequence, request: Request::Say { text, markup } });
            }
            Effect::Record(body) => change.operations.push((lane_of(chat), Operation { key: OperationKey::draw(), at: given.now, body })),
            Effect::Report(flaw) => tracing::warn!(bot, ?flaw, "the bot's steps have a fault"),
            Effect::AnswerTap { .. } => {}
        }
    }
}

/// The engine failed at this update: it is put aside for good, so that the chat goes on.
async fn quarantine(shared: &Shared, chat: ChatKey, letter: &Letter) -> Result<(), Failure> {
    shared.metrics.engine_failures.inc();
    tracing::error!(channel.id = %chat.channel, update.id = ?letter.update.map(|(_, id)| id), "the engine failed at an update; it is put aside");
    let seen = letter.update.map(|(bot, update)| (bot, update, shared.clock.now()));
    shared.store.commit(Change { seen, ..Change::default() }).await.map(|_| ())
}

/// Answers a tap at once, beside everything else: it expires within seconds, and a lost answer only leaves the button waiting a little. So none is
/// answered where too many are under way, or where nothing may be sent.
fn answer_tap(shared: &Arc<Shared>, running: &super::registry::Running, callback: String) {
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
