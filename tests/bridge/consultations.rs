//! Consultations: what Odoo tells of chats, and what the bridge makes of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chatbridge::bridge::Ended;
use chatbridge::domain::{
    Author, ChannelId, ChatKey, Consultation, ConsultationKey, ConversationKey, DiscussMessageId, EndReason, OdooEvent, OperationBody,
};
use chatbridge::ports::{Cause, Class, EventKind, Failure, Store};
use serde_json::json;

use super::bot;
use super::odoo::Method;
use super::person::Person;
use super::time::{in_time, pass, until};
use super::world::World;

fn consultation(world: &World, person: &Person) -> Option<Consultation> {
    world.record(person).conversation.and_then(|open| open.consultation)
}

fn key(world: &World, person: &Person) -> ConsultationKey {
    consultation(world, person).expect("a consultation").key
}

/// Odoo tells of this person's chat.
fn tell(world: &World, person: &Person, what: OdooEvent) {
    let conversation = world.record(person).conversation.map(|open| open.key);
    world.odoo.tell(person.chat(), conversation, what);
}

fn assigned(consultation: ConsultationKey) -> OdooEvent {
    OdooEvent::Assigned { consultation, operator: "Julia".to_owned(), started: false }
}

fn said(consultation: ConsultationKey, number: i64) -> OdooEvent {
    let html = format!("<p>Line {number}</p>");
    OdooEvent::Said { consultation, message: DiscussMessageId(number), operator: "Julia".to_owned(), html }
}

/// What a person in a consultation has heard: the beginning, then this.
fn after(lines: impl IntoIterator<Item = String>) -> Vec<String> {
    let begin = ["Welcome", "Connecting you", "Operator connected\nTo end press /end"].map(str::to_owned);
    begin.into_iter().chain(lines).collect()
}

fn lines(range: std::ops::RangeInclusive<i64>) -> impl Iterator<Item = String> {
    range.map(|number| format!("Line {number}"))
}

/// A person who has an operator.
async fn consult(world: &World, name: &str) -> (Person, ConsultationKey) {
    let person = world.welcome(name).await;
    person.say("operator").await;
    person.hears(2).await;
    let key = key(world, &person);
    tell(world, &person, assigned(key));
    person.hears(3).await;
    (person, key)
}

fn bodies(world: &World) -> Vec<OperationBody> {
    world.odoo.desk().ledger.done.iter().map(|operation| operation.body.clone()).collect()
}

/// OP-6, OP-11: from the wish to the end.
#[tokio::test]
async fn a_consultation_goes_there_and_back() {
    let world = World::running().await;
    let (person, key) = consult(&world, "Олена").await;
    tell(&world, &person, said(key, 1));
    person.hears(4).await;
    person.say("q1").await;
    until("the word is written", || world.odoo.desk().ledger.words().contains(&"q1")).await;
    person.say("/end").await;
    assert_eq!(person.hears(6).await, after(["Line 1", "Completed", "Answer 0"].map(str::to_owned)));
    until("all is written", || world.odoo.desk().ledger.words().contains(&"<p>Answer 0</p>")).await;
    until("all is acknowledged", || world.odoo.desk().events.is_empty()).await;
    let bodies = bodies(&world);
    let at = |wanted: &dyn Fn(&OperationBody) -> bool| bodies.iter().position(wanted).expect("written");
    let order = [
        at(
            &|body| matches!(body, OperationBody::ConsultationRequest { consultation, operator_bot, wait: true, .. } if *consultation == key && operator_bot.0 == 9),
        ),
        at(&|body| matches!(body, OperationBody::ConsultationJoined { consultation, .. } if *consultation == key)),
        at(&|body| matches!(body, OperationBody::Message { author: Author::Operator, discuss_message: Some(DiscussMessageId(1)), .. })),
        at(&|body| matches!(body, OperationBody::MessageSent { sequence: 6, telegram_message, .. } if telegram_message.0 > 0)),
        at(&|body| matches!(body, OperationBody::Message { author: Author::Customer, consultation: Some(of), .. } if *of == key)),
        at(&|body| matches!(body, OperationBody::ConsultationEnd { consultation, reason: EndReason::Customer, .. } if *consultation == key)),
    ];
    assert!(order.is_sorted(), "{order:?}");
    assert_eq!(world.odoo.desk().ledger.count("message.sent"), 1, "of the operator's lines alone");
    world.finish().await;
}

