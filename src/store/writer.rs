//! The thread that does all writing: many changes, one flush.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{io, mem};

use redb::{Database, Error, ReadableDatabase, WriteTransaction};
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

use super::batch::{self, Batch, Outcome, Task};
use super::facts::BATCH;
use super::file::{self, StoreFile};
use super::tables::COUNTERS;
use super::{failure, reads};
use crate::ports::Failure;

/// Tasks that may wait; who brings one more waits until there is room.
const WAITING: usize = 8192;
/// Tasks that share one flush, at most.
const TOGETHER: usize = 4096;
/// Between two attempts to open the file when that fails.
const PAUSE: Duration = Duration::from_millis(250);

/// Where the outcome of a task goes.
type Answer = oneshot::Sender<Result<Outcome, Failure>>;

/// A task, and who waits for it.
#[derive(Debug)]
pub(super) struct Request {
    /// The task.
    pub(super) task: Task,
    /// Where its outcome goes.
    pub(super) answer: Answer,
}

/// Starts the thread. It ends, when all that waits is done, once the sender is dropped.
pub(super) fn start(file: Arc<StoreFile>) -> io::Result<(mpsc::Sender<Request>, JoinHandle<()>)> {
    let (sender, requests) = mpsc::channel(WAITING);
    let writer = Writer { file, requests, unsure: None };
    let thread = thread::Builder::new().name("store-writer".to_owned()).spawn(move || writer.run())?;
    Ok((sender, thread))
}

struct Writer {
    file: Arc<StoreFile>,
    requests: mpsc::Receiver<Request>,
    /// The batch that redb is committing: whether it is in the file is unknown until redb says so.
    unsure: Option<Batch>,
}

impl Writer {
    fn run(mut self) {
        while let Some(first) = self.requests.blocking_recv() {
            let (tasks, answers) = self.gather(first);
            self.write(&tasks, answers);
        }
    }

    /// Takes what waits already. Waiting for more would only add delay: while one batch is flushed, the next one gathers by itself.
    fn gather(&mut self, first: Request) -> (Vec<Task>, Vec<Answer>) {
        let (mut tasks, mut answers) = (vec![first.task], vec![first.answer]);
        while tasks.len() < TOGETHER {
            let Ok(request) = self.requests.try_recv() else { break };
            tasks.push(request.task);
            answers.push(request.answer);
        }
        (tasks, answers)
    }

    fn write(&mut self, tasks: &[Task], answers: Vec<Answer>) {
        let failure = match self.attempt(tasks) {
            Ok(outcomes) => return tell(answers, outcomes),
            Err(error) => failure::of(&error),
        };
        match self.unsure.take() {
            Some(batch) => self.settle(batch, answers, failure),
            None => refuse(answers, &failure),
        }
    }

    fn attempt(&mut self, tasks: &[Task]) -> Result<Vec<Outcome>, Error> {
        let transaction = self.begin()?;
        let batch = batch::carry_out(&transaction, tasks)?;
        self.unsure = Some(batch);
        transaction.commit()?;
        Ok(self.unsure.take().map(|batch| batch.outcomes).unwrap_or_default())
    }

    /// After an I/O error redb refuses everything until it is opened anew.
    fn begin(&self) -> Result<WriteTransaction, Error> {
        self.file.write().or_else(|_| {
            self.file.reopen(|_| Ok(()))?;
            self.file.write()
        })
    }

    /// Finds out whether a batch is in the file, however long it takes; meanwhile nothing new is taken.
    fn settle(&mut self, batch: Batch, answers: Vec<Answer>, failure: Failure) {
        loop {
            match self.file.reopen(|database| happened(database, batch.number)) {
                Ok(true) => return tell(answers, batch.outcomes),
                Ok(false) => return refuse(answers, &failure),
                Err(error) => {
                    let newest = failure::of(&error);
                    tracing::warn!(store.failure = %newest, "the store cannot be opened after its disk failed; trying again");
                    if self.turn_away(&newest) == Turned::Closing {
                        return refuse(answers, &failure.uncertain());
                    }
                    thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Refuses what waits.
    fn turn_away(&mut self, failure: &Failure) -> Turned {
        loop {
            match self.requests.try_recv() {
                Ok(request) => refuse(vec![request.answer], failure),
                Err(TryRecvError::Empty) => return Turned::All,
                Err(TryRecvError::Disconnected) => return Turned::Closing,
            }
        }
    }
}

/// Who has been turned away.
#[derive(PartialEq, Eq)]
enum Turned {
    /// All that waited.
    All,
    /// Nobody comes any more.
    Closing,
}

/// Is this batch in the file? If so it is flushed once more: what can be read after a failed flush need not be on the disk.
fn happened(database: &Database, batch: u64) -> Result<bool, Error> {
    let last = reads::last_batch(&database.begin_read()?)?;
    if last < batch {
        return Ok(false);
    }
    let transaction = file::begin(database)?;
    transaction.open_table(COUNTERS)?.insert(BATCH, last)?;
    transaction.commit()?;
    Ok(true)
}

/// Whoever has stopped waiting is passed over.
fn tell(answers: Vec<Answer>, outcomes: Vec<Outcome>) {
    for (answer, outcome) in answers.into_iter().zip(outcomes) {
        mem::drop(answer.send(Ok(outcome)));
    }
}

fn refuse(answers: Vec<Answer>, failure: &Failure) {
    for answer in answers {
        mem::drop(answer.send(Err(failure.clone())));
    }
}
