//! Kills a process in the middle of its commits, again and again on the same folder: what it was told to be safe must be there, whole.
//!
//! Each chat has one task that commits change 1, 2, 3, …; change `n` appends two messages and an operation, keeps a bot, writes `n` into
//! the working copy, marks update `n`, and removes what change `n - WINDOW` appended. So after change `n` a chat has exactly one right state,
//! and after a kill that `n` is the last one acknowledged or the one after it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chatbridge::domain::BotId;
use chatbridge::domain::{
    ChannelId, ChatId, ChatKey, ChatRecord, ConversationKey, EventKey, Formatted, Markup, Operation, OperationBody, OperationKey, Outgoing, Profile,
    Request, TelegramBotId, UpdateId, UserId,
};
use chatbridge::ports::{Cause, Change, Committed, Lane, Store};
use chatbridge::store::RedbStore;
use jiff::Timestamp;
use tokio::runtime::Builder;
use ulid::Ulid;

const FOLDER: &str = "CHATBRIDGE_STORE_KILL_FOLDER";
const CHATS: u8 = 24;
const WINDOW: u32 = 5;
const ROUNDS: u32 = 8;

/// What a chat has in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Facts {
    record: u32,
    sends: Vec<u32>,
    operations: Vec<u32>,
    kept: u32,
    marked: bool,
}

impl Facts {
    /// What it should have after change `n`.
    fn after(n: u32) -> Self {
        let window: Vec<u32> = (n.saturating_sub(WINDOW) + 1..=n).collect();
        let sends = window.iter().flat_map(|n| [*n, *n]).collect();
        Self { record: n, sends, operations: window, kept: n, marked: n > 0 }
    }
}

/// Are the facts right, when change `acknowledged` was the last one that was told to be safe?
fn verify(acknowledged: u32, facts: &Facts) -> Result<(), String> {
    let allowed = [acknowledged, acknowledged + 1];
    if allowed.iter().any(|n| *facts == Facts::after(*n)) {
        return Ok(());
    }
    Err(format!("{acknowledged} was acknowledged, found {facts:?}"))
}

fn key(chat: u8) -> ChatKey {
    ChatKey { channel: ChannelId(1), chat: ChatId(-i64::from(chat)) }
}

fn bot(chat: u8) -> TelegramBotId {
    TelegramBotId(chat.into())
}

fn record(n: u32) -> ChatRecord {
    let name = format!("{n} {}", "x".repeat(600));
    let profile = Profile { user: UserId(1), first_name: name, last_name: None, username: None, language_code: None };
    ChatRecord { profile: Some(profile), ..ChatRecord::default() }
}

fn number_in(record: &ChatRecord) -> u32 {
    let name = &record.profile.as_ref().expect("every record has one").first_name;
    name.split(' ').next().and_then(|n| n.parse().ok()).expect("it begins with a number")
}

fn outgoing(chat: u8, n: u32) -> Outgoing {
    let text = Formatted { text: "y".repeat(300), entities: Vec::new() };
    let request = Request::Say { text, markup: Markup::Nothing };
    Outgoing { to: key(chat), conversation: ConversationKey(Ulid(0)), sequence: n, request, confirm: false }
}

fn operation(n: u32) -> Operation {
    let body = OperationBody::MessageFailed { conversation: ConversationKey(Ulid(0)), sequence: n, reason: String::new() };
    Operation { key: OperationKey(Ulid(n.into())), at: Timestamp::UNIX_EPOCH, body }
}

fn number_of(operation: &Operation) -> u32 {
    match &operation.body {
        OperationBody::MessageFailed { sequence, .. } => *sequence,
        other => panic!("no such operation was committed: {other:?}"),
    }
}

/// Updates and events in turn.
fn mark(chat: u8, n: u32) -> Option<(Cause, Timestamp)> {
    let event = EventKey(Ulid::from_parts(chat.into(), n.into()));
    let cause = if n.is_multiple_of(2) { Cause::Event(event) } else { Cause::Update(bot(chat), UpdateId(n.into())) };
    Some((cause, Timestamp::UNIX_EPOCH))
}

fn change(store: &dyn Store, chat: u8, n: u32) -> Change {
    let old = n.checked_sub(WINDOW);
    let mut sends = store.sends(key(chat), 2).expect("sends");
    let mut operations = store.operations(Lane(chat), 1).expect("operations");
    sends.retain(|stored| Some(stored.outgoing.sequence) == old);
    operations.retain(|stored| Some(number_of(&stored.operation)) == old);
    Change {
        seen: mark(chat, n),
        chats: vec![(key(chat), record(n))],
        sends: vec![outgoing(chat, n), outgoing(chat, n)],
        operations: vec![(Lane(chat), operation(n))],
        sent: sends.iter().map(|stored| stored.id).collect(),
        answered: operations.iter().map(|stored| (Lane(chat), stored.number)).collect(),
        bots: vec![(BotId(chat.into()), serde_json::json!(n))],
        ..Change::default()
    }
}