#[tokio::test]
async fn an_event_that_could_not_be_acknowledged_has_its_effect_once() {
    let world = World::running().await;
    let (person, key) = consult(&world, "Олена").await;
    until("acknowledged", || world.odoo.desk().events.is_empty()).await;
    world.odoo.fail(Method::Done, 2, Failure::new(Class::Transient, "connection refused"));
    tell(&world, &person, said(key, 1));
    in_time("it is acknowledged at last", || world.odoo.desk().events.is_empty()).await;
    tell(&world, &person, said(key, 2));
    in_time("the next", || world.metrics().sent.get() == 5).await;
    assert_eq!(person.heard().await, after(lines(1..=2)));
    assert!(world.metrics().duplicates.get() >= 1);
    world.finish().await;
}

/// A crash between the commit and the acknowledgement.
#[tokio::test]
async fn an_event_that_was_committed_before_a_restart_does_nothing_after_it() {
    let mut world = World::running().await;
    let (person, key) = consult(&world, "Олена").await;
    until("acknowledged", || world.odoo.desk().events.is_empty()).await;
    world.odoo.hold(Some(Method::Done));
    tell(&world, &person, said(key, 1));
    person.hears(4).await;
    world.odoo.until_words(6).await;
    until("it is settled", || world.store.counts().unwrap().operations == 0).await;
    world.stop().await;
    assert_eq!(world.odoo.desk().events.len(), 1);
    world.odoo.hold(None);
    world.start();
    until("the event came again", || world.metrics().duplicates.get() == 1 && world.odoo.desk().events.is_empty()).await;
    tell(&world, &person, said(key, 2));
    assert_eq!(person.hears(5).await, after(lines(1..=2)));
    world.finish().await;
}

#[tokio::test]
async fn a_restart_in_a_consultation_takes_up_what_both_sides_said_meanwhile() {
    let mut world = World::running().await;
    let (person, key) = consult(&world, "Олена").await;
    until("acknowledged", || world.odoo.desk().events.is_empty()).await;
    assert_eq!(world.stop().await, Ended::Drained);
    tell(&world, &person, said(key, 1));
    tell(&world, &person, said(key, 2));
    person.say("q1").await;
    world.start();
    assert_eq!(person.hears(5).await, after(lines(1..=2)), "and the bot does not answer");
    until("the word is for the operator", || {
        bodies(&world).iter().any(|body| matches!(body, OperationBody::Message { body, consultation: Some(of), .. } if body == "q1" && *of == key))
    })
    .await;
    world.finish().await;
}

#[tokio::test]
async fn many_lines_keep_their_order() {
    let world = World::running().await;
    let (person, key) = consult(&world, "Олена").await;
    for number in 1..=60 {
        tell(&world, &person, said(key, number));
        if number % 7 == 0 {
            world.nudge();
            tokio::task::yield_now().await;
        }
    }
    world.nudge();
    assert_eq!(person.hears(63).await, after(lines(1..=60)));
    until("each is acknowledged", || world.odoo.desk().events.is_empty()).await;
    until("each is confirmed", || world.odoo.desk().ledger.count("message.sent") == 60).await;
    world.finish().await;
}

/// A chat that cannot take its events holds up nobody else's, and none of its own is overtaken.
#[tokio::test]
async fn a_stuck_chat_stops_nobody_and_keeps_its_order() {
    let world = World::running().await;
    let (stuck, of_stuck) = consult(&world, "Перша").await;
    let (other, of_other) = consult(&world, "Друга").await;
    until("acknowledged", || world.odoo.desk().events.is_empty()).await;
    let chat = stuck.chat();
    world.store.fail(4, move |change| matches!(change.seen, Some((Cause::Event(_), _))) && change.chats[0].0 == chat);
    tell(&world, &stuck, said(of_stuck, 1));
    tell(&world, &stuck, said(of_stuck, 2));
    tell(&world, &other, said(of_other, 1));
    world.nudge();
    other.hears(4).await;
    tell(&world, &stuck, said(of_stuck, 3));
    tell(&world, &other, said(of_other, 2));
    world.nudge();
    assert_eq!(other.hears(5).await, after(lines(1..=2)));
    in_time("it is stuck no more", || world.store.failures_left() == 0 && world.odoo.desk().events.is_empty()).await;
    assert_eq!(stuck.hears(6).await, after(lines(1..=3)));
    world.finish().await;
}

