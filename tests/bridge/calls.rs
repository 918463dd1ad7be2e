//! Buttons of a form in Odoo that call the bridge: *Refresh hook* (SET-3) and *Run now* (B-9).

use std::time::{Duration, Instant};

use chatbridge::domain::{ChannelId, Operation, OperationBody};
use chatbridge::ports::{ChannelState, EventKind, Store};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::bot;
use super::odoo::Method;
use super::time::{in_time, until};
use super::world::World;

fn sign(secret: &str, timestamp: i64, body: &str) -> String {
    let key: Vec<u8> = (0..secret.len()).step_by(2).map(|at| u8::from_str_radix(&secret[at..at + 2], 16).unwrap()).collect();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{timestamp}.{body}").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the bridge answers to a body that is signed with a key at a time.
async fn post(world: &World, secret: &str, at: i64, body: String) -> reqwest::Response {
    let client = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).build().unwrap();
    let signature = sign(secret, at, &body);
    let request = client.post(format!("{}/odoo/call", world.url)).header("X-Chatbridge-Timestamp", at).header("X-Chatbridge-Signature", signature);
    request.body(body).send().await.unwrap()
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// A call as Odoo makes it.
async fn call(world: &World, name: &str, channel: i64) -> Value {
    let body = json!({"database_uuid": "d", "call": name, "channel": channel}).to_string();
    let response = post(world, &world.secret(), now(), body).await;
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

#[tokio::test]
async fn refresh_says_telegrams_own_words_and_the_username() {
    let (world, person) = World::welcomed().await;
    let polling = call(&world, "refresh", bot::CHANNEL).await;
    assert_eq!(polling, json!({"ok": true, "answer": "Webhook is already deleted", "username": bot::NAME}));
    // What was saved just before is in force.
    world.odoo.configure(bot::hooked(&world.url, "h2"));
    let set = call(&world, "refresh", bot::CHANNEL).await;
    // The channel's own start may have been faster.
    assert!(set["ok"] == true && ["Webhook was set", "Webhook is already set"].contains(&set["answer"].as_str().unwrap()), "{set}");
    world.until_channel_is(ChannelState::Webhook).await;
    world.odoo.configure(bot::shop());
    call(&world, "refresh", bot::CHANNEL).await;
    world.until_channel_is(ChannelState::Polling).await;
    person.say("q1").await;
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    world.finish().await;
}

#[tokio::test]
async fn refresh_tells_of_a_webhook_that_does_not_work() {
    let world = World::running().await;
    let person = world.telegram.person("Олена").await;
    world.odoo.configure(bot::hooked("http://127.0.0.1:1", "h2"));
    world.until_channel_is(ChannelState::Webhook).await;
    person.say("/start").await;
    let begun = Instant::now();
    while world.telegram.call("getWebhookInfo", json!({})).await["result"]["last_error_message"].is_null() {
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing was delivered");
    }
    let answer = call(&world, "refresh", bot::CHANNEL).await["answer"].as_str().unwrap().to_owned();
    assert!(answer.starts_with("Webhook was set. Updates waiting: 1"), "{answer}");
    world.odoo.configure(bot::shop());
    call(&world, "refresh", bot::CHANNEL).await;
    assert_eq!(person.hears(1).await, ["Welcome"]);
    world.finish().await;
}

#[tokio::test]
async fn refresh_says_what_is_wrong_and_what_to_do() {
    let (world, _) = World::welcomed().await;
    world.telegram.fault(json!({"kind": "unauthorized", "times": 1000})).await;
    let refused = call(&world, "refresh", bot::CHANNEL).await;
    assert_eq!(refused["ok"], false);
    assert!(refused["answer"].as_str().unwrap().contains("@BotFather"), "{refused}");
    world.until_channel_is(ChannelState::Refused).await;
    world.telegram.mend().await;
    // The token is right again: nobody waits for the next try.
    assert_eq!(call(&world, "refresh", bot::CHANNEL).await["ok"], true);
    world.until_channel_is(ChannelState::Polling).await;
    let unknown = call(&world, "refresh", 99).await;
    assert!(unknown["ok"] == false && unknown["answer"].as_str().unwrap().contains("archived"), "{unknown}");
    world.finish().await;
}

/// Somebody sits at the form: at most five seconds, whatever Telegram does.
#[tokio::test]
async fn refresh_answers_in_time() {
    let (world, _) = World::welcomed().await;
    world.telegram.fault(json!({"kind": "slow", "delay_ms": 30_000, "method": "getMe"})).await;
    let begun = Instant::now();
    let answer = call(&world, "refresh", bot::CHANNEL).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(answer["ok"] == false && answer["answer"].as_str().unwrap().contains("has not answered in time"), "{answer}");
}

#[tokio::test]
async fn only_odoo_calls() {
    let (world, _) = World::welcomed().await;
    let (secret, body) = (world.secret(), json!({"database_uuid": "d", "call": "run", "channel": 7}).to_string());
    let status = async |secret: &str, at: i64, body: String| post(&world, secret, at, body).await.status().as_u16();
    assert_eq!(status(&secret, now(), body.clone()).await, 200);
    assert_eq!(status(&"00".repeat(32), now(), body.clone()).await, 401);
    assert_eq!(status(&secret, now() - 3600, body.clone()).await, 401);
    assert_eq!(status(&secret, now(), "{}".to_owned()).await, 400);
    assert_eq!(status(&secret, now(), body.replace("run", "dance")).await, 400);
    assert_eq!(status(&secret, now(), "x".repeat(64 * 1024 + 1)).await, 413);
    let copy = post(&world, &secret, now(), body.replace("\"d\"", "\"copy\"")).await.json::<Value>().await.unwrap();
    assert!(copy["ok"] == false && copy["answer"].as_str().unwrap().contains("another database"), "{copy}");
    world.finish().await;
}

#[tokio::test]
async fn without_the_lease_the_form_is_told() {
    let (world, _) = World::welcomed().await;
    world.odoo.hold(Some(Method::Handshake));
    world.odoo.revoke();
    until("the lease is lost", || !world.ready().0).await;
    let answer = call(&world, "refresh", bot::CHANNEL).await;
    assert!(answer["ok"] == false && answer["answer"].as_str().unwrap().contains("can't work now"), "{answer}");
    world.odoo.hold(None);
    until("it works again", || world.ready().0).await;
    world.finish().await;
}

#[tokio::test]
async fn run_does_not_wait_for_the_next_try() {
    let (world, person) = World::welcomed().await;
    world.telegram.fault(json!({"kind": "unauthorized", "times": 1000})).await;
    person.say("q1").await;
    world.until_channel_is(ChannelState::Refused).await;
    let told = call(&world, "run", bot::CHANNEL).await;
    assert!(told["ok"] == false && told["answer"].as_str().unwrap().contains("@BotFather"), "{told}");
    world.telegram.mend().await;
    let begun = Instant::now();
    call(&world, "run", bot::CHANNEL).await;
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    world.until_channel_is(ChannelState::Polling).await;
    // The same for a message whose sending has failed.
    person.fault(json!({"kind": "unauthorized"})).await;
    person.say("q2").await;
    until("it is refused", || world.store.counts().unwrap().sends == 1).await;
    world.telegram.until_called("sendMessage", world.telegram.last_call().await.saturating_sub(1)).await;
    let begun = Instant::now();
    while person.heard().await.len() < 3 {
        assert!(begun.elapsed() < Duration::from_secs(5), "it waits for its next try");
        call(&world, "run", bot::CHANNEL).await;
    }
    world.finish().await;
}

#[tokio::test]
async fn run_respects_what_telegram_says() {
    let (world, person) = World::welcomed().await;
    person.fault(json!({"kind": "rate_limited", "retry_after": 2})).await;
    person.say("q1").await;
    until("it waits", || world.store.counts().unwrap().sends == 1).await;
    let begun = Instant::now();
    world.telegram.until_called("sendMessage", world.telegram.last_call().await.saturating_sub(1)).await;
    for _ in 0..5 {
        call(&world, "run", bot::CHANNEL).await;
    }
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    assert!(begun.elapsed() > Duration::from_millis(1500), "{:?}", begun.elapsed());
    assert_eq!(person.tries().await.len(), 3);
    world.finish().await;
}

#[tokio::test]
async fn run_takes_what_was_saved_in_odoo() {
    let (world, person) = World::welcomed().await;
    world.odoo.configure(bot::saying("<p>Good day</p>", "h2"));
    call(&world, "run", bot::CHANNEL).await;
    until("it is taken", || world.odoo.desk().events.is_empty()).await;
    person.say("/start").await;
    assert_eq!(person.hears(2).await, ["Welcome", "Good day"]);
    world.finish().await;
}

/// The bridge can't be reached from Odoo: the button is an event, its answer an operation.
#[tokio::test]
async fn a_button_may_come_as_an_event() {
    let (world, _) = World::welcomed().await;
    world.odoo.desk().announce(EventKind::Refresh { channel: ChannelId(bot::CHANNEL) });
    world.odoo.desk().announce(EventKind::Run { channel: ChannelId(bot::CHANNEL) });
    world.odoo.desk().announce(EventKind::Refresh { channel: ChannelId(99) });
    let answers = || -> Vec<(i64, bool, String)> {
        let desk = world.odoo.desk();
        let of = |body: &OperationBody| match body {
            OperationBody::Refreshed { channel, ok, answer, .. } => Some((channel.0, *ok, answer.clone())),
            _ => None,
        };
        let mut found: Vec<_> = desk.ledger.done.iter().filter_map(|operation| of(&operation.body)).collect();
        found.sort();
        found
    };
    until("the answers are in Odoo", || answers().len() == 2).await;
    let answers = answers();
    assert_eq!(answers[0], (bot::CHANNEL, true, "Webhook is already deleted".to_owned()));
    assert!(!answers[1].1 && answers[1].2.contains("archived"), "{answers:?}");
    until("they are acknowledged", || world.odoo.desk().events.is_empty()).await;
    world.finish().await;
}

/// Where the answer cannot be kept, the event comes again: else the form would wait for ever.
#[tokio::test]
async fn an_event_of_a_button_stays_until_its_answer_is_safe() {
    let (world, _) = World::welcomed().await;
    let answer = |operation: &Operation| matches!(operation.body, OperationBody::Refreshed { .. });
    world.store.fail(2, move |change| change.operations.iter().any(|(_, operation)| answer(operation)));
    world.odoo.desk().announce(EventKind::Refresh { channel: ChannelId(bot::CHANNEL) });
    in_time("the answer is in Odoo", || world.odoo.desk().ledger.done.iter().any(answer)).await;
    in_time("it is acknowledged", || world.odoo.desk().events.is_empty()).await;
    assert_eq!(world.store.failures_left(), 0);
    assert_eq!(world.odoo.desk().ledger.count("channel.refreshed"), 1);
    world.finish().await;
}