fn facts(store: &dyn Store, chat: u8) -> Facts {
    let sends = store.sends(key(chat), usize::MAX).expect("sends");
    let operations = store.operations(Lane(chat), usize::MAX).expect("operations");
    let record = store.chat(key(chat)).expect("chat").map_or(0, |record| number_in(&record));
    let bots = store.bots().expect("bots");
    let kept = bots.iter().find(|(bot, _)| bot.0 == i64::from(chat)).and_then(|(_, json)| json.as_u64());
    Facts {
        record,
        sends: sends.iter().map(|stored| stored.outgoing.sequence).collect(),
        operations: operations.iter().map(|stored| number_of(&stored.operation)).collect(),
        kept: kept.map_or(0, |n| u32::try_from(n).expect("small")),
        marked: record > 0 && is_marked(store, chat, record),
    }
}

fn is_marked(store: &dyn Store, chat: u8, n: u32) -> bool {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let again = Change { seen: mark(chat, n), ..Change::default() };
    runtime.block_on(store.commit(again)).expect("commit") == Committed::Duplicate
}

/// Not a test: what the killed process does.
#[test]
fn commits_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store: Arc<dyn Store> = Arc::new(RedbStore::open(Path::new(&folder)).expect("it opens"));
    let runtime = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (0..CHATS).map(|chat| tokio::spawn(commit_for_ever(Arc::clone(&store), chat))).collect();
        for task in tasks {
            task.await.expect("a task that never ends");
        }
    });
}

async fn commit_for_ever(store: Arc<dyn Store>, chat: u8) {
    let last = store.chat(key(chat)).expect("chat").map_or(0, |record| number_in(&record));
    for n in last + 1.. {
        let committed = store.commit(change(&*store, chat, n)).await.expect("commit");
        assert_eq!(committed, Committed::Done, "update {n} of chat {chat} was marked already");
        let line = format!("\nsafe {chat} {n}\n");
        std::io::stdout().write_all(line.as_bytes()).expect("the parent reads");
    }
}

/// Runs the process for a while and kills it. The last acknowledged change of each chat, given the ones before.
fn run_and_kill(folder: &Path, lifetime: Duration, mut acknowledged: Vec<u32>) -> Vec<u32> {
    let this = std::env::current_exe().expect("this program");
    let arguments = ["commits_until_killed", "--exact", "--nocapture"];
    let mut child = Command::new(this).args(arguments).env(FOLDER, folder).stdout(Stdio::piped()).spawn().expect("a child");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let (mut running, mut killer) = (Some(child), None);
    for line in lines {
        let Some((chat, n)) = acknowledgement(&line.expect("text")) else { continue };
        let last = &mut acknowledged[usize::from(chat)];
        *last = n.max(*last);
        killer = killer.or_else(|| running.take().map(|child| kill_later(child, lifetime)));
    }
    killer.expect("the child acknowledged something").join().expect("the killer");
    acknowledged
}

fn kill_later(mut child: Child, lifetime: Duration) -> JoinHandle<()> {
    thread::spawn(move || {
        thread::sleep(lifetime);
        assert_eq!(child.try_wait().expect("its state"), None, "the child ended by itself");
        child.kill().expect("SIGKILL");
        child.wait().expect("its end");
    })
}

/// What a line says is safe. One that the kill cut short says less, never more.
fn acknowledgement(line: &str) -> Option<(u8, u32)> {
    let (chat, n) = line.strip_prefix("safe ")?.split_once(' ')?;
    Some((chat.parse().ok()?, n.parse().ok()?))
}

#[test]
fn what_was_acknowledged_survives_a_kill_whole() {
    if std::env::var_os(FOLDER).is_some() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut acknowledged = vec![0; CHATS.into()];
    for round in 0..ROUNDS {
        let lifetime = Duration::from_millis(20 + (Ulid::generate().0 % 200) as u64);
        acknowledged = run_and_kill(folder.path(), lifetime, acknowledged);
        let store = RedbStore::open(folder.path()).expect("it opens after a kill");
        for chat in 0..CHATS {
            let facts = facts(&store, chat);
            if let Err(fault) = verify(acknowledged[usize::from(chat)], &facts) {
                panic!("round {round}, {lifetime:?}, chat {chat}: {fault}");
            }
            acknowledged[usize::from(chat)] = facts.record;
        }
    }
    assert!(acknowledged.iter().all(|n| *n >= ROUNDS), "each chat went on in each round: {acknowledged:?}");
}

/// The verifier finds each kind of damage; else the test above would prove nothing.
#[test]
fn the_verifier_finds_damage() {
    let good = Facts::after(9);
    assert_eq!((verify(9, &good), verify(8, &good)), (Ok(()), Ok(())));
    assert!(verify(10, &good).is_err(), "an acknowledged change is lost");
    assert!(verify(7, &good).is_err(), "two changes were under way in one chat");
    let damaged = |damage: fn(&mut Facts)| {
        let mut facts = good.clone();
        damage(&mut facts);
        assert!(verify(9, &facts).is_err() && verify(8, &facts).is_err(), "{facts:?} passed");
    };
    damaged(|facts| facts.record = 8);
    damaged(|facts| facts.kept = 8);
    damaged(|facts| facts.marked = false);
    damaged(|facts| facts.sends.truncate(9));
    damaged(|facts| facts.sends.swap(0, 9));
    damaged(|facts| facts.sends.insert(0, 4));
    damaged(|facts| facts.operations.truncate(4));
    damaged(|facts| facts.operations.push(10));
    damaged(|facts| facts.operations.insert(0, 4));
}
