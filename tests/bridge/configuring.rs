//! What happens when an admin changes a bot.

use chatbridge::domain::{BotId, Localized, OdooEvent};
use chatbridge::ports::{ChannelState, Class, EventKind, Failure, Store};
use serde_json::json;

use super::bot;
use super::odoo::Method;
use super::time::{in_time, until};
use super::world::World;

#[tokio::test]
async fn a_changed_text_is_live_and_the_dialog_goes_on() {
    let (world, person) = World::welcomed().await;
    let mut changed = bot::saying("<p>Good day</p>", "h2");
    changed["steps"][2]["text"]["en_US"] = "<p>Changed</p>".into();
    world.odoo.configure(changed);
    world.nudge();
    until("it is taken", || world.odoo.desk().events.is_empty()).await;
    person.say("q1").await;
    person.hears(2).await;
    person.say("/start").await;
    assert_eq!(person.hears(3).await, ["Welcome", "Changed", "Good day"]);
    world.odoo.until_words(6).await;
    assert_eq!(world.odoo.desk().ledger.count("conversation.open"), 2, "one at each /start, none at the change");
    assert_eq!(world.store.bots().unwrap()[0].1["hash"], "h2");
    world.finish().await;
}

#[tokio::test]
async fn an_archived_bot_stops_polling_and_a_new_one_starts() {
    let (world, person) = World::welcomed().await;
    world.telegram.control("bots", json!({"token": "77:AAother", "username": "other_bot", "first_name": "Other"})).await;
    world.odoo.configure(bot::numbered(4, 8, "77:AAother", "x"));
    let other = world.telegram.person_of("other_bot", "Іван").await;
    other.say("/start").await;
    assert_eq!(other.hears(1).await, ["Welcome"]);
    world.odoo.archive(3);
    in_time("it is taken", || world.odoo.desk().events.is_empty()).await;
    until("it is not listed", || world.odoo.desk().heartbeats.last().is_some_and(|beat| beat.channels.len() == 1)).await;
    let begun = std::time::Instant::now();
    while world.telegram.bot(bot::NAME).await["polling"] != 0 {
        assert!(begun.elapsed().as_secs() < 20, "it polls still");
    }
    person.say("q1").await;
    other.say("q2").await;
    assert_eq!(other.hears(2).await, ["Welcome", "Answer 2"]);
    assert_eq!(person.heard().await, ["Welcome"]);
    assert_eq!(world.store.bots().unwrap().into_iter().map(|(id, _)| id).collect::<Vec<_>>(), [BotId(4)]);
    // Put back, it takes up what came meanwhile.
    world.odoo.configure(bot::shop());
    in_time("it is taken", || world.odoo.desk().events.is_empty()).await;
    assert_eq!(person.hears(2).await, ["Welcome", "Answer 1"]);
    world.finish().await;
}

#[tokio::test]
async fn a_changed_token_restarts_the_channel() {
    let (world, person) = World::welcomed().await;
    world.telegram.control("bots", json!({"token": "88:AAanother", "username": "new_bot", "first_name": "New"})).await;
    world.odoo.configure(bot::numbered(3, bot::CHANNEL, "88:AAanother", "h2"));
    in_time("it is taken", || world.odoo.desk().events.is_empty()).await;
    let new = super::person::Person { bot: "new_bot".to_owned(), ..person.clone() };
    new.say("q1").await;
    assert_eq!(new.hears(1).await, ["Answer 1"], "it is the same chat of the same channel");
    until("Odoo is told", || {
        let desk = world.odoo.desk();
        desk.heartbeats.last().is_some_and(|beat| beat.channels[0].username.as_deref() == Some("new_bot"))
    })
    .await;
    assert!(world.channel_is(ChannelState::Polling));
    world.finish().await;
}

#[tokio::test]
async fn an_event_of_a_kind_that_nobody_knows_is_acknowledged() {
    let (world, _) = World::welcomed().await;
    world.odoo.desk().announce(EventKind::Unknown("telepathy".to_owned()));
    in_time("it is acknowledged", || world.odoo.desk().events.is_empty()).await;
    world.finish().await;
}

/// One bot that cannot be read holds up nobody's consultation; it is taken when it can.
#[tokio::test]
async fn a_configuration_that_cannot_be_read_holds_up_no_chat() {
    let (world, person) = World::welcomed().await;
    world.odoo.fail(Method::Configuration, usize::MAX, Failure::new(Class::Malformed, "bots[0], steps"));
    world.odoo.configure(bot::saying("<p>Good day</p>", "h2"));
    for number in 2..=4 {
        world.odoo.tell(person.chat(), None, OdooEvent::Say { text: Localized::single("en_US", &format!("Line {number}")) });
        in_time("it is said", || world.metrics().sent.get() == number).await;
    }
    in_time("one is left", || world.odoo.desk().events.len() == 1).await;
    assert!(matches!(world.odoo.desk().events[0].kind, EventKind::Configuration { .. }));
    assert_eq!(person.heard().await, ["Welcome", "Line 2", "Line 3", "Line 4"]);
    in_time("it is told", || world.ready().1.contains("bots[0], steps")).await;
    world.odoo.come_back();
    in_time("it is taken", || world.odoo.desk().events.is_empty()).await;
    person.say("/start").await;
    assert_eq!(person.hears(5).await[4], "Good day");
    world.finish().await;
}
