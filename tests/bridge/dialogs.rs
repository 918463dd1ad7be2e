//! What happens when all goes well, and when an update is not as it should be.

use chatbridge::bridge::Ended;
use chatbridge::domain::{BotId, ChatRecord, Conversation, ConversationKey, TelegramBotId, UpdateId};
use chatbridge::ports::{Cause, Change, Store};
use chatbridge::store::RedbStore;
use jiff::Timestamp;
use serde_json::json;
use std::sync::Arc;

use super::bot;
use super::time::until;
use super::world::World;

#[tokio::test]
async fn a_start_is_answered_and_written_in_order() {
    let (world, person) = World::welcomed().await;
    person.say("q3").await;
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 3"]);
    world.odoo.until_done(8).await;
    {
        let desk = world.odoo.desk();
        assert_eq!(
            desk.ledger.kinds(),
            ["sender", "conversation.open", "message", "message", "conversation.state", "message", "message", "conversation.state"]
        );
        assert_eq!(desk.ledger.words(), ["/start", "<p>Welcome</p>", "q3", "<p>Answer 3</p>"]);
    }
    assert_eq!((world.metrics().updates.get(), world.metrics().sent.get(), world.metrics().applied.get()), (2, 2, 8));
    world.telegram.until_confirmed(bot::NAME).await;
    world.finish().await;
}

#[tokio::test]
async fn the_durable_store_serves_as_well_and_is_free_again_after_the_stop() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new().await;
    for round in 1..=2 {
        world.start_on(Arc::new(RedbStore::open(folder.path()).unwrap()));
        let person = world.welcome("Олена").await;
        person.say("q1").await;
        assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
        world.odoo.until_done(8 * round).await;
        assert_eq!(world.stop().await, Ended::Drained);
    }
    world.check();
}

#[tokio::test]
async fn the_same_update_many_times_has_one_effect() {
    let mut world = World::new().await;
    let person = world.telegram.person("Олена").await;
    let update = person.say("/start").await;
    let again = json!({"bot": bot::NAME, "update_id": update});
    for _ in 0..5 {
        world.telegram.control("redeliver", again.clone()).await;
    }
    world.start();
    person.hears(1).await;
    world.telegram.until_confirmed(bot::NAME).await;
    world.telegram.control("redeliver", again).await;
    until("the last duplicate", || world.metrics().duplicates.get() == 6).await;
    person.say("q1").await;
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    world.odoo.until_done(8).await;
    assert_eq!((world.metrics().updates.get(), world.metrics().sent.get()), (8, 2));
    assert_eq!(world.odoo.desk().ledger.words().len(), 4);
    world.finish().await;
}

#[tokio::test]
async fn an_update_that_was_seen_before_the_restart_has_no_effect_after_it() {
    let (mut world, person) = World::welcomed().await;
    let update = person.say("q1").await;
    person.hears(2).await;
    assert_eq!(world.stop().await, Ended::Drained);
    world.telegram.control("redeliver", json!({"bot": bot::NAME, "update_id": update})).await;
    world.start();
    until("the duplicate", || world.metrics().duplicates.get() == 1).await;
    person.say("q2").await;
    assert_eq!(person.hears(3).await, ["Welcome", "Answer 1", "Answer 2"]);
    world.finish().await;
}

#[tokio::test]
async fn what_cannot_be_read_between_good_updates_is_put_aside() {
    let mut world = World::new().await;
    let person = world.telegram.person("Олена").await;
    person.say("/start").await;
    world
        .telegram
        .control("updates", json!({"bot": bot::NAME, "update": {"message": {"chat": {"id": person.id, "type": "private"}, "date": "never"}}}))
        .await;
    world.telegram.control("updates", json!({"bot": bot::NAME, "update": {"telepathy": {"thought": "…"}}})).await;
    world
        .telegram
        .control("updates", json!({"bot": bot::NAME, "update": {"message": {"message_id": 1, "date": 1, "chat": {"id": -5, "type": "group"}}}}))
        .await;
    person.say("q1").await;
    world.start();
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    world.telegram.until_confirmed(bot::NAME).await;
    assert_eq!((world.metrics().updates.get(), world.metrics().undecodable.get()), (5, 1));
    world.finish().await;
}

/// Provoked by a line number that overflows, which is a panic in builds with checks only.
#[tokio::test]
#[cfg(debug_assertions)]
async fn an_update_at_which_the_engine_panics_is_put_aside() {
    let mut world = World::new().await;
    let (ill, well) = (world.telegram.person("Ill").await, world.telegram.person("Well").await);
    let conversation = Conversation { sequence: u32::MAX, started: true, ..Conversation::open(ConversationKey::draw(), BotId(3), Timestamp::now()) };
    let record = ChatRecord { conversation: Some(conversation), ..ChatRecord::default() };
    world.store.commit(Change { chats: vec![(ill.chat(), record)], ..Change::default() }).await.unwrap();
    let update = ill.say("q1").await;
    well.say("/start").await;
    world.start();
    assert_eq!(well.hears(1).await, ["Welcome"]);
    world.telegram.until_confirmed(bot::NAME).await;
    assert_eq!(world.metrics().engine_failures.get(), 1);
    // It is marked as seen, so it is never tried again.
    let seen = Some((Cause::Update(TelegramBotId(123_456), UpdateId(update)), Timestamp::now()));
    assert_eq!(world.store.commit(Change { seen, ..Change::default() }).await, Ok(chatbridge::ports::Committed::Duplicate));
    // What does not touch the overflown number works in this very chat: the next words begin anew.
    ill.say("/start").await;
    assert_eq!(ill.hears(1).await, ["Welcome"]);
    world.finish().await;
}
