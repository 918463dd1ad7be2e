//! What the store does when its disk fails: every write, flush and growth of a history fails in turn, before or after it took effect.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use redb::backends::FileBackend;
use redb::{BackendError, Builder, StorageBackend};

use super::RedbStore;
use super::file::{Opener, builder};
use crate::domain::{TelegramBotId, UpdateId};
use crate::ports::contract::store::samples::{chat, instant, operation, outgoing, record};
use crate::ports::{Cause, Certainty, Change, Class, Committed, Failure, Lane, Store};

/// When the disk fails, and how.
#[derive(Debug)]
struct Plan {
    /// So many changes of the disk go well before one fails; negative: that was long ago.
    left: AtomicI64,
    /// The one that fails takes effect all the same.
    late: bool,
    /// A change that panics instead of failing.
    panics: bool,
    /// Everything fails, reads too.
    dead: AtomicBool,
}

impl Plan {
    fn new(left: i64, late: bool) -> Arc<Self> {
        Arc::new(Self { left: AtomicI64::new(left), late, panics: false, dead: AtomicBool::new(false) })
    }

    fn never() -> Arc<Self> {
        Self::new(i64::MAX, false)
    }

    fn fail_next(&self) {
        self.left.store(0, Ordering::SeqCst);
    }

    fn failed(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }

    fn alive(&self) -> io::Result<()> {
        if self.dead.load(Ordering::SeqCst) { Err(io::Error::other("the disk is gone")) } else { Ok(()) }
    }

    fn change(&self, effect: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.alive()?;
        if self.left.fetch_sub(1, Ordering::SeqCst) != 0 {
            return effect();
        }
        assert!(!self.panics, "a panic on purpose");
        if self.late {
            effect()?;
        }
        Err(io::Error::from(ErrorKind::StorageFull))
    }
}

#[derive(Debug)]
struct FailingDisk {
    file: FileBackend,
    plan: Arc<Plan>,
}

type Locked = Result<bool, BackendError>;

