//! Opening a store: what is made, with which modes, and what people read when it cannot be opened.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chatbridge::domain::{BotId, EventKey, TelegramBotId, UpdateId};
use chatbridge::ports::{Cause, Change, Committed, Store};
use chatbridge::store::{OpenError, RedbStore};
use jiff::Timestamp;
use redb::{Database, ReadableDatabase, TableDefinition};
use tempfile::{TempDir, tempdir};

fn folder() -> TempDir {
    tempdir().expect("a folder")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

/// The one line that people read, with the folder's random name taken out.
fn refusal(folder: &Path) -> (OpenError, String) {
    let error = RedbStore::open(folder).map(drop).expect_err("it must not open");
    let text = error.to_string().replace(&folder.display().to_string(), "FOLDER");
    assert!(!text.contains('\n'), "{text}");
    (error, text)
}

#[test]
fn a_new_store_is_for_its_owner_only() {
    let parent = folder();
    let path = parent.path().join("var/lib/chatbridge");
    drop(RedbStore::open(&path).expect("it opens"));
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join("chatbridge.redb")), 0o600);
    assert!(!path.join("chatbridge.redb.new").exists());
}

#[test]
fn a_folder_that_was_there_keeps_its_mode_and_a_loose_file_is_tightened() {
    let folder = folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    drop(RedbStore::open(folder.path()).expect("it opens"));
    let file = folder.path().join("chatbridge.redb");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("it is ours");
    drop(RedbStore::open(folder.path()).expect("it opens"));
    assert_eq!((mode(folder.path()), mode(&file)), (0o755, 0o600));
}

#[test]
fn each_new_store_has_an_id_of_its_own() {
    let id = |folder: &TempDir| RedbStore::open(folder.path()).expect("it opens").identity().expect("identity").store_id;
    let (one, other) = (folder(), folder());
    assert_ne!(id(&one), id(&other));
    assert_eq!(id(&one), id(&one));
}

#[test]
fn a_store_is_open_once_only() {
    let folder = folder();
    let store = RedbStore::open(folder.path()).expect("it opens");
    let (error, text) = refusal(folder.path());
    assert!(matches!(error, OpenError::InUse { .. }));
    assert_eq!(text, "another bridge has the store FOLDER open: stop it first, or give this one a folder of its own");
    drop(store);
    RedbStore::open(folder.path()).expect("it opens now");
}

#[test]
fn a_file_in_the_way_of_the_folder_is_named() {
    let parent = folder();
    let path = parent.path().join("store");
    fs::write(&path, "in the way").expect("a file");
    let (error, text) = refusal(&path);
    assert!(matches!(error, OpenError::Folder { .. }), "{error:?}");
    assert_eq!(text, "the store's folder FOLDER cannot be made (File exists (os error 17)): make it yourself, or name another one");
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let folder = folder();
    drop(RedbStore::open(folder.path()).expect("it opens"));
    let file = folder.path().join("chatbridge.redb");
    set_format(&file, 9);
    let (error, text) = refusal(folder.path());
    assert!(matches!(error, OpenError::Newer { found: 9, .. }), "{error:?}");
    assert_eq!(text, "the store FOLDER/chatbridge.redb has format 9, this bridge knows up to 2: start the newer bridge that wrote it");
    set_format(&file, 2);
    RedbStore::open(folder.path()).expect("it opens again");
}

/// What the first bridge left is taken over whole; from then on that bridge refuses the file with the line above, since it could not read consultations.
#[tokio::test]
async fn a_file_of_the_former_format_is_raised() {
    let folder = folder();
    let store = RedbStore::open(folder.path()).expect("it opens");
    let identity = store.identity().expect("identity");
    let kept = Change { bots: vec![(BotId(1), serde_json::json!({"hash": "a"}))], seen: Some(update()), ..Change::default() };
    assert_eq!(store.commit(kept).await, Ok(Committed::Done));
    drop(store);
    let file = folder.path().join("chatbridge.redb");
    make_of_the_first_format(&file);
    for _ in 0..2 {
        let store = RedbStore::open(folder.path()).expect("it opens");
        assert_eq!(store.identity().expect("identity"), identity);
        assert_eq!(store.bots(), Ok(vec![(BotId(1), serde_json::json!({"hash": "a"}))]));
        assert_eq!(store.commit(Change { seen: Some(update()), ..Change::default() }).await, Ok(Committed::Duplicate));
        drop(store);
        assert_eq!(format(&file), 2);
    }
    let store = RedbStore::open(folder.path()).expect("it opens");
    let event = || Some((Cause::Event(EventKey::draw()), Timestamp::UNIX_EPOCH));
    assert_eq!(store.commit(Change { seen: event(), ..Change::default() }).await, Ok(Committed::Done), "it can mark events now");
}

