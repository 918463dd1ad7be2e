//! Updates that Telegram delivers instead of being asked for them (SET-4).

use chatbridge::domain::ChannelId;
use chatbridge::ports::{ChannelState, Store};
use serde_json::{Value, json};

use super::bot;
use super::odoo::Method;
use super::person::Person;
use super::time::{pass, until};
use super::world::World;

/// A bridge whose channel has a webhook; somebody has been welcomed.
async fn hooked() -> (World, Person) {
    let mut world = World::new().await;
    world.odoo.configure(bot::hooked(&world.url, "h2"));
    world.start();
    world.until_channel_is(ChannelState::Webhook).await;
    let person = world.welcome("Олена").await;
    (world, person)
}

/// The webhook as Telegram has it.
async fn webhook(world: &World) -> Value {
    world.telegram.call("getWebhookInfo", json!({})).await["result"].clone()
}

/// The secret that the bridge gave to Telegram.
async fn secret(world: &World) -> String {
    let set = world.telegram.calls("setWebhook").await;
    set.last().unwrap()["params"]["secret_token"].as_str().unwrap().to_owned()
}

/// What the bridge answers to a delivery.
async fn deliver(url: &str, secret: Option<&str>, body: impl Into<reqwest::Body>) -> reqwest::Response {
    let mut post = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).build().unwrap().post(url).body(body);
    if let Some(secret) = secret {
        post = post.header("X-Telegram-Bot-Api-Secret-Token", secret);
    }
    post.send().await.unwrap()
}

fn update(id: i64, user: i64, text: &str) -> String {
    let person = json!({"id": user, "is_bot": false, "first_name": "Олена"});
    let chat = json!({"id": user, "type": "private", "first_name": "Олена"});
    json!({"update_id": id, "message": {"message_id": id, "date": 1_790_000_000, "from": person, "chat": chat, "text": text}}).to_string()
}

#[tokio::test]
async fn a_webhook_is_set_and_brings_what_people_write() {
    let (world, person) = hooked().await;
    person.say("q1").await;
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    assert_eq!(webhook(&world).await["url"], format!("{}/telegram/{}", world.url, bot::CHANNEL));
    assert!(world.telegram.calls("getUpdates").await.is_empty(), "nobody polls");
    let secret = secret(&world).await;
    assert!(secret.len() == 64 && !secret.contains("AAfirst"));
    let desk = world.odoo.desk().heartbeats.last().unwrap().channels[0].clone();
    assert_eq!((desk.username.as_deref(), desk.last_error), (Some(bot::NAME), None));
    until("Odoo knows when the last one came", || {
        world.nudge();
        world.odoo.desk().heartbeats.last().unwrap().channels[0].last_update.is_some()
    })
    .await;
    world.finish().await;
}

/// Telegram is told that an update was taken only when it is safe.
#[tokio::test]
async fn what_is_not_safe_yet_is_not_confirmed() {
    let (world, person) = hooked().await;
    world.store.hold(true);
    person.say("q1").await;
    until("it is taken in", || world.metrics().updates.get() == 2).await;
    assert_eq!(webhook(&world).await["pending_update_count"], 1);
    world.store.hold(false);
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    world.telegram.until_confirmed(bot::NAME).await;
    world.store.fill(true);
    person.say("q2").await;
    until("it is tried", || world.metrics().updates.get() >= 3).await;
    world.store.fill(false);
    assert_eq!(person.hears(3).await, ["Welcome", "Answer 1", "Answer 2"], "brought again");
    world.telegram.until_confirmed(bot::NAME).await;
    world.finish().await;
}

