//! What every store promises; the names say it.
#![expect(missing_docs, reason = "each function's name is the promise that it tests")]

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use ulid::Ulid;

use super::Home;
use super::samples::{ALL, chat, full_operation, full_outgoing, full_record, instant, operation, outgoing, record};
use crate::domain::{BotId, ChatKey, ConsultationKey, EventKey, Operation, Outgoing, TelegramBotId, UpdateId};
use crate::ports::{Cause, Change, Class, Committed, Counts, Lane, Parked, SendId, Store, StoreIdentity};

async fn done(store: &Arc<dyn Store>, change: Change) {
    assert_eq!(store.commit(change).await.expect("commit"), Committed::Done);
}

fn sends(store: &Arc<dyn Store>, chat: ChatKey) -> Vec<(u64, Outgoing)> {
    let found = store.sends(chat, ALL).expect("sends");
    found.into_iter().map(|stored| (stored.id.number, stored.outgoing)).collect()
}

fn operations(store: &Arc<dyn Store>, lane: u8) -> Vec<(u64, Operation)> {
    let found = store.operations(Lane(lane), ALL).expect("operations");
    found.into_iter().map(|stored| (stored.number, stored.operation)).collect()
}

fn second<T>(pairs: Vec<(u64, T)>) -> Vec<T> {
    pairs.into_iter().map(|(_, value)| value).collect()
}

fn seen(bot: i64, update: i64, second: i64) -> Option<(Cause, Timestamp)> {
    Some((Cause::Update(TelegramBotId(bot), UpdateId(update)), instant(second)))
}

fn event(key: u128, second: i64) -> Option<(Cause, Timestamp)> {
    Some((Cause::Event(EventKey(Ulid(key))), instant(second)))
}

/// Every part of a change at once.
fn everything(identity: StoreIdentity) -> Change {
    Change {
        seen: seen(5, 100, 1),
        chats: vec![(chat(1, 10), full_record())],
        sends: vec![full_outgoing(chat(1, 10)), outgoing(chat(1, 10), 2)],
        operations: full_operation().into_iter().map(|operation| (Lane(3), operation)).collect(),
        sent: vec![SendId { chat: chat(1, 10), number: 999 }],
        answered: vec![(Lane(3), 999)],
        parked: vec![Parked { operation: operation(1), reason: "no".to_owned() }],
        identity: Some(identity),
        bots: vec![(BotId(3), json!({"id": 3, "hash": "h", "texts": {"a": {"uk_UA": "Вітаємо"}}})), (BotId(4), json!(null))],
        forget_bots: vec![BotId(4)],
    }
}

pub async fn a_new_store_is_empty_and_has_an_id(home: impl Home) {
    let store = home.open();
    let identity = store.identity().expect("identity");
    assert_eq!(identity.store_id.len(), 26);
    assert_eq!((&identity.database_uuid, &identity.nonce), (&None, &None));
    assert_eq!(store.counts().expect("counts"), Counts::default());
    assert_eq!(store.chat(chat(1, 1)).expect("chat"), None);
    assert!(store.bots().expect("bots").is_empty());
    assert!(store.chats_with_sends().expect("chats").is_empty());
    drop(store);
    assert_eq!(home.open().identity().expect("identity"), identity);
}

pub async fn what_is_committed_is_read_and_survives_a_restart(home: impl Home) {
    let store = home.open();
    let identity = StoreIdentity { database_uuid: Some("uuid".to_owned()), nonce: Some("n1".to_owned()), ..store.identity().expect("identity") };
    done(&store, everything(identity.clone())).await;
    let check = |store: &Arc<dyn Store>| {
        assert_eq!(store.chat(chat(1, 10)).expect("chat"), Some(full_record()));
        assert_eq!(second(sends(store, chat(1, 10))), [full_outgoing(chat(1, 10)), outgoing(chat(1, 10), 2)]);
        assert_eq!(second(operations(store, 3)), full_operation());
        assert_eq!(store.chats_with_sends().expect("chats"), [chat(1, 10)]);
        assert_eq!(store.identity().expect("identity"), identity);
        let bots = store.bots().expect("bots");
        assert_eq!(bots, [(BotId(3), json!({"id": 3, "hash": "h", "texts": {"a": {"uk_UA": "Вітаємо"}}}))]);
    };
    check(&store);
    drop(store);
    let store = home.open();
    check(&store);
    assert_eq!(store.commit(everything(identity.clone())).await.expect("commit"), Committed::Duplicate);
    check(&store);
}

