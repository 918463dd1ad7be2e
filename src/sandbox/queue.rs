//! The updates of a bot until they are confirmed or delivered.
//!
//! An entry leaves when a poller confirms it by a higher offset, when a webhook took it, or when it is too old. An entry
//! that was put in again (or came with an id of its own) may have a lower id than the poller's offset: it is confirmed
//! only after it was handed out once, or it would never be seen.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Updates remembered for `/sandbox/redeliver`.
const HISTORY: usize = 10_000;
/// The first update id: far from zero, as real ones are.
const FIRST: i64 = 700_000_001;

/// Updates of one lane are delivered one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    Chat(i64),
    User(i64),
    /// An update without chat and user: by its own id.
    Alone(i64),
}

/// One update as it goes out.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Tells repeats of the same update apart.
    pub ticket: u64,
    pub id: i64,
    pub lane: Lane,
    pub body: String,
    expires: Instant,
    /// Its id did not come from the count.
    irregular: bool,
    handed_out: bool,
    pub in_flight: bool,
}

/// Waiting updates, and some that went before.
#[derive(Debug)]
pub(crate) struct Queue {
    pub waiting: VecDeque<Entry>,
    history: VecDeque<Entry>,
    next_id: i64,
    tickets: u64,
}

impl Default for Queue {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), history: VecDeque::new(), next_id: FIRST, tickets: 0 }
    }
}

impl Queue {
    /// The id that the next regular update gets.
    pub fn next_id(&self) -> i64 {
        self.next_id
    }

    /// Adds an update; the count goes on after its id if it is the next one.
    pub fn push(&mut self, id: i64, lane: Lane, body: String, lifetime: Duration) {
        let irregular = id != self.next_id;
        self.next_id = self.next_id.max(id.saturating_add(1));
        self.tickets += 1;
        let expires = Instant::now() + lifetime;
        let entry = Entry { ticket: self.tickets, id, lane, body, expires, irregular, handed_out: false, in_flight: false };
        self.history.push_back(entry.clone());
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
        self.waiting.push_back(entry);
    }

    /// Queues an earlier update once more, byte for byte. False when it is unknown.
    pub fn again(&mut self, id: i64) -> bool {
        let Some(mut entry) = self.history.iter().rev().find(|entry| entry.id == id).cloned() else {
            return false;
        };
        self.tickets += 1;
        entry.ticket = self.tickets;
        entry.irregular = true;
        self.waiting.push_back(entry);
        true
    }

    /// Confirms by a poller's offset: everything below it, or with a negative one all but the last.
    pub fn confirm(&mut self, offset: i64) {
        if offset > 0 {
            self.waiting.retain(|entry| entry.id >= offset || (entry.irregular && !entry.handed_out));
        } else if offset < 0 {
            let keep = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            let drop = self.waiting.len().saturating_sub(keep);
            self.waiting.drain(..drop);
        }
    }

    /// The next updates for a poller; they stay until confirmed.
    pub fn hand_out(&mut self, limit: usize) -> Vec<String> {
        self.expire();
        self.waiting
            .iter_mut()
            .take(limit)
            .map(|entry| {
                entry.handed_out = true;
                entry.body.clone()
            })
            .collect()
    }

    /// Forgets what is too old to be of use.
    pub fn expire(&mut self) {
        let now = Instant::now();
        self.waiting.retain(|entry| entry.expires > now);
    }

    /// A webhook took it.
    pub fn delivered(&mut self, ticket: u64) {
        self.waiting.retain(|entry| entry.ticket != ticket);
    }

    /// A webhook did not take it.
    pub fn returned(&mut self, ticket: u64) {
        if let Some(entry) = self.waiting.iter_mut().find(|entry| entry.ticket == ticket) {
            entry.in_flight = false;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn queue(ids: &[i64]) -> Queue {
        let mut queue = Queue::default();
        for id in ids {
            queue.push(*id, Lane::Chat(1), id.to_string(), Duration::from_secs(60));
        }
        queue
    }

    #[test]
    fn an_offset_confirms_what_is_below_it() {
        let mut queue = queue(&[FIRST, FIRST + 1, FIRST + 2]);
        queue.confirm(FIRST + 2);
        assert_eq!(queue.hand_out(100), [(FIRST + 2).to_string()]);
    }

    #[test]
    fn a_negative_offset_keeps_the_last() {
        let mut queue = queue(&[FIRST, FIRST + 1, FIRST + 2]);
        queue.confirm(-1);
        assert_eq!(queue.hand_out(100), [(FIRST + 2).to_string()]);
    }

    #[test]
    fn a_repeat_is_seen_once_although_its_id_is_confirmed() {
        let mut queue = queue(&[FIRST]);
        queue.confirm(FIRST + 1);
        assert!(queue.again(FIRST));
        queue.confirm(FIRST + 1);
        assert_eq!(queue.hand_out(100).len(), 1);
        queue.confirm(FIRST + 1);
        assert!(queue.hand_out(100).is_empty());
    }

    #[test]
    fn an_update_expires() {
        let mut queue = Queue::default();
        queue.push(FIRST, Lane::Alone(1), String::new(), Duration::ZERO);
        assert!(queue.hand_out(100).is_empty());
    }
}