#[tokio::test]
async fn only_telegram_delivers() {
    let (world, person) = hooked().await;
    let (url, secret) = (format!("{}/telegram/{}", world.url, bot::CHANNEL), secret(&world).await);
    let body = update(5, person.id, "q1");
    let status = async |url: &str, secret: Option<&str>, body: String| deliver(url, secret, body).await.status().as_u16();
    assert_eq!(status(&url, None, body.clone()).await, 401);
    assert_eq!(status(&url, Some(&secret[1..]), body.clone()).await, 401);
    assert_eq!(status(&url, Some(""), body.clone()).await, 401);
    assert_eq!(status(&format!("{}/telegram/8", world.url), Some(&secret), body.clone()).await, 404);
    assert_eq!(status(&format!("{}/telegram/x", world.url), Some(&secret), body.clone()).await, 404);
    assert_eq!(status(&url, Some(&secret), "x".repeat(1024 * 1024 + 1)).await, 413);
    assert_eq!(world.metrics().updates.get(), 1, "none of these was taken in");
    assert_eq!(status(&url, Some(&secret), body).await, 200);
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    world.finish().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_counted_and_never_comes_again() {
    let (world, _) = hooked().await;
    let (url, secret) = (format!("{}/telegram/{}", world.url, bot::CHANNEL), secret(&world).await);
    for body in ["{", "null", r#"{"update_id":"x"}"#, r#"{"update_id":5,"message":{"text":1}}"#] {
        assert_eq!(deliver(&url, Some(&secret), body).await.status(), 200, "{body}");
    }
    assert_eq!(world.metrics().undecodable.get(), 4);
    world.finish().await;
}

/// Whoever does not hold the lease takes nothing in; Telegram brings it again.
#[tokio::test]
async fn without_the_lease_nothing_is_taken_in() {
    let (world, person) = hooked().await;
    let (url, secret) = (format!("{}/telegram/{}", world.url, bot::CHANNEL), secret(&world).await);
    world.odoo.hold(Some(Method::Handshake));
    world.odoo.revoke();
    until("the lease is lost", || !world.ready().0).await;
    let answer = deliver(&url, Some(&secret), update(5, person.id, "q1")).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "2"));
    person.say("q2").await;
    world.odoo.hold(None);
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 2"]);
    world.finish().await;
}

/// What comes by a poll and by the webhook, or twice by the webhook, has one effect.
#[tokio::test]
async fn what_comes_twice_has_one_effect() {
    let (world, person) = hooked().await;
    let id = person.say("q1").await;
    person.hears(2).await;
    world.telegram.until_confirmed(bot::NAME).await;
    world.telegram.control("redeliver", json!({"bot": bot::NAME, "update_id": id})).await;
    until("it comes again", || world.metrics().duplicates.get() == 1).await;
    world.odoo.configure(bot::shop());
    world.until_channel_is(ChannelState::Polling).await;
    world.telegram.control("redeliver", json!({"bot": bot::NAME, "update_id": id})).await;
    until("it comes by a poll", || world.metrics().duplicates.get() == 2).await;
    person.say("q2").await;
    assert_eq!(person.hears(3).await, ["Welcome", "Answer 1", "Answer 2"]);
    world.finish().await;
}

/// While people write, the channel goes from polling to the webhook and back, many times: each word is answered once, in order.
#[tokio::test]
async fn switching_while_people_write_loses_and_doubles_nothing() {
    let (world, person) = World::welcomed().await;
    let other = world.welcome("Іван").await;
    let writing = async |who: &Person| {
        for round in 0..20 {
            who.say(&format!("q{}", round % 10)).await;
            // About as long as a switch takes, so that each meets a different moment of it.
            tokio::time::sleep(std::time::Duration::from_millis(60 + 7 * round)).await;
        }
    };
    let switching = async {
        for round in 0..8 {
            let (hook, hash) = (round % 2 == 0, format!("s{round}"));
            let mut bot = if hook { bot::hooked(&world.url, &hash) } else { bot::shop() };
            bot["hash"] = hash.into();
            world.odoo.configure(bot);
            world.nudge();
            world.until_channel_is(if hook { ChannelState::Webhook } else { ChannelState::Polling }).await;
        }
    };
    tokio::join!(writing(&person), writing(&other), switching);
    let mut expected = vec!["Welcome".to_owned()];
    expected.extend((0..20).map(|round| format!("Answer {}", round % 10)));
    for who in [&person, &other] {
        assert_eq!(who.hears(21).await, expected);
    }
    world.telegram.until_confirmed(bot::NAME).await;
    assert_eq!(world.odoo.until_words(84).await.len(), 84, "two welcomes of two lines, and twenty of each");
    world.finish().await;
}