pub async fn sends_and_operations_keep_their_order(home: impl Home) {
    let store = home.open();
    let (here, there) = (chat(1, 10), chat(1, 11));
    for line in 0..20 {
        let sends = vec![outgoing(here, line * 2), outgoing(there, line), outgoing(here, line * 2 + 1)];
        let operations = vec![(Lane(0), operation(line * 2)), (Lane(1), operation(line)), (Lane(0), operation(line * 2 + 1))];
        done(&store, Change { sends, operations, ..Change::default() }).await;
    }
    let lines = |range: std::ops::Range<u32>| range.map(|line| outgoing(here, line)).collect::<Vec<_>>();
    assert_eq!(second(sends(&store, here)), lines(0..40));
    assert_eq!(second(operations(&store, 0)), (0..40).map(operation).collect::<Vec<_>>());
    assert_eq!(second(operations(&store, 1)), (0..20).map(operation).collect::<Vec<_>>());
    let oldest = store.sends(here, 3).expect("sends");
    assert_eq!(oldest.iter().map(|stored| stored.outgoing.clone()).collect::<Vec<_>>(), lines(0..3));
    assert!(oldest.iter().all(|stored| stored.id.chat == here));
    assert!(store.sends(here, 0).expect("sends").is_empty());
    assert_eq!(store.operations(Lane(0), 7).expect("operations").len(), 7);
}

pub async fn what_is_done_goes_away_and_its_number_never_returns(home: impl Home) {
    let store = home.open();
    let here = chat(1, 10);
    let line = |line| Change { sends: vec![outgoing(here, line)], operations: vec![(Lane(2), operation(line))], ..Change::default() };
    done(&store, line(1)).await;
    let (sent, answered) = (sends(&store, here)[0].0, operations(&store, 2)[0].0);
    let finish = Change { sent: vec![SendId { chat: here, number: sent }], answered: vec![(Lane(2), answered)], ..Change::default() };
    done(&store, finish.clone()).await;
    assert!(sends(&store, here).is_empty() && operations(&store, 2).is_empty());
    assert!(store.chats_with_sends().expect("chats").is_empty());
    drop(store);
    let store = home.open();
    done(&store, line(2)).await;
    done(&store, finish).await; // late, and harmless
    assert_eq!(second(sends(&store, here)), [outgoing(here, 2)]);
    assert_eq!(second(operations(&store, 2)), [operation(2)]);
}

pub async fn numbers_grow_over_restarts(home: impl Home) {
    let mut last = (0, 0);
    for line in 0..3 {
        let store = home.open();
        let change = Change { sends: vec![outgoing(chat(1, 10), line)], operations: vec![(Lane(0), operation(line))], ..Change::default() };
        done(&store, change).await;
        let newest = (sends(&store, chat(1, 10)).pop().expect("a message").0, operations(&store, 0).pop().expect("an operation").0);
        assert!(newest.0 > last.0 && newest.1 > last.1, "{newest:?} after {last:?}");
        last = newest;
    }
}

pub async fn a_known_update_changes_nothing(home: impl Home) {
    let store = home.open();
    done(&store, Change { seen: seen(1, 7, 0), ..Change::default() }).await;
    let identity = store.identity().expect("identity");
    let again = Change { seen: seen(1, 7, 99), ..everything(identity.clone()) };
    assert_eq!(store.commit(again).await.expect("commit"), Committed::Duplicate);
    assert_eq!(store.counts().expect("counts"), Counts::default());
    assert_eq!(store.identity().expect("identity"), identity);
    assert!(store.bots().expect("bots").is_empty());
    assert_eq!(store.prune_seen(instant(50)).await.expect("prune"), 1, "the mark keeps its first instant");
}

