//! Hands what Odoo tells of chats to their mailboxes: each chat's in order, chats side by side. An event stays in Odoo until everything that follows from it
//! is safe in the store; one that its chat could not take comes again, and none of that chat's overtakes it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::mailbox::Letter;
use super::run::Shared;
use crate::domain::{ChatKey, EventId, EventKey, Incoming};
use crate::ports::{BackendEvent, Cause, EventKind, Failure};

/// An event of a chat, on its way.
struct Item {
    id: EventId,
    key: EventKey,
    event: Incoming,
}

/// Told by the mailbox when it is safe, or why it is not.
type Safe = oneshot::Receiver<Result<(), Failure>>;

/// What became of a chat's events.
struct Report {
    chat: ChatKey,
    safe: Vec<EventId>,
    all: bool,
}

/// Events that were looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Looked {
    /// Handed to mailboxes.
    pub handed: usize,
    /// A mailbox had no room: they are to be looked at again soon.
    pub full: bool,
}

/// What has been settled since the last time.
#[derive(Debug, Default)]
pub struct Settled {
    /// Events to acknowledge.
    pub safe: Vec<EventId>,
    chats: Vec<ChatKey>,
    /// Some could not be taken: they are to be looked at again soon.
    pub failed: bool,
}

/// The way of events to chats.
pub struct Courier {
    shared: Arc<Shared>,
    /// Chats whose events are being taken: those behind wait in Odoo.
    under_way: HashSet<ChatKey>,
    /// Of these, the ones that have some waiting behind.
    behind: HashSet<ChatKey>,
    /// Events of chats that Odoo had at the last look.
    known: HashSet<EventId>,
    reports: mpsc::UnboundedSender<Report>,
    reported: mpsc::UnboundedReceiver<Report>,
}

impl Courier {
    /// Nothing is under way.
    pub fn new(shared: Arc<Shared>) -> Self {
        let (reports, reported) = mpsc::unbounded_channel();
        Self { shared, under_way: HashSet::new(), behind: HashSet::new(), known: HashSet::new(), reports, reported }
    }

    /// How many events are known to wait in Odoo: they must not hide those behind them.
    pub fn waiting(&self) -> u32 {
        u32::try_from(self.known.len()).unwrap_or(u32::MAX)
    }

    /// Was this event there at the last look?
    pub fn knows(&self, id: EventId) -> bool {
        self.known.contains(&id)
    }

    /// Looks at all that Odoo has: hands over the events of each chat that has none under way.
    pub fn look(&mut self, events: Vec<BackendEvent>) -> Looked {
        self.known.clear();
        self.behind.clear();
        let mut chats: BTreeMap<ChatKey, Vec<Item>> = BTreeMap::new();
        for BackendEvent { id, kind } in events {
            if let EventKind::Chat { key, channel, event } = kind {
                self.known.insert(id);
                chats.entry(ChatKey { channel, chat: event.chat }).or_default().push(Item { id, key, event: *event });
            }
        }
        let mut looked = Looked::default();
        for (chat, items) in chats {
            self.hand_over(chat, items, &mut looked);
        }
        looked
    }

    fn hand_over(&mut self, chat: ChatKey, items: Vec<Item>, looked: &mut Looked) {
        // A channel that does not run here keeps its events in Odoo; a stop takes in nothing more.
        if self.shared.registry.channel(chat.channel).is_none() || self.shared.intake_stop.is_cancelled() {
            return;
        }
        if self.under_way.contains(&chat) {
            self.behind.insert(chat);
            return;
        }
        let all = items.len();
        let posted = self.post(chat, items);
        looked.handed += posted.len();
        looked.full |= posted.len() < all;
        if posted.is_empty() {
            return;
        }
        self.shared.metrics.events.inc_by(u64::try_from(posted.len()).unwrap_or(0));
        self.under_way.insert(chat);
        self.shared.spawn(report(chat, posted, self.reports.clone()));
    }

    /// Puts events into the chat's mailbox, as far as there is room.
    fn post(&self, chat: ChatKey, items: Vec<Item>) -> Vec<(EventId, Safe)> {
        let poll = Some(self.shared.next_poll());
        let mut posted = Vec::with_capacity(items.len());
        for Item { id, key, event } in items {
            let (done, safe) = oneshot::channel();
            let cause = Some(Cause::Event(key));
            let letter = Letter { cause, event, taken: Instant::now(), poll, done: Some(done), busy: self.shared.busy.token() };
            if !self.shared.mailboxes.post(&self.shared, chat, letter) {
                break;
            }
            posted.push((id, safe));
        }
        posted
    }

    /// Waits until something has been settled.
    pub async fn settled(&mut self) -> Settled {
        let mut settled = Settled::default();
        let mut next = self.reported.recv().await;
        while let Some(report) = next {
            settled.safe.extend(report.safe);
            settled.chats.push(report.chat);
            settled.failed |= !report.all;
            next = self.reported.try_recv().ok();
        }
        settled
    }

    /// These chats can take more. Does something wait behind?
    pub fn release(&mut self, settled: &Settled) -> bool {
        let mut more = false;
        for chat in &settled.chats {
            self.under_way.remove(chat);
            more |= self.behind.remove(chat);
        }
        more
    }
}

/// Waits until the mailbox has taken a chat's events, and tells which.
async fn report(chat: ChatKey, posted: Vec<(EventId, Safe)>, reports: mpsc::UnboundedSender<Report>) {
    let all = posted.len();
    let mut safe = Vec::with_capacity(all);
    for (id, taken) in posted {
        match taken.await {
            Ok(Ok(())) => safe.push(id),
            Ok(Err(failure)) => tracing::warn!(channel.id = %chat.channel, event.id = %id, %failure, "an event of a chat waits in Odoo"),
            // The bridge stops.
            Err(_) => {}
        }
    }
    let all = safe.len() == all;
    // Where nobody listens any more, the lease is lost: the events come again, and do nothing.
    let _ = reports.send(Report { chat, safe, all });
}