fn update() -> (Cause, Timestamp) {
    (Cause::Update(TelegramBotId(1), UpdateId(7)), Timestamp::UNIX_EPOCH)
}

/// As the first bridge wrote it: without marks of events.
fn make_of_the_first_format(file: &Path) {
    let database = Database::open(file).expect("a redb file");
    let transaction = database.begin_write().expect("a transaction");
    let marks: TableDefinition<u128, i128> = TableDefinition::new("seen_events");
    assert!(transaction.delete_table(marks).expect("it is deleted"));
    transaction.commit().expect("commit");
    drop(database);
    set_format(file, 1);
}

fn format(file: &Path) -> u64 {
    let database = Database::open(file).expect("a redb file");
    let counters: TableDefinition<&str, u64> = TableDefinition::new("counters");
    let transaction = database.begin_read().expect("a transaction");
    transaction.open_table(counters).expect("the table").get("format").expect("read").expect("there").value()
}

fn set_format(file: &Path, format: u64) {
    let database = Database::open(file).expect("a redb file");
    let transaction = database.begin_write().expect("a transaction");
    let counters: TableDefinition<&str, u64> = TableDefinition::new("counters");
    transaction.open_table(counters).expect("the table").insert("format", format).expect("it is written");
    transaction.commit().expect("commit");
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let folder = folder();
    let file = folder.path().join("chatbridge.redb");
    let content = "It was a dark and stormy night. ".repeat(1000);
    fs::write(&file, &content).expect("a file");
    let (error, text) = refusal(folder.path());
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert_eq!(
        text,
        "the store FOLDER/chatbridge.redb is damaged (Not a redb database: magic number mismatch): restore it, or move it away and start anew \
         (conversations come back from Odoo; what had not been sent is lost)"
    );
    assert_eq!(fs::read_to_string(&file).expect("it is there"), content);
}

#[test]
fn a_foreign_database_is_refused() {
    let folder = folder();
    drop(Database::create(folder.path().join("chatbridge.redb")).expect("a redb file"));
    let (error, text) = refusal(folder.path());
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert!(text.contains("(it is not a store of this bridge)"), "{text}");
}

#[test]
fn a_file_cut_short_is_refused() {
    let folder = folder();
    drop(RedbStore::open(folder.path()).expect("it opens"));
    let file = OpenOptions::new().write(true).open(folder.path().join("chatbridge.redb")).expect("it is there");
    file.set_len(3000).expect("it is cut");
    let (error, _) = refusal(folder.path());
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
}

#[test]
fn an_overwritten_head_is_refused() {
    let folder = folder();
    drop(RedbStore::open(folder.path()).expect("it opens"));
    let mut file = OpenOptions::new().write(true).open(folder.path().join("chatbridge.redb")).expect("it is there");
    file.seek(SeekFrom::Start(0)).expect("the start");
    file.write_all(&[0; 512]).expect("it is overwritten");
    let (error, _) = refusal(folder.path());
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
}

/// redb cannot open a file whose making was cut short; so it is made beside its place.
#[test]
fn a_making_that_was_cut_short_is_begun_anew() {
    let folder = folder();
    fs::write(folder.path().join("chatbridge.redb.new"), [0; 5000]).expect("a file");
    drop(RedbStore::open(folder.path()).expect("it opens"));
    assert!(!folder.path().join("chatbridge.redb.new").exists());
}

#[tokio::test]
async fn a_dropped_store_has_finished_what_waited() {
    let folder = folder();
    let store = RedbStore::open(folder.path()).expect("it opens");
    let change = Change { bots: vec![(BotId(1), serde_json::json!({"hash": "a"}))], ..Change::default() };
    assert_eq!(store.commit(change).await, Ok(Committed::Done));
    drop(store);
    let store = RedbStore::open(folder.path()).expect("it opens");
    assert_eq!(store.bots(), Ok(vec![(BotId(1), serde_json::json!({"hash": "a"}))]));
}