/// Events of a channel that does not run here wait in Odoo, however many; they hide nobody else's, and come when it runs.
#[tokio::test]
async fn events_of_a_channel_that_is_off_wait_and_hide_nobody_elses() {
    let world = World::running().await;
    let (person, key) = consult(&world, "Олена").await;
    world.telegram.control("bots", json!({"token": "77:AAother", "username": "other_bot", "first_name": "Other"})).await;
    let waiting = world.telegram.person_of("other_bot", "Іван").await;
    waiting.say("/start").await;
    let chat = ChatKey { channel: ChannelId(8), ..waiting.chat() };
    for number in 1..=230 {
        world.odoo.tell(chat, None, said(key, number));
    }
    tell(&world, &person, said(key, 1));
    world.nudge();
    assert_eq!(person.hears(4).await, after(lines(1..=1)));
    let calls = world.odoo.called(Method::Events);
    until("one is acknowledged", || world.odoo.desk().events.len() == 230).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(world.odoo.called(Method::Events) < calls + 5, "what waits is not asked for in a hurry");
    world.odoo.configure(bot::numbered(4, 8, "77:AAother", "x"));
    in_time("they are taken", || world.odoo.desk().events.is_empty()).await;
    let heard: Vec<String> = waiting.hears(231).await.into_iter().filter(|words| words != "Welcome").collect();
    let expected: Vec<String> = lines(1..=230).map(|line| format!("Operator: {line}")).collect();
    assert_eq!(heard, expected, "they crossed the end of a consultation that is not theirs");
    in_time("all is written", || world.store.counts().unwrap().operations == 0).await;
    world.finish().await;
}

/// A post in Discuss costs a hundred times a row: no call brings more than five (the Odoo of the tests objects to more).
#[tokio::test]
async fn few_words_for_operators_go_in_one_call() {
    let world = World::running().await;
    let (person, key) = consult(&world, "Олена").await;
    in_time("all is written", || world.store.counts().unwrap().operations == 0).await;
    world.odoo.hold(Some(Method::Apply));
    for number in 0..12 {
        person.say(&format!("word {number}")).await;
    }
    world.telegram.until_confirmed(bot::NAME).await;
    let before = world.odoo.called(Method::Apply);
    world.odoo.hold(None);
    in_time("all is written", || world.store.counts().unwrap().operations == 0).await;
    assert!(world.odoo.called(Method::Apply) >= before + 3);
    let for_operator = |body: &OperationBody| match body {
        OperationBody::Message { body, consultation: Some(of), .. } if *of == key => Some(body.clone()),
        _ => None,
    };
    let words: Vec<String> = bodies(&world).iter().filter_map(for_operator).collect();
    assert_eq!(words, (0..12).map(|number| format!("word {number}")).collect::<Vec<_>>());
    world.finish().await;
}

/// OP-9: who has blocked the bot leaves the consultation, and the operator's line has failed.
#[tokio::test]
async fn a_line_to_somebody_who_has_blocked_the_bot_has_failed() {
    let world = World::running().await;
    let (person, key) = consult(&world, "Олена").await;
    person.fault(json!({"kind": "blocked", "times": 1})).await;
    tell(&world, &person, said(key, 1));
    until("the block is known", || world.record(&person).blocked).await;
    tell(&world, &person, said(key, 2));
    until("both are told", || world.odoo.desk().ledger.count("message.failed") == 1 && world.odoo.desk().ledger.count("discuss.failed") == 1).await;
    let ended = |body: &OperationBody| matches!(body, OperationBody::ConsultationEnd { reason: EndReason::Blocked, .. });
    until("the consultation has ended", || bodies(&world).iter().any(ended)).await;
    assert_eq!(world.odoo.desk().ledger.count("message.sent"), 0);
    world.finish().await;
}

/// an operator is wanted while Odoo is away: the person is told, and the wish is not lost.
#[tokio::test]
async fn a_wish_for_an_operator_outlives_an_outage() {
    let (world, person) = World::welcomed().await;
    world.odoo.go_down();
    in_time("it is noticed", || world.ready().1.contains("Odoo cannot be reached")).await;
    person.say("operator").await;
    let heard = person.hears(3).await;
    assert!(heard[2].contains("/end") && heard[2].contains("longer"), "{heard:?}");
    world.odoo.come_back();
    in_time("it is written", || world.odoo.desk().ledger.count("consultation.request") == 1).await;
    in_time("it is well", || world.ready().1 == "working").await;
    person.say("/end").await;
    person.hears(5).await;
    person.say("operator").await;
    assert_eq!(person.hears(6).await[5], "Connecting you", "and nothing of a longer time");
    person.say("/end").await;
    assert_eq!(person.hears(8).await.len(), 8);
    world.finish().await;
}

