//! Carries out a batch of tasks in one write transaction.

use redb::{ReadableTable, Table, WriteTransaction};

use super::facts::{BATCH, IDENTITY, NEXT};
use super::rows::{EventRow, Mark, Rows, UpdateRow};
use super::tables::{BOTS, CHATS, COUNTERS, META, OPERATIONS, PARKED, SEEN, SEEN_EVENTS, SENDS};

/// What the writer can be asked to do.
#[derive(Debug)]
pub(super) enum Task {
    /// A change.
    Change(Box<Rows>),
    /// Marks to be forgotten, where they are older than an instant.
    Forget {
        /// The marks.
        marks: Vec<Mark>,
        /// The instant.
        before: i128,
    },
}

/// What came of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The change is safe.
    Done,
    /// Its cause had been seen before.
    Duplicate,
    /// So many marks are gone.
    Forgotten(u64),
}

/// A batch that has been carried out but not committed.
#[derive(Debug)]
pub(super) struct Batch {
    /// Its number.
    pub(super) number: u64,
    /// What came of each task, in their order.
    pub(super) outcomes: Vec<Outcome>,
}

/// Carries out the tasks one after the other: each sees what those before it did.
pub(super) fn carry_out(transaction: &WriteTransaction, tasks: &[Task]) -> Result<Batch, redb::Error> {
    let mut counters = transaction.open_table(COUNTERS)?;
    let number = |name| -> Result<u64, redb::Error> { Ok(counters.get(name)?.map_or(0, |value| value.value())) };
    let (last_batch, next) = (number(BATCH)?, number(NEXT)?);
    let mut desk = Desk::open(transaction, next)?;
    let outcomes = tasks.iter().map(|task| desk.carry_out(task)).collect::<Result<_, _>>()?;
    counters.insert(NEXT, desk.next)?;
    counters.insert(BATCH, last_batch + 1)?;
    Ok(Batch { number: last_batch + 1, outcomes })
}

/// The tables of a transaction, open for writing, and the number that the next row gets.
struct Desk<'t> {
    seen: Table<'t, UpdateRow, i128>,
    seen_events: Table<'t, EventRow, i128>,
    chats: Table<'t, (i64, i64), &'static [u8]>,
    sends: Table<'t, (i64, i64, u64), &'static [u8]>,
    operations: Table<'t, (u8, u64), &'static [u8]>,
    parked: Table<'t, u64, &'static [u8]>,
    bots: Table<'t, i64, &'static [u8]>,
    meta: Table<'t, &'static str, &'static [u8]>,
    next: u64,
}

impl<'t> Desk<'t> {
    fn open(transaction: &'t WriteTransaction, next: u64) -> Result<Self, redb::Error> {
        Ok(Self {
            seen: transaction.open_table(SEEN)?,
            seen_events: transaction.open_table(SEEN_EVENTS)?,
            chats: transaction.open_table(CHATS)?,
            sends: transaction.open_table(SENDS)?,
            operations: transaction.open_table(OPERATIONS)?,
            parked: transaction.open_table(PARKED)?,
            bots: transaction.open_table(BOTS)?,
            meta: transaction.open_table(META)?,
            next,
        })
    }

    fn carry_out(&mut self, task: &Task) -> Result<Outcome, redb::Error> {
        match task {
            Task::Change(rows) => self.change(rows),
            Task::Forget { marks, before } => self.forget(marks, *before),
        }
    }

    fn change(&mut self, rows: &Rows) -> Result<Outcome, redb::Error> {
        if let Some((mark, at)) = rows.seen {
            if self.seen_at(mark)?.is_some() {
                return Ok(Outcome::Duplicate);
            }
            match mark {
                Mark::Update(update) => drop(self.seen.insert(update, at)?),
                Mark::Event(event) => drop(self.seen_events.insert(event, at)?),
            }
        }
        self.append(rows)?;
        self.remove(rows)?;
        self.keep(rows)?;
        Ok(Outcome::Done)
    }

    fn append(&mut self, rows: &Rows) -> Result<(), redb::Error> {
        for (key, record) in &rows.chats {
            self.chats.insert(key, record.as_slice())?;
        }
        for ((channel, chat), outgoing) in &rows.sends {
            let number = self.number();
            self.sends.insert((*channel, *chat, number), outgoing.as_slice())?;
        }
        for (lane, operation) in &rows.operations {
            let number = self.number();
            self.operations.insert((*lane, number), operation.as_slice())?;
        }
        for parked in &rows.parked {
            let number = self.number();
            self.parked.insert(number, parked.as_slice())?;
        }
        Ok(())
    }

    fn remove(&mut self, rows: &Rows) -> Result<(), redb::Error> {
        for key in &rows.sent {
            self.sends.remove(key)?;
        }
        for key in &rows.answered {
            self.operations.remove(key)?;
        }
        Ok(())
    }

    fn keep(&mut self, rows: &Rows) -> Result<(), redb::Error> {
        if let Some(identity) = &rows.identity {
            self.meta.insert(IDENTITY, identity.as_slice())?;
        }
        for (bot, json) in &rows.bots {
            self.bots.insert(bot, json.as_slice())?;
        }
        for bot in &rows.forget_bots {
            self.bots.remove(bot)?;
        }
        Ok(())
    }

    fn forget(&mut self, marks: &[Mark], before: i128) -> Result<Outcome, redb::Error> {
        let mut forgotten = 0;
        for mark in marks {
            if self.seen_at(*mark)?.is_some_and(|at| at < before) {
                match *mark {
                    Mark::Update(update) => drop(self.seen.remove(update)?),
                    Mark::Event(event) => drop(self.seen_events.remove(event)?),
                }
                forgotten += 1;
            }
        }
        Ok(Outcome::Forgotten(forgotten))
    }

    fn seen_at(&self, mark: Mark) -> Result<Option<i128>, redb::Error> {
        Ok(match mark {
            Mark::Update(update) => self.seen.get(update)?.map(|at| at.value()),
            Mark::Event(event) => self.seen_events.get(event)?.map(|at| at.value()),
        })
    }

    fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }
}
