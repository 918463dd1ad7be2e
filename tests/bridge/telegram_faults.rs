//! What happens when Telegram fails.

use std::time::Duration;

use chatbridge::ports::{ChannelState, Store};
use serde_json::json;

use super::bot;
use super::time::{in_time, pass, until};
use super::world::World;

#[tokio::test]
async fn a_chat_that_is_told_to_wait_keeps_its_order_and_stops_nobody() {
    let (world, slow) = World::welcomed().await;
    let other = world.welcome("Іван").await;
    slow.fault(json!({"kind": "rate_limited", "retry_after": 3600})).await;
    for text in ["q1", "q2", "q3"] {
        slow.say(text).await;
    }
    for text in ["q4", "q5"] {
        other.say(text).await;
    }
    assert_eq!(other.hears(3).await, ["Welcome", "Answer 4", "Answer 5"]);
    until("all are written", || world.odoo.desk().ledger.words().len() == 14).await;
    pass(Duration::from_secs(3000)).await;
    other.say("q6").await;
    other.hears(4).await;
    assert_eq!(slow.heard().await, ["Welcome"]);
    assert_eq!(slow.tries().await.len(), 2, "it waits as long as it was told");
    pass(Duration::from_secs(600)).await;
    assert_eq!(slow.hears(4).await, ["Welcome", "Answer 1", "Answer 2", "Answer 3"]);
    assert_eq!(world.metrics().resent.get(), 0, "what was turned away was not sent");
    world.finish().await;
}

#[tokio::test]
async fn what_may_not_have_arrived_is_sent_again_in_order() {
    let (world, person) = World::welcomed().await;
    let faults = [
        (json!({"kind": "server_error"}), false),
        (json!({"kind": "html_502"}), false),
        (json!({"kind": "time_out_before", "delay_ms": 0}), false),
        (json!({"kind": "time_out_after", "delay_ms": 0}), true),
        (json!({"kind": "malformed_json"}), true),
    ];
    let mut expected = vec!["Welcome".to_owned()];
    for (round, (fault, doubled)) in (0..).zip(faults) {
        person.fault(fault.clone()).await;
        let (first, second) = (round % 5 * 2, round % 5 * 2 + 1);
        person.say(&format!("q{first}")).await;
        person.say(&format!("q{second}")).await;
        expected.extend(std::iter::repeat_n(format!("Answer {first}"), if doubled { 2 } else { 1 }));
        expected.push(format!("Answer {second}"));
        assert_eq!(person.hears(expected.len()).await, expected, "{fault}");
        assert_eq!(world.metrics().resent.get(), round + 1, "{fault}");
    }
    assert_eq!(world.metrics().sent.get(), 11);
    world.finish().await;
}

#[tokio::test]
async fn a_server_that_is_down_for_long_is_tried_until_it_is_back() {
    let (world, person) = World::welcomed().await;
    world.telegram.fault(json!({"kind": "html_502", "times": 12})).await;
    person.say("q1").await;
    person.say("q2").await;
    in_time("both are sent", || world.metrics().sent.get() == 3).await;
    assert_eq!(person.heard().await, ["Welcome", "Answer 1", "Answer 2"]);
    world.finish().await;
}

#[tokio::test]
async fn who_blocks_the_bot_is_marked_and_comes_back_by_writing() {
    let (world, person) = World::welcomed().await;
    // Told to wait first, so that several messages are under way when the refusal comes.
    person.fault(json!({"kind": "rate_limited", "retry_after": 3600})).await;
    for text in ["q1", "q2", "q3"] {
        person.say(text).await;
    }
    until("all are written", || world.odoo.desk().ledger.words().len() == 8).await;
    person.fault(json!({"kind": "blocked", "times": 3})).await;
    pass(Duration::from_secs(3600)).await;
    until("the block is known", || world.record(&person).blocked).await;
    until("all are settled", || world.metrics().undeliverable.get() == 3).await;
    until("Odoo knows", || world.odoo.desk().ledger.count("message.failed") == 3).await;
    {
        let desk = world.odoo.desk();
        assert_eq!(desk.ledger.count("conversation.close"), 1);
        assert_eq!(desk.ledger.count("membership"), 1, "{:?}", desk.ledger.kinds());
    }
    person.say("/start").await;
    assert_eq!(person.hears(2).await, ["Welcome", "Welcome"]);
    assert!(!world.record(&person).blocked);
    until("the return is written", || world.odoo.desk().ledger.count("membership") == 2).await;
    world.finish().await;
}