/// OP-6: with nudges an operator's line does not wait for the next look.
#[tokio::test]
async fn a_nudge_brings_an_operators_line_at_once() {
    let world = World::running().await;
    let (person, key) = consult(&world, "Олена").await;
    world.nudge();
    until("acknowledged", || world.odoo.desk().events.is_empty()).await;
    let begun = Instant::now();
    for number in 1..=5 {
        tell(&world, &person, said(key, number));
        world.nudge();
        person.hears(3 + usize::try_from(number).unwrap()).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    world.finish().await;
}

/// B-6: a live chat with somebody of whom this bridge's store knows nothing.
#[tokio::test]
async fn a_live_chat_may_be_the_first_that_the_bridge_hears_of_somebody() {
    let (world, person) = World::welcomed().await;
    let (telegram, odoo) = (world.telegram.clone(), world.odoo.clone());
    world.finish().await;
    let mut world = World::of(telegram, odoo, Arc::default());
    world.start();
    let (conversation, consultation) = (ConversationKey::draw(), ConsultationKey::draw());
    world.odoo.desk().ledger.known(conversation);
    world.odoo.tell(person.chat(), Some(conversation), OdooEvent::Assigned { consultation, operator: "Julia".to_owned(), started: true });
    assert_eq!(person.hears(2).await[1], "Operator connected\nTo end press /end");
    person.say("q1").await;
    until("the word is for the operator", || world.odoo.desk().ledger.words().contains(&"q1")).await;
    let joined = |body: &OperationBody| matches!(body, OperationBody::ConsultationJoined { conversation: at, .. } if *at == conversation);
    assert!(bodies(&world).iter().any(joined));
    assert_eq!(world.odoo.desk().ledger.count("conversation.open"), 1, "it is in the conversation that Odoo made");
    assert_eq!(key(&world, &person), consultation);
    world.finish().await;
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_put_aside() {
    let (world, _) = World::welcomed().await;
    world.odoo.desk().announce(EventKind::Unreadable(Failure::new(Class::Malformed, "events[0], payload, chat")));
    in_time("it is acknowledged", || world.odoo.desk().events.is_empty()).await;
    world.finish().await;
}

/// B-SET-6: where Odoo refuses the request itself, nobody waits for ever.
#[tokio::test]
async fn a_request_that_odoo_refuses_is_answered_that_nobody_is_there() {
    let (world, person) = World::welcomed().await;
    world.odoo.desk().refuse = Some(Box::new(|operation| matches!(operation.body, OperationBody::ConsultationRequest { .. })));
    person.say("operator").await;
    assert_eq!(person.hears(3).await, ["Welcome", "Connecting you", "Nobody is there"]);
    assert_eq!(consultation(&world, &person), None);
    person.say("q1").await;
    assert_eq!(person.hears(4).await[3], "Answer 1", "the dialog goes on");
    until("all is written", || world.store.counts().unwrap().operations == 0).await;
    world.finish().await;
}

/// B-SET-6: the refusal was kept, and the bridge ended before the chat had heard of it.
#[tokio::test]
async fn a_refused_request_is_told_after_a_restart() {
    let (mut world, person) = World::welcomed().await;
    world.odoo.desk().refuse = Some(Box::new(|operation| matches!(operation.body, OperationBody::ConsultationRequest { .. })));
    let chat = person.chat();
    // The chat can take nothing more once it has asked.
    world.store.fail(usize::MAX, move |change| change.seen.is_none() && change.chats.first().is_some_and(|(changed, _)| *changed == chat));
    person.say("operator").await;
    person.hears(2).await;
    until("it is kept aside", || world.store.counts().unwrap().parked == 1).await;
    until("the chat could not take it", || world.store.failures_left() < usize::MAX).await;
    world.stop().await;
    assert!(consultation(&world, &person).is_some());
    world.store.fail(0, |_| false);
    world.start();
    assert_eq!(person.hears(3).await[2], "Nobody is there");
    in_time("all is written", || world.store.counts().unwrap().operations == 0).await;
    world.finish().await;
}

/// An administrator has confirmed, and Odoo does not answer in time: a running consultation is not dropped for it.
#[tokio::test]
async fn a_consultation_outlives_an_odoo_that_cannot_tell_of_it_at_once() {
    let mut world = World::running().await;
    let (person, key) = consult(&world, "Олена").await;
    in_time("all is written", || world.store.counts().unwrap().operations == 0 && world.odoo.desk().events.is_empty()).await;
    world.stop().await;
    world.odoo.desk().epoch = "confirmed".to_owned();
    world.odoo.fail(Method::Ask, 2, Failure::new(Class::Bug, "Odoo failed with builtins.KeyError; its log says more"));
    world.odoo.hold(Some(Method::Ask));
    world.start();
    person.say("q1").await;
    until("it works", || world.ready().1 == "working").await;
    for _ in 0..20 {
        pass(Duration::from_secs(1)).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(person.heard().await.len(), 3, "the bot does not answer in the operator's place");
    world.odoo.hold(None);
    in_time("the word is for the operator", || {
        bodies(&world).iter().any(|body| matches!(body, OperationBody::Message { body, consultation: Some(of), .. } if body == "q1" && *of == key))
    })
    .await;
    assert_eq!(consultation(&world, &person).map(|running| running.key), Some(key));
    tell(&world, &person, said(key, 1));
    in_time("it is said", || world.metrics().sent.get() == 1).await;
    assert_eq!(person.heard().await, after(lines(1..=1)));
    world.finish().await;
}