#[tokio::test]
async fn the_poll_that_runs_ends_before_the_webhook_is_set() {
    let (world, person) = World::welcomed().await;
    let before = world.telegram.last_call().await;
    world.odoo.configure(bot::hooked(&world.url, "h2"));
    world.until_channel_is(ChannelState::Webhook).await;
    world.telegram.until_called("setWebhook", before).await;
    assert_eq!(world.telegram.bot(bot::NAME).await["polling"], 0);
    let conflicts = world.telegram.calls("getUpdates").await;
    assert!(conflicts.iter().all(|call| call["error_code"].is_null()), "{conflicts:?}");
    person.say("q1").await;
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    world.finish().await;
}

#[tokio::test]
async fn a_webhook_that_telegram_refuses_is_told_and_tried_again() {
    let mut world = World::new().await;
    world
        .telegram
        .fault(json!({"kind": "bad_request", "method": "setWebhook", "description": "bad webhook: Failed to resolve host", "times": 100}))
        .await;
    world.odoo.configure(bot::hooked(&world.url, "h2"));
    world.start();
    world.until_channel_is(ChannelState::Refused).await;
    let error = world.odoo.desk().heartbeats.last().unwrap().channels[0].last_error.clone().unwrap();
    assert!(error.contains("Failed to resolve host") && error.contains("Correct"), "{error}");
    world.telegram.mend().await;
    pass(std::time::Duration::from_secs(31)).await;
    world.until_channel_is(ChannelState::Webhook).await;
    world.welcome("Олена").await;
    world.finish().await;
}

#[tokio::test]
async fn a_webhook_that_somebody_else_has_changed_is_set_again() {
    let (world, person) = hooked().await;
    world.telegram.call("setWebhook", json!({"url": "http://127.0.0.1:1/elsewhere"})).await;
    person.say("q1").await;
    pass(std::time::Duration::from_secs(61)).await;
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    world.until_channel_is(ChannelState::Webhook).await;
    world.finish().await;
}

/// Telegram keeps what is written while the bridge is away, and the secret is the same after it.
#[tokio::test]
async fn a_stop_leaves_the_webhook_and_the_next_start_gets_what_came_meanwhile() {
    let (mut world, person) = hooked().await;
    let first = secret(&world).await;
    world.stop().await;
    assert_eq!(webhook(&world).await["url"], format!("{}/telegram/{}", world.url, bot::CHANNEL));
    person.say("q1").await;
    world.start();
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    assert_eq!(secret(&world).await, first);
    assert!(!world.store.bots().unwrap()[0].1.to_string().contains(&first), "it is not kept");
    world.finish().await;
}

/// B-9: an archived channel does nothing, and begins at once when it is back.
#[tokio::test]
async fn a_channel_that_is_switched_off_leaves_its_updates_with_telegram() {
    let (world, person) = hooked().await;
    world.odoo.archive(3);
    world.nudge();
    world.telegram.until_called("deleteWebhook", 0).await;
    until("it is not listed", || world.odoo.desk().heartbeats.last().is_some_and(|beat| beat.channels.is_empty())).await;
    person.say("q1").await;
    assert_eq!(person.heard().await, ["Welcome"]);
    let begun = std::time::Instant::now();
    world.odoo.configure(bot::hooked(&world.url, "h3"));
    world.nudge();
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    assert!(begun.elapsed().as_secs() < 2, "{:?}", begun.elapsed());
    assert_eq!(world.record(&person).conversation.map(|open| open.sequence), Some(4), "the talk went on in channel {:?}", ChannelId(bot::CHANNEL));
    world.finish().await;
}