pub async fn of_many_at_once_with_one_mark_exactly_one_is_done(home: impl Home) {
    let store = home.open();
    let tasks: Vec<_> = (0..64)
        .map(|line| {
            let store = Arc::clone(&store);
            let change = Change { seen: seen(1, 7, 0), sends: vec![outgoing(chat(1, 10), line)], ..Change::default() };
            tokio::spawn(async move { store.commit(change).await.expect("commit") })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += usize::from(task.await.expect("task") == Committed::Done);
    }
    assert_eq!((done, sends(&store, chat(1, 10)).len()), (1, 1));
}

pub async fn the_same_update_of_another_bot_is_another(home: impl Home) {
    let store = home.open();
    done(&store, Change { seen: seen(1, 7, 0), ..Change::default() }).await;
    done(&store, Change { seen: seen(2, 7, 0), ..Change::default() }).await;
    done(&store, Change { seen: seen(1, -7, 0), ..Change::default() }).await;
}

/// A consultation's event has its effect once, also after a restart.
pub async fn a_known_event_changes_nothing(home: impl Home) {
    let store = home.open();
    done(&store, Change { seen: event(u128::MAX, 1), chats: vec![(chat(1, 10), record("first"))], ..Change::default() }).await;
    done(&store, Change { seen: event(0, 1), ..Change::default() }).await;
    done(&store, Change { seen: seen(0, 0, 1), ..Change::default() }).await; // an update is no event
    drop(store);
    let store = home.open();
    let again = Change { seen: event(u128::MAX, 9), chats: vec![(chat(1, 10), record("second"))], ..Change::default() };
    assert_eq!(store.commit(again).await.expect("commit"), Committed::Duplicate);
    assert_eq!(store.chat(chat(1, 10)).expect("chat"), Some(record("first")));
}

pub async fn old_marks_of_events_are_forgotten_too(home: impl Home) {
    let store = home.open();
    for key in 0..20 {
        done(&store, Change { seen: event(key, i64::try_from(key).expect("small")), ..Change::default() }).await;
    }
    done(&store, Change { seen: seen(1, 1, 0), ..Change::default() }).await;
    assert_eq!(store.prune_seen(instant(5)).await.expect("prune"), 6);
    done(&store, Change { seen: event(4, 20), ..Change::default() }).await;
    assert_eq!(store.commit(Change { seen: event(5, 20), ..Change::default() }).await.expect("commit"), Committed::Duplicate);
}

pub async fn an_empty_change_is_done(home: impl Home) {
    let store = home.open();
    done(&store, Change::default()).await;
    done(&store, Change::default()).await;
    assert_eq!(store.counts().expect("counts"), Counts::default());
}

pub async fn unknown_names_are_passed_over(home: impl Home) {
    let store = home.open();
    let change = Change {
        sent: vec![SendId { chat: chat(1, 10), number: u64::MAX }, SendId { chat: chat(9, 9), number: 0 }],
        answered: vec![(Lane(255), u64::MAX), (Lane(0), 0)],
        forget_bots: vec![BotId(1)],
        ..Change::default()
    };
    done(&store, change).await;
}

pub async fn parts_are_carried_out_in_their_order(home: impl Home) {
    let store = home.open();
    let change = Change {
        chats: vec![(chat(1, 10), record("first")), (chat(1, 10), record("second"))],
        bots: vec![(BotId(1), json!(1)), (BotId(1), json!(2)), (BotId(2), json!(1))],
        forget_bots: vec![BotId(2)],
        ..Change::default()
    };
    done(&store, change).await;
    assert_eq!(store.chat(chat(1, 10)).expect("chat"), Some(record("second")));
    assert_eq!(store.bots().expect("bots"), [(BotId(1), json!(2))]);
}

pub async fn negative_ids_keep_their_place(home: impl Home) {
    let store = home.open();
    let chats = [chat(1, i64::MIN), chat(1, -1_001_234_567_890), chat(1, -1), chat(1, 0), chat(1, 1), chat(1, i64::MAX), chat(2, -5)];
    for (line, key) in chats.iter().rev().enumerate() {
        let line = u32::try_from(line).expect("a handful");
        let change = Change { chats: vec![(*key, record(&line.to_string()))], sends: vec![outgoing(*key, line)], ..Change::default() };
        done(&store, change).await;
    }
    assert_eq!(store.chats_with_sends().expect("chats"), chats);
    for (line, key) in (0..).zip(chats.iter().rev()) {
        assert_eq!(second(sends(&store, *key)), [outgoing(*key, line)]);
        assert_eq!(store.chat(*key).expect("chat"), Some(record(&line.to_string())));
    }
}

pub async fn big_values_come_back_whole(home: impl Home) {
    let big: String = "Їжак 🦔 ".chars().cycle().take(100_000).collect();
    let store = home.open();
    done(&store, Change { chats: vec![(chat(1, 10), record(&big))], bots: vec![(BotId(1), json!({"text": big}))], ..Change::default() }).await;
    drop(store);
    let store = home.open();
    assert_eq!(store.chat(chat(1, 10)).expect("chat"), Some(record(&big)));
    assert_eq!(store.bots().expect("bots"), [(BotId(1), json!({"text": big}))]);
}

pub async fn configuration_is_kept_and_forgotten(home: impl Home) {
    let store = home.open();
    done(&store, Change { bots: vec![(BotId(2), json!({"hash": "a"})), (BotId(1), json!({"hash": "b"}))], ..Change::default() }).await;
    done(&store, Change { bots: vec![(BotId(2), json!({"hash": "c"}))], forget_bots: vec![BotId(1)], ..Change::default() }).await;
    assert_eq!(store.bots().expect("bots"), [(BotId(2), json!({"hash": "c"}))]);
}

pub async fn a_refused_operation_is_kept_aside(home: impl Home) {
    let store = home.open();
    let parked = |reason: &str| Parked { operation: operation(1), reason: reason.to_owned() };
    done(&store, Change { operations: vec![(Lane(0), operation(1))], ..Change::default() }).await;
    let number = store.operations(Lane(0), 1).expect("operations")[0].number;
    done(&store, Change { answered: vec![(Lane(0), number)], parked: vec![parked("one")], ..Change::default() }).await;
    done(&store, Change { parked: vec![parked("two")], ..Change::default() }).await;
    drop(store);
    let store = home.open();
    assert_eq!(store.counts().expect("counts"), Counts { parked: 2, ..Counts::default() });
    let reasons: Vec<String> = store.parked(9).expect("parked").into_iter().map(|parked| parked.reason).collect();
    assert_eq!(reasons, ["two", "one"], "the newest first");
    assert_eq!(store.parked(1).expect("parked").len(), 1);
}

pub async fn a_chat_is_found_by_its_consultation(home: impl Home) {
    let store = home.open();
    let chats = vec![(chat(1, 10), record("A")), (chat(2, -7), full_record())];
    done(&store, Change { chats, ..Change::default() }).await;
    let key = full_record().consultation().expect("it has one");
    drop(store);
    let store = home.open();
    assert_eq!(store.chats_in(&[key, ConsultationKey::draw()].into()).expect("chats"), [(chat(2, -7), key)]);
    assert!(store.chats_in(&[ConsultationKey::draw()].into()).expect("chats").is_empty());
}

pub async fn the_id_of_a_store_never_changes(home: impl Home) {
    let store = home.open();
    let before = store.identity().expect("identity");
    let other = StoreIdentity { store_id: "another".to_owned(), ..before.clone() };
    let failure = store.commit(everything(other)).await.expect_err("another store's identity");
    assert_eq!(failure.class, Class::Bug);
    assert_eq!(store.identity().expect("identity"), before);
    assert_eq!(store.counts().expect("counts"), Counts::default());
    done(&store, everything(before)).await; // nor was the update marked
}

pub async fn old_marks_are_forgotten(home: impl Home) {
    let store = home.open();
    let marks = (0..3000).map(|update| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { done(&store, Change { seen: seen(update % 3, update, update % 10), ..Change::default() }).await })
    });
    for mark in marks.collect::<Vec<_>>() {
        mark.await.expect("task");
    }
    assert_eq!(store.prune_seen(instant(0)).await.expect("prune"), 0);
    assert_eq!(store.prune_seen(instant(4)).await.expect("prune"), 1200);
    assert_eq!(store.prune_seen(instant(4)).await.expect("prune"), 0, "not before, but at that instant");
    let again = |update| Change { seen: seen(update % 3, update, 20), ..Change::default() };
    done(&store, again(3)).await;
    assert_eq!(store.commit(again(4)).await.expect("commit"), Committed::Duplicate);
    assert_eq!(store.prune_seen(instant(10)).await.expect("prune"), 1800);
    assert_eq!(store.commit(again(3)).await.expect("commit"), Committed::Duplicate);
}

