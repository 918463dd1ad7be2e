//! What happens when Odoo fails.

use chatbridge::bridge::Ended;
use chatbridge::domain::OperationBody;
use chatbridge::ports::{Class, Failure, Store};

use super::ledger::kind;
use super::odoo::{Fault, Method};
use super::time::{in_time, until};
use super::world::World;

fn down() -> Failure {
    Failure::new(Class::Transient, "connection refused")
}

#[tokio::test]
async fn a_new_store_waits_for_odoo() {
    let mut world = World::new().await;
    world.odoo.fail(Method::Handshake, 3, down());
    let person = world.telegram.person("Олена").await;
    person.say("/start").await;
    world.start();
    until("a try", || world.odoo.called(Method::Handshake) >= 2).await;
    assert!(!world.ready().0, "{:?}", world.ready());
    assert_eq!(world.telegram.calls("getUpdates").await.len(), 0);
    in_time("the answer", || world.metrics().sent.get() == 1).await;
    assert!(world.ready().0);
    world.finish().await;
}

#[tokio::test]
async fn a_known_store_goes_on_without_odoo_and_writes_later_in_order() {
    let (mut world, person) = World::welcomed().await;
    assert_eq!(world.stop().await, Ended::Drained);
    world.odoo.go_down();
    world.start();
    for text in ["q1", "q2", "q3"] {
        person.say(text).await;
    }
    assert_eq!(person.hears(4).await, ["Welcome", "Answer 1", "Answer 2", "Answer 3"]);
    assert!(world.ready().0 && world.ready().1.contains("Odoo cannot be reached"), "{:?}", world.ready());
    until("all waits", || world.store.counts().unwrap().operations == 9).await;
    assert_eq!(world.odoo.desk().ledger.done.len(), 5);
    world.odoo.come_back();
    in_time("all is written", || world.odoo.desk().ledger.words().len() == 8).await;
    assert_eq!(
        world.odoo.desk().ledger.words(),
        ["/start", "<p>Welcome</p>", "q1", "<p>Answer 1</p>", "q2", "<p>Answer 2</p>", "q3", "<p>Answer 3</p>"]
    );
    // Of the copies of the position that piled up, only the last is written.
    assert_eq!(world.odoo.desk().ledger.count("conversation.state"), 2);
    until("ready", || world.ready().1 == "working").await;
    world.finish().await;
}

#[tokio::test]
async fn odoo_going_down_in_the_middle_stops_no_dialog() {
    let (world, person) = World::welcomed().await;
    world.odoo.go_down();
    person.say("q1").await;
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    until("it is said", || world.ready().1.contains("Odoo cannot be reached")).await;
    assert!(world.ready().0);
    world.odoo.come_back();
    in_time("all is written", || world.odoo.desk().ledger.words().len() == 4).await;
    in_time("it is said", || world.ready().1 == "working").await;
    world.finish().await;
}

#[tokio::test]
async fn a_write_that_may_have_happened_is_repeated_with_the_same_keys() {
    let (world, person) = World::welcomed().await;
    let unknown = Failure::new(Class::Transient, "no answer in time").uncertain();
    world.odoo.fail(Method::Apply, 1, down());
    world.odoo.desk().faults.push(Fault { method: Method::Apply, failure: unknown, times: 2, after: true });
    person.say("q1").await;
    in_time("it is confirmed", || world.store.counts().unwrap().operations == 0 && world.odoo.desk().ledger.done.len() >= 8).await;
    {
        let ledger = &world.odoo.desk().ledger;
        assert_eq!((ledger.done.len(), ledger.repeated), (8, 6), "carried out once, asked three times");
    }
    world.finish().await;
}

#[tokio::test]
async fn what_the_store_could_not_tick_off_is_repeated_with_the_same_keys() {
    let (world, person) = World::welcomed().await;
    world.store.fail(2, |change| !change.answered.is_empty());
    person.say("q1").await;
    in_time("it is ticked off", || world.odoo.desk().ledger.repeated == 6 && world.store.counts().unwrap().operations == 0).await;
    assert_eq!(world.odoo.desk().ledger.done.len(), 8);
    assert_eq!(world.metrics().applied.get(), 8, "counted when it is ticked off");
    world.finish().await;
}

/// A person in each lane.
async fn one_in_each_lane(world: &World) -> [super::person::Person; 2] {
    let first = world.welcome("Перша").await;
    loop {
        let second = world.telegram.person("Друга").await;
        if lane(&second) != lane(&first) {
            second.say("/start").await;
            second.hears(1).await;
            world.odoo.until_done(10).await;
            return [first, second];
        }
    }
}