#[tokio::test]
async fn who_blocks_and_unblocks_in_the_app_is_known_at_once() {
    let (world, person) = World::welcomed().await;
    person.block(true).await;
    until("the block is written", || world.odoo.desk().ledger.count("membership") == 1).await;
    assert_eq!(world.odoo.desk().ledger.count("conversation.close"), 1);
    person.block(false).await;
    until("the return is written", || world.odoo.desk().ledger.count("membership") == 2).await;
    person.say("/start").await;
    assert_eq!(person.hears(2).await, ["Welcome", "Welcome"]);
    world.finish().await;
}

#[tokio::test]
async fn a_message_that_telegram_refuses_is_marked_and_the_next_go_on() {
    let (world, person) = World::welcomed().await;
    person.fault(json!({"kind": "bad_request", "description": "message is too odd"})).await;
    person.say("q1").await;
    person.say("q2").await;
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 2"]);
    until("Odoo knows", || world.odoo.desk().ledger.count("message.failed") == 1).await;
    assert_eq!(world.metrics().undeliverable.get(), 1);
    assert!(!world.record(&person).blocked);
    world.finish().await;
}

#[tokio::test]
async fn a_message_that_telegram_refuses_for_its_looks_is_sent_without_them() {
    let (world, person) = World::welcomed().await;
    world.odoo.configure(bot::saying("<p><b>Bold</b> words</p>", "h2"));
    in_time("it is taken", || world.odoo.desk().events.is_empty()).await;
    person.fault(json!({"kind": "bad_request", "description": "ENTITY_BOUNDS_INVALID"})).await;
    person.say("/start").await;
    assert_eq!(person.hears(2).await, ["Welcome", "Bold words"]);
    assert_eq!(world.metrics().undeliverable.get(), 0);
    world.finish().await;
}

#[tokio::test]
async fn a_refused_token_is_told_to_odoo_and_works_again_when_telegram_takes_it() {
    let (world, person) = World::welcomed().await;
    world.telegram.fault(json!({"kind": "unauthorized", "times": 1000})).await;
    person.say("q1").await;
    world.until_channel_is(ChannelState::Refused).await;
    let error = world.odoo.desk().heartbeats.last().unwrap().channels[0].last_error.clone().unwrap();
    assert!(error.contains("@BotFather") && !error.contains("AAfirst"), "{error}");
    world.telegram.mend().await;
    pass(Duration::from_secs(31)).await;
    world.until_channel_is(ChannelState::Polling).await;
    in_time("the answer", || world.metrics().sent.get() == 2).await;
    assert_eq!(person.heard().await, ["Welcome", "Answer 1"]);
    world.finish().await;
}

#[tokio::test]
async fn a_new_token_of_the_configuration_takes_up_what_the_refused_one_left() {
    let (world, person) = World::welcomed().await;
    // The answer meets the new secret already, the poll still the old one.
    person.fault(json!({"kind": "unauthorized"})).await;
    person.say("q1").await;
    until("the answer is refused", || world.store.counts().unwrap().sends == 1).await;
    world.telegram.until_called("sendMessage", world.telegram.last_call().await.saturating_sub(1)).await;
    world.telegram.control("bots", json!({"token": "123456:AAsecond", "username": bot::NAME, "first_name": "Shop"})).await;
    world.odoo.configure(bot::numbered(3, bot::CHANNEL, "123456:AAsecond", "h2"));
    // Not after the pause of a refused token: at once.
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    world.until_channel_is(ChannelState::Polling).await;
    person.say("q2").await;
    assert_eq!(person.hears(3).await, ["Welcome", "Answer 1", "Answer 2"]);
    world.finish().await;
}

#[tokio::test]
async fn a_webhook_in_the_way_is_left_without_losing_updates() {
    let (world, person) = World::welcomed().await;
    let set = world.telegram.call("setWebhook", json!({"url": "http://127.0.0.1:1/nobody-listens-here"})).await;
    assert_eq!(set["ok"], true, "{set}");
    person.say("q1").await;
    world.telegram.until_called("deleteWebhook", 0).await;
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    world.until_channel_is(ChannelState::Polling).await;
    world.finish().await;
}