pub async fn counts_count_what_waits(home: impl Home) {
    let store = home.open();
    let change = Change {
        chats: vec![(chat(1, 1), record("a")), (chat(1, 2), record("b"))],
        sends: (0..5).map(|line| outgoing(chat(1, 1), line)).collect(),
        operations: (0..7).map(|line| (Lane(u8::try_from(line % 2).expect("small")), operation(line))).collect(),
        ..Change::default()
    };
    done(&store, change).await;
    let sent = store.sends(chat(1, 1), 2).expect("sends").iter().map(|stored| stored.id).collect();
    done(&store, Change { sent, chats: vec![(chat(1, 1), record("c"))], ..Change::default() }).await;
    assert_eq!(store.counts().expect("counts"), Counts { operations: 7, sends: 3, parked: 0, chats: 2 });
    drop(store);
    assert_eq!(home.open().counts().expect("counts"), Counts { operations: 7, sends: 3, parked: 0, chats: 2 });
}

pub async fn many_chats_at_once_keep_their_order(home: impl Home) {
    let store = home.open();
    let tasks = (0..32).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for line in 0..20 {
                let key = chat(1, number);
                done(&store, Change { sends: vec![outgoing(key, line)], chats: vec![(key, record(&line.to_string()))], ..Change::default() }).await;
                assert_eq!(store.chat(key).expect("chat"), Some(record(&line.to_string())), "a read sees what was committed before");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("task");
    }
    for number in 0..32 {
        let key = chat(1, number);
        assert_eq!(second(sends(&store, key)), (0..20).map(|line| outgoing(key, line)).collect::<Vec<_>>());
    }
    assert_eq!(store.chats_with_sends().expect("chats").len(), 32);
}