/// As `mailbox::lane_of`.
fn lane(person: &super::person::Person) -> u64 {
    let chat = person.chat();
    let mixed = (chat.chat.0 ^ chat.channel.0.rotate_left(32)).unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 32) % 2
}

#[tokio::test]
async fn one_poisonous_operation_is_isolated_and_the_rest_goes_on() {
    let world = World::running().await;
    let [ill, well] = one_in_each_lane(&world).await;
    world.odoo.desk().poison = Some(Box::new(|operation| matches!(&operation.body, OperationBody::State { state, .. } if state["step"] == 102)));
    // All wait together, so that the poisonous one is in the middle of a batch.
    world.odoo.hold(Some(Method::Apply));
    ill.say("q1").await;
    ill.hears(2).await;
    ill.say("q2").await;
    ill.hears(3).await;
    let third = loop {
        let third = world.telegram.person("Третя").await;
        if lane(&third) == lane(&ill) {
            break third;
        }
    };
    for text in ["/start", "q3"] {
        third.say(text).await;
    }
    third.hears(2).await;
    well.say("q4").await;
    well.hears(2).await;
    world.odoo.hold(None);
    until("the other lane goes on", || world.odoo.desk().ledger.words().contains(&"q4")).await;
    in_time("the rest of the lane", || world.odoo.desk().ledger.words().contains(&"<p>Answer 3</p>")).await;
    in_time("nothing waits", || world.store.counts().unwrap().operations == 0).await;
    assert_eq!((world.metrics().refused.get(), world.store.parked(9).unwrap().len()), (1, 1));
    assert_eq!(world.odoo.desk().ledger.words().len(), 14);
    world.finish().await;
}

/// B-SET-6: a request for an operator that is given up: nobody waits for ever.
#[tokio::test]
async fn a_poisonous_request_for_an_operator_is_answered_that_nobody_is_there() {
    let world = World::running().await;
    let ill = world.welcome("Перша").await;
    let well = loop {
        let well = world.telegram.person("Друга").await;
        if lane(&well) == lane(&ill) {
            break well;
        }
    };
    world.odoo.desk().poison = Some(Box::new(|operation| kind(operation) == "consultation.request"));
    world.odoo.hold(Some(Method::Apply));
    ill.say("operator").await;
    ill.hears(2).await;
    well.say("/start").await;
    well.hears(1).await;
    world.odoo.hold(None);
    in_time("it is given up", || world.store.counts().unwrap().parked == 1).await;
    assert_eq!(ill.hears(3).await, ["Welcome", "Connecting you", "Nobody is there"]);
    in_time("nothing waits", || world.store.counts().unwrap().operations == 0).await;
    world.finish().await;
}

/// An Odoo that fails at every write, however broken, must not make the bridge throw its operations away one by one.
#[tokio::test]
async fn an_odoo_at_which_every_write_fails_loses_nothing() {
    let (world, person) = World::welcomed().await;
    world.odoo.fail(Method::Apply, 24, Failure::new(Class::Bug, "Odoo failed with builtins.AttributeError; its log says more"));
    for n in 1..=4 {
        person.say(&format!("q{n}")).await;
        person.hears(1 + n).await;
    }
    in_time("all is written", || world.odoo.desk().ledger.words().len() == 10).await;
    assert_eq!(world.metrics().refused.get(), 0);
    world.finish().await;
}

#[tokio::test]
async fn a_refused_operation_is_counted_and_the_rest_goes_on() {
    let (world, person) = World::welcomed().await;
    world.odoo.desk().refuse = Some(Box::new(|operation| kind(operation) == "conversation.state"));
    person.say("q1").await;
    person.hears(2).await;
    person.say("q2").await;
    world.odoo.until_words(6).await;
    until("they are counted", || world.metrics().refused.get() == 2).await;
    until("nothing waits", || world.store.counts().unwrap().operations == 0).await;
    assert_eq!(world.metrics().applied.get(), 5 + 4, "what was refused was not applied");
    assert_eq!(world.store.parked(9).unwrap().iter().map(|parked| kind(&parked.operation)).collect::<Vec<_>>(), ["conversation.state"; 2]);
    assert_eq!(world.metrics().apply_calls.get() as usize, world.odoo.called(Method::Apply));
    world.finish().await;
}
