//! What happens when the bridge is asked to stop.

use chatbridge::bridge::Ended;
use chatbridge::ports::Store;
use serde_json::json;

use super::bot;
use super::odoo::Method;
use super::time::{in_time, until};
use super::world::World;

#[tokio::test]
async fn a_stop_finishes_what_is_under_way() {
    let (mut world, person) = World::welcomed().await;
    person.fault(json!({"kind": "slow", "delay_ms": 100})).await;
    world.odoo.hold(Some(Method::Apply));
    person.say("q1").await;
    until("it is committed", || world.store.counts().unwrap().operations == 3).await;
    world.ask_to_stop();
    world.odoo.hold(None);
    assert_eq!(world.ends().await, Ended::Drained);
    assert_eq!(person.heard().await, ["Welcome", "Answer 1"]);
    assert_eq!(world.odoo.desk().ledger.words().len(), 4);
    let counts = world.store.counts().unwrap();
    assert_eq!((counts.operations, counts.sends), (0, 0));
    world.check();
}

/// Updates that are on their way to the store count as under way.
#[tokio::test]
async fn a_stop_waits_for_updates_that_have_been_taken_in() {
    let (mut world, person) = World::welcomed().await;
    world.store.hold(true);
    person.say("q1").await;
    person.say("q2").await;
    until("they are taken in", || world.metrics().updates.get() >= 2).await;
    world.ask_to_stop();
    for _ in 0..20 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    world.store.hold(false);
    assert_eq!(world.ends().await, Ended::Drained);
    let counts = world.store.counts().unwrap();
    assert_eq!((counts.operations, counts.sends), (0, 0));
    world.start();
    assert_eq!(person.hears(3).await, ["Welcome", "Answer 1", "Answer 2"]);
    world.telegram.until_confirmed(bot::NAME).await;
    world.odoo.until_words(6).await;
    world.finish().await;
}

#[tokio::test]
async fn a_stop_without_odoo_is_cut_short_and_the_next_run_finishes() {
    let (mut world, person) = World::welcomed().await;
    world.odoo.go_down();
    person.fault(json!({"kind": "rate_limited", "retry_after": 3600})).await;
    for text in ["q1", "q2"] {
        person.say(text).await;
    }
    until("all is committed", || world.store.counts().unwrap().operations == 6).await;
    world.telegram.until_confirmed(bot::NAME).await;
    world.ask_to_stop();
    in_time("it stops", || !world.is_running()).await;
    assert_eq!(world.ends().await, Ended::CutShort);
    assert_eq!(world.store.counts().unwrap().sends, 2);
    world.odoo.come_back();
    world.start();
    assert_eq!(person.hears(3).await, ["Welcome", "Answer 1", "Answer 2"]);
    world.odoo.until_words(6).await;
    world.finish().await;
}

/// A message in Telegram's hands when the time of a stop is over is waited for a little: else it would go out twice.
#[tokio::test]
async fn a_message_in_flight_at_the_end_is_ticked_off() {
    let (mut world, person) = World::welcomed().await;
    person.fault(json!({"kind": "slow", "delay_ms": 12_000})).await;
    person.say("q1").await;
    until("it is committed", || world.store.counts().unwrap().sends == 1).await;
    world.telegram.until_confirmed(bot::NAME).await;
    in_time("Odoo has all", || world.odoo.desk().ledger.words().len() == 4).await;
    world.ask_to_stop();
    in_time("it stops", || !world.is_running()).await;
    assert_eq!(world.ends().await, Ended::Drained);
    assert_eq!(person.heard().await, ["Welcome", "Answer 1"]);
    assert_eq!(world.store.counts().unwrap().sends, 0);
}
