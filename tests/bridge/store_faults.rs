//! What happens when the store fails.

use chatbridge::ports::{ChannelState, Store};

use super::bot;
use super::time::{in_time, until};
use super::world::World;

#[tokio::test]
async fn a_full_disk_takes_nothing_in_and_recovers_by_itself() {
    let (world, person) = World::welcomed().await;
    world.store.fill(true);
    person.say("q1").await;
    person.say("q2").await;
    world.until_channel_is(ChannelState::Unreachable).await;
    let error = world.odoo.desk().heartbeats.last().unwrap().channels[0].last_error.clone();
    assert!(error.as_ref().is_some_and(|error| error.contains("disk is full")), "{error:?}");
    assert_eq!(person.heard().await, ["Welcome"]);
    assert_eq!(world.telegram.bot(bot::NAME).await["pending_update_count"], 2);
    assert_eq!(world.odoo.desk().ledger.done.len(), 5);
    world.store.fill(false);
    in_time("both answers", || world.metrics().sent.get() == 3).await;
    assert_eq!(person.heard().await, ["Welcome", "Answer 1", "Answer 2"]);
    world.odoo.until_words(6).await;
    world.telegram.confirmed_in_time(bot::NAME).await;
    world.finish().await;
}

#[tokio::test]
async fn a_sent_message_that_cannot_be_ticked_off_is_not_sent_twice() {
    let (world, person) = World::welcomed().await;
    world.store.fail(3, |change| !change.sent.is_empty());
    person.say("q1").await;
    person.say("q2").await;
    in_time("both are ticked off", || world.metrics().sent.get() == 3 && world.store.counts().unwrap().sends == 0).await;
    assert_eq!(person.heard().await, ["Welcome", "Answer 1", "Answer 2"]);
    world.finish().await;
}

/// The first of three updates that came together cannot be committed, the others could: they wait for it.
#[tokio::test]
async fn an_update_that_cannot_be_committed_is_not_overtaken() {
    let mut world = World::new().await;
    let person = world.telegram.person("Олена").await;
    for text in ["/start", "q1", "q2", "q3"] {
        person.say(text).await;
    }
    let mut left = 2;
    let nth = std::sync::Mutex::new(move || {
        left -= 1;
        left == 0
    });
    world.store.fail(1, move |change| change.seen.is_some() && (nth.lock().unwrap())());
    world.start();
    in_time("all answers", || world.metrics().sent.get() >= 4).await;
    assert_eq!(person.heard().await, ["Welcome", "Answer 1", "Answer 2", "Answer 3"]);
    assert_eq!(world.store.failures_left(), 0);
    world.odoo.until_words(8).await;
    assert_eq!(world.odoo.desk().ledger.words().iter().step_by(2).collect::<Vec<_>>(), [&"/start", &"q1", &"q2", &"q3"]);
    world.finish().await;
}

#[tokio::test]
async fn a_chat_whose_record_cannot_be_read_goes_on_from_odoos_copy_and_stops_nobody() {
    let (world, ill) = World::welcomed().await;
    let well = world.welcome("Іван").await;
    let (telegram, odoo, store) = (world.telegram.clone(), world.odoo.clone(), world.store.clone());
    world.finish().await;
    store.spoil(ill.chat());
    let mut world = World::of(telegram, odoo, store);
    world.start();
    ill.say("q1").await;
    well.say("q2").await;
    assert_eq!(well.hears(2).await, ["Welcome", "Answer 2"]);
    assert_eq!(ill.hears(2).await, ["Welcome", "Answer 1"]);
    world.telegram.until_confirmed(bot::NAME).await;
    until("written", || world.odoo.desk().ledger.words().len() == 8).await;
    world.finish().await;
}

#[tokio::test]
async fn a_configuration_that_cannot_be_kept_is_taken_in_when_it_can() {
    let mut world = World::new().await;
    world.store.fail(2, |change| !change.bots.is_empty());
    world.start();
    let person = world.telegram.person("Олена").await;
    person.say("/start").await;
    in_time("the bot answers", || world.metrics().sent.get() == 1).await;
    assert_eq!(world.store.failures_left(), 0);
    assert_eq!(world.store.bots().unwrap().len(), 1);
    world.finish().await;
}
