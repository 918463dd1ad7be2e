//! Who may work: handshakes, the lease, and losing it.

use std::time::Duration;

use chatbridge::bridge::Ended;
use chatbridge::ports::{Class, Failure, Readiness, Store};

use super::odoo::Method;
use super::time::{in_time, pass, until};
use super::world::World;

#[tokio::test]
async fn a_lost_lease_stops_all_sending_until_it_is_held_again() {
    for readiness in [Readiness::Standby, Readiness::Confirm] {
        let (world, person) = World::welcomed().await;
        // A message under way waits for a moment when nothing may be sent.
        person.fault(serde_json::json!({"kind": "rate_limited", "retry_after": 2})).await;
        person.say("q1").await;
        until("it waits", || world.store.counts().unwrap().sends == 1 && world.odoo.desk().ledger.words().len() == 4).await;
        world.telegram.until_called("sendMessage", world.telegram.last_call().await.saturating_sub(1)).await;
        world.odoo.desk().readiness = readiness;
        world.odoo.revoke();
        in_time("it stops", || !world.ready().0 && world.metrics().working.get() < 0.5).await;
        person.say("q2").await;
        let before = world.telegram.last_call().await;
        let writes = world.odoo.called(Method::Apply);
        for _ in 0..5 {
            pass(Duration::from_secs(4)).await;
            let tries = world.odoo.called(Method::Handshake);
            until("another handshake", || world.odoo.called(Method::Handshake) > tries || world.ready().0).await;
        }
        assert_eq!(world.telegram.last_call().await, before, "nothing goes to Telegram");
        assert_eq!(world.odoo.called(Method::Apply), writes, "nothing is written");
        assert_eq!(person.heard().await, ["Welcome"]);
        world.odoo.desk().readiness = Readiness::Ready;
        in_time("it goes on", || world.metrics().sent.get() == 3).await;
        assert_eq!(person.heard().await, ["Welcome", "Answer 1", "Answer 2"]);
        world.odoo.until_words(6).await;
        world.finish().await;
    }
}

#[tokio::test]
async fn a_write_with_a_lost_lease_renews_it_and_is_repeated() {
    let (world, person) = World::welcomed().await;
    world.odoo.revoke();
    person.say("q1").await;
    assert_eq!(world.odoo.until_words(4).await[2..], ["q1", "<p>Answer 1</p>"]);
    assert_eq!(world.odoo.called(Method::Handshake), 2);
    world.finish().await;
}

#[tokio::test]
async fn a_bridge_that_odoo_does_not_let_in_ends() {
    let mut world = World::new().await;
    world.odoo.fail(Method::Handshake, 1, Failure::new(Class::Denied, "wrong password"));
    world.start();
    assert_eq!(world.ends().await, Ended::Refused);
    assert_eq!(world.telegram.last_call().await, 0);
}

#[tokio::test]
async fn a_password_that_is_refused_later_is_tried_seldom() {
    let (world, person) = World::welcomed().await;
    world.odoo.fail(Method::Handshake, usize::MAX, Failure::new(Class::Denied, "wrong password"));
    world.odoo.revoke();
    in_time("a refused handshake", || world.odoo.called(Method::Handshake) == 2).await;
    for _ in 0..25 {
        pass(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(world.odoo.called(Method::Handshake), 2);
    world.odoo.come_back();
    in_time("a handshake", || world.ready().0).await;
    person.say("q1").await;
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    world.finish().await;
}

/// Two bridges on copies of one store take the lease from each other: slowly, not as fast as they can.
#[tokio::test]
async fn a_lease_that_is_lost_at_once_is_not_asked_for_in_a_hurry() {
    let mut world = World::new().await;
    for method in [Method::Configuration, Method::Heartbeat, Method::Events] {
        world.odoo.fail(method, usize::MAX, Failure::new(Class::Lost, "another bridge holds the lease"));
    }
    world.start();
    in_time("three handshakes", || world.odoo.called(Method::Handshake) == 3).await;
    world.odoo.come_back();
    in_time("ready", || world.ready().0).await;
    world.finish().await;
}

/// A slow store and a flapping lease bring the same updates again and again, until a mailbox is full.
#[tokio::test]
async fn a_full_mailbox_loses_no_update_and_no_order() {
    let mut world = World::new().await;
    let person = world.telegram.person("Олена").await;
    person.say("/start").await;
    for n in 1..100 {
        person.say(&format!("q{}", n % 10)).await;
    }
    world.store.hold(true);
    world.start();
    for round in 1..=4 {
        in_time("all come", || world.metrics().updates.get() == round * 100).await;
        world.odoo.revoke();
    }
    world.store.hold(false);
    in_time("all are answered", || world.metrics().sent.get() == 100).await;
    let expected: Vec<String> = (1..100).map(|n| format!("Answer {}", n % 10)).collect();
    assert_eq!(person.heard().await[1..], expected);
    world.telegram.confirmed_in_time(super::bot::NAME).await;
    world.finish().await;
}

#[tokio::test]
async fn a_database_restored_under_a_running_bridge_gets_a_new_conversation_from_a_chat_just_active() {
    let (world, person) = World::welcomed().await;
    {
        let mut desk = world.odoo.desk();
        desk.ledger.restore();
        desk.readiness = Readiness::Confirm;
        desk.lease = None;
    }
    in_time("an administrator is awaited", || !world.ready().0).await;
    {
        let mut desk = world.odoo.desk();
        desk.readiness = Readiness::Ready;
        desk.epoch = "confirmed".to_owned();
    }
    person.say("q1").await;
    in_time("the answer", || world.metrics().sent.get() == 2).await;
    assert_eq!(person.heard().await, ["Welcome", "Answer 1"], "at the same place");
    world.odoo.until_words(4).await;
    assert_eq!(world.odoo.desk().ledger.count("conversation.open"), 2);
    world.finish().await;
}

#[tokio::test]
async fn a_bridge_that_was_told_to_wait_waits_also_when_odoo_goes_down_and_it_is_started_anew() {
    let (mut world, person) = World::welcomed().await;
    world.odoo.desk().readiness = Readiness::Standby;
    world.odoo.revoke();
    in_time("it waits", || !world.ready().0).await;
    world.odoo.go_down();
    person.say("q1").await;
    for _ in 0..2 {
        let tries = world.odoo.called(Method::Handshake);
        in_time("it tries", || world.odoo.called(Method::Handshake) >= tries + 3).await;
        assert!(!world.ready().0 && world.metrics().working.get() < 0.5);
        assert_eq!(person.heard().await, ["Welcome"]);
        world.stop().await;
        world.start();
    }
    world.odoo.come_back();
    world.odoo.desk().readiness = Readiness::Ready;
    in_time("the answer", || world.metrics().sent.get() == 1).await;
    assert_eq!(person.heard().await, ["Welcome", "Answer 1"]);
    world.finish().await;
}