impl StorageBackend for FailingDisk {
    fn len(&self) -> io::Result<u64> {
        self.plan.alive()?;
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.plan.alive()?;
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.plan.change(|| self.file.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.plan.change(|| self.file.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.plan.change(|| self.file.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked {
        self.file.try_lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked {
        self.file.query_lock_range(start, end)
    }
}

fn disk(plan: &Arc<Plan>, builder: fn() -> Builder) -> Opener {
    let plan = Arc::clone(plan);
    Box::new(move |file| {
        let disk = FailingDisk { file: FileBackend::new(file)?, plan: Arc::clone(&plan) };
        Ok(builder().create_with_backend(disk)?)
    })
}

fn open(folder: &Path, plan: &Arc<Plan>) -> RedbStore {
    RedbStore::open_with(folder, disk(plan, builder)).expect("it opens")
}

/// The change of an update, big enough to make the file grow now and then.
fn change(update: u32) -> Change {
    let key = chat(1, i64::from(update));
    Change {
        seen: Some((Cause::Update(TelegramBotId(1), UpdateId(update.into())), instant(0))),
        chats: vec![(key, record(&"x".repeat(60_000)))],
        sends: vec![outgoing(key, 1), outgoing(key, 2)],
        operations: vec![(Lane(0), operation(update))],
        ..Change::default()
    }
}

/// Is the change of an update in the store? Panics when it is there in part.
fn is_whole(store: &RedbStore, update: u32) -> bool {
    let key = chat(1, update.into());
    let has_chat = store.chat(key).expect("chat").is_some();
    let sends = store.sends(key, 10).expect("sends").len();
    let operations = store.operations(Lane(0), usize::MAX).expect("operations");
    let has_operation = operations.iter().any(|stored| stored.operation == operation(update));
    assert!(matches!((has_chat, sends, has_operation), (true, 2, true) | (false, 0, false)), "update {update} is there in part");
    has_chat
}

/// What the callers were told, by update.
type Told = BTreeMap<u32, Result<Committed, Failure>>;

fn check(store: &RedbStore, told: &Told) {
    for (update, result) in told {
        assert_eq!(is_whole(store, *update), result.is_ok(), "update {update} was told {result:?}");
    }
}

/// Commits updates, three at once, until each is in; what fails is repeated.
async fn history(store: &RedbStore, told: &mut Told) {
    for first in (0..6).step_by(3) {
        let results = futures_util::future::join_all((first..first + 3).map(|update| store.commit(change(update)))).await;
        told.extend((first..).zip(results));
        let failed: Vec<_> = told.iter().filter(|(_, result)| result.is_err()).map(|(update, _)| *update).collect();
        check_failures(told);
        if !failed.is_empty() {
            check(store, told); // opened anew, or read from the file as it was
        }
        for update in failed {
            let again = store.commit(change(update)).await;
            assert_eq!(again, Ok(Committed::Done), "a failed change left its mark, or the store did not recover");
            told.insert(update, again);
        }
    }
}

fn check_failures(told: &Told) {
    for failure in told.values().filter_map(|result| result.as_ref().err()) {
        assert_eq!((failure.class, failure.certainty), (Class::Transient, Certainty::NotDone));
        assert_eq!(failure.reason, "the disk is full: the store takes nothing until there is space");
    }
}

/// Runs the history on a disk whose change number `left` fails. Is there one?
async fn survives(left: i64, late: bool) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    drop(open(folder.path(), &Plan::never()));
    let plan = Plan::new(left, late);
    let Ok(store) = RedbStore::open_with(folder.path(), disk(&plan, builder)) else { return true };
    let mut told = Told::new();
    history(&store, &mut told).await;
    check(&store, &told);
    let failed = plan.failed();
    drop(store);
    check(&open(folder.path(), &Plan::never()), &told);
    failed
}

async fn survive_everywhere(late: bool) {
    let mut left = 0;
    while survives(left, late).await {
        left += 1;
    }
    assert!(left > 40, "the disk failed {left} times only");
}

#[tokio::test]
async fn a_write_that_fails_anywhere_is_told_and_leaves_nothing() {
    survive_everywhere(false).await;
}

/// Here the last flush of a commit "fails" after the commit is in the file.
#[tokio::test]
async fn a_write_that_fails_after_it_took_effect_is_told_as_it_was() {
    survive_everywhere(true).await;
}

/// redb holds locks while it works; after a panic it cannot even be closed. So nothing waits for ever, and a new start finds all of it.
#[tokio::test]
async fn a_panic_stops_the_store_without_a_hang() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = Arc::new(Plan { left: AtomicI64::new(i64::MAX), late: false, panics: true, dead: AtomicBool::new(false) });
    let store = open(folder.path(), &plan);
    assert_eq!(store.commit(change(1)).await, Ok(Committed::Done));
    plan.fail_next();
    let failure = store.commit(change(2)).await.expect_err("the disk panics");
    assert_eq!((failure.class, failure.certainty), (Class::Transient, Certainty::Unknown));
    // Until the writer's thread has ended, a change may still find its way into the queue, and out of it again unheard.
    loop {
        let failure = store.commit(change(3)).await.expect_err("it has stopped");
        assert_eq!(failure.class, Class::Transient);
        if failure.certainty == Certainty::NotDone {
            break;
        }
    }
    drop(store);
}

/// While nobody can tell whether a batch is in the file, its callers wait, and others are refused.
#[tokio::test]
async fn a_dead_disk_refuses_and_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = Plan::never();
    let store = Arc::new(open(folder.path(), &plan));
    assert_eq!(store.commit(change(1)).await, Ok(Committed::Done));
    plan.dead.store(true, Ordering::SeqCst);
    let unsure = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.commit(change(2)).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let failure = store.commit(change(3)).await.expect_err("the disk is dead");
    assert_eq!((failure.class, failure.certainty), (Class::Transient, Certainty::NotDone));
    assert!(store.counts().is_err_and(|failure| failure.class == Class::Transient));
    plan.dead.store(false, Ordering::SeqCst);
    let told = unsure.await.expect("task");
    assert_eq!(store.commit(change(4)).await, Ok(Committed::Done));
    assert_eq!(is_whole(&store, 2), told.is_ok());
    assert!(is_whole(&store, 1) && !is_whole(&store, 3) && is_whole(&store, 4));
}

/// A read that failed has made redb refuse everything; nobody needs to commit for reads to work again.
#[tokio::test]
async fn reads_come_back_by_themselves() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = Plan::never();
    let forgetful = || {
        let mut builder = builder();
        builder.set_cache_size(0);
        builder
    };
    let store = RedbStore::open_with(folder.path(), disk(&plan, forgetful)).expect("it opens");
    assert_eq!(store.commit(change(1)).await, Ok(Committed::Done));
    plan.dead.store(true, Ordering::SeqCst);
    assert!(store.chat(chat(1, 1)).is_err());
    plan.dead.store(false, Ordering::SeqCst);
    for _ in 0..200 {
        if store.chat(chat(1, 1)).is_ok() {
            return assert!(is_whole(&store, 1));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the store stayed closed");
}
