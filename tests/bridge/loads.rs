//! Many chats, and one chat with much.

use std::collections::HashMap;

use chatbridge::domain::{ConversationKey, OperationBody};

use super::bot;
use super::time::until;
use super::world::World;

const CHATS: usize = 200;
const EACH: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_chats_at_once_each_keep_their_order_and_nothing_is_lost_or_doubled() {
    let mut world = World::new().await;
    let mut people = vec![];
    for number in 0..CHATS {
        people.push(world.telegram.person(&format!("P{number}")).await);
    }
    world.start();
    let mut talks = vec![];
    for person in people.clone() {
        talks.push(tokio::spawn(async move {
            person.say("/start").await;
            for n in 1..EACH {
                person.say(&format!("q{n}")).await;
            }
        }));
    }
    for talk in talks {
        talk.await.unwrap();
    }
    let expected = ["Welcome", "Answer 1", "Answer 2", "Answer 3", "Answer 4"];
    for person in &people {
        assert_eq!(person.hears(EACH).await, expected);
    }
    world.telegram.until_confirmed(bot::NAME).await;
    world.odoo.until_words(CHATS * EACH * 2).await;
    assert_eq!((world.metrics().updates.get() as usize, world.metrics().duplicates.get()), (CHATS * EACH, 0));
    {
        let desk = world.odoo.desk();
        let mut talks: HashMap<ConversationKey, Vec<&str>> = HashMap::new();
        for operation in &desk.ledger.done {
            if let OperationBody::Message { conversation, body, .. } = &operation.body {
                talks.entry(*conversation).or_default().push(body);
            }
        }
        assert_eq!(talks.len(), CHATS);
        let lines = ["/start", "<p>Welcome</p>", "q1", "<p>Answer 1</p>", "q2", "<p>Answer 2</p>", "q3", "<p>Answer 3</p>", "q4", "<p>Answer 4</p>"];
        assert!(talks.values().all(|talk| *talk == lines));
        assert_eq!((desk.ledger.count("sender"), desk.ledger.repeated), (CHATS, 0));
    }
    assert_eq!(world.metrics().resent.get(), 0);
    world.finish().await;
}

#[tokio::test]
async fn a_chat_with_hundreds_of_updates_does_not_stop_another() {
    let mut world = World::new().await;
    let (loud, quiet) = (world.telegram.person("Гучна").await, world.telegram.person("Тиха").await);
    loud.say("/start").await;
    for n in 0..300 {
        loud.say(&format!("q{}", n % 10)).await;
    }
    quiet.say("/start").await;
    // Nothing at all reaches the loud one for now.
    loud.fault(serde_json::json!({"kind": "rate_limited", "retry_after": 3600})).await;
    world.start();
    assert_eq!(quiet.hears(1).await, ["Welcome"]);
    world.telegram.until_confirmed(bot::NAME).await;
    assert_eq!(loud.heard().await, Vec::<String>::new());
    super::time::pass(std::time::Duration::from_secs(3600)).await;
    let heard = loud.hears(301).await;
    let expected: Vec<String> = (0..300).map(|n| format!("Answer {}", n % 10)).collect();
    assert_eq!(heard[1..], expected);
    until("all is written", || world.odoo.desk().ledger.words().len() == 604).await;
    world.finish().await;
}
