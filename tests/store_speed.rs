//! How many changes a second the store takes. Not part of the tests: a number means something only beside that of the bare disk.
//!
//! `cargo test --release --test store_speed -- --ignored --nocapture`; `TMPDIR` chooses the disk.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chatbridge::domain::{
    ChannelId, ChatId, ChatKey, ChatRecord, ConversationKey, Formatted, Markup, Operation, OperationBody, OperationKey, Outgoing, Profile, Request,
    TelegramBotId, UpdateId, UserId,
};
use chatbridge::ports::{Cause, Change, Lane, Store};
use chatbridge::store::RedbStore;
use jiff::Timestamp;
use ulid::Ulid;

const TIME: Duration = Duration::from_secs(4);
const CHATS: i64 = 20_000;

/// One update of a dialog: 600 bytes of state, a message of 500, an operation of 350.
fn change(update: i64) -> Change {
    let to = ChatKey { channel: ChannelId(1), chat: ChatId(update % CHATS) };
    let conversation = ConversationKey(Ulid(update.unsigned_abs().into()));
    let profile = Profile { user: UserId(update), first_name: "x".repeat(540), last_name: None, username: None, language_code: None };
    let text = Formatted { text: "y".repeat(360), entities: Vec::new() };
    let body = OperationBody::MessageFailed { conversation, sequence: 1, reason: "z".repeat(180) };
    Change {
        seen: Some((Cause::Update(TelegramBotId(1), UpdateId(update)), Timestamp::now())),
        chats: vec![(to, ChatRecord { profile: Some(profile), ..ChatRecord::default() })],
        sends: vec![Outgoing { to, conversation, sequence: 1, request: Request::Say { text, markup: Markup::Nothing }, confirm: false }],
        operations: vec![(Lane(0), Operation { key: OperationKey::draw(), at: Timestamp::now(), body })],
        ..Change::default()
    }
}

/// The middle and the hundredth-worst of the times.
fn spread(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

async fn committer(store: Arc<dyn Store>, next: Arc<AtomicI64>, until: Instant) -> Vec<Duration> {
    let mut times = Vec::new();
    while Instant::now() < until {
        let begun = Instant::now();
        store.commit(change(next.fetch_add(1, Ordering::Relaxed))).await.expect("commit");
        times.push(begun.elapsed());
    }
    times
}

async fn measure(committers: usize) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let store: Arc<dyn Store> = Arc::new(RedbStore::open(folder.path()).expect("it opens"));
    let (next, until) = (Arc::new(AtomicI64::new(0)), Instant::now() + TIME);
    let tasks: Vec<_> = (0..committers).map(|_| tokio::spawn(committer(Arc::clone(&store), Arc::clone(&next), until))).collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.expect("task"));
    }
    let rate = times.len() as f64 / TIME.as_secs_f64();
    let (middle, worst) = spread(times);
    format!("{committers:4} committers: {rate:8.0} changes/s, p50 {middle:?}, p99 {worst:?}")
}

fn bare_disk() -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = File::create(folder.path().join("probe")).expect("a file");
    let flush = |_| {
        let begun = Instant::now();
        file.write_all(&[7; 1500]).and_then(|()| file.sync_data()).expect("a flush");
        begun.elapsed()
    };
    let (middle, worst) = spread((0..500).map(flush).collect());
    format!("bare 1.5 kB append and fdatasync: p50 {middle:?}, p99 {worst:?}")
}

#[test]
#[ignore = "a measurement"]
fn speed() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let mut lines = vec![bare_disk()];
    lines.extend([1, 32, 256].map(|committers| runtime.block_on(measure(committers))));
    std::io::stdout().write_all((lines.join("\n") + "\n").as_bytes()).expect("somebody reads");
}
