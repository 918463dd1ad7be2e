//! `getUpdates`: offsets, limits, waiting, conflicts, kinds; and what tests inject.

use serde_json::{Value, json};

use super::harness::{BOT, Fixture, inline};

fn ids(updates: &[Value]) -> Vec<i64> {
    updates.iter().map(|update| update["update_id"].as_i64().unwrap()).collect()
}

async fn say_three(fixture: &Fixture) -> Vec<i64> {
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        ids.push(fixture.say(text).await["update_id"].as_i64().unwrap());
    }
    ids
}

#[tokio::test]
async fn updates_come_again_until_a_higher_offset_confirms_them() {
    let fixture = Fixture::new().await;
    let said = say_three(&fixture).await;
    assert_eq!(said, [said[0], said[0] + 1, said[0] + 2]);
    assert_eq!(ids(&fixture.updates(0).await), said);
    assert_eq!(ids(&fixture.updates(said[0]).await), said);
    assert_eq!(ids(&fixture.updates(said[1]).await), said[1..]);
    assert_eq!(ids(&fixture.updates(0).await), said[1..]);
    assert!(fixture.updates(said[2] + 1).await.is_empty());
}

#[tokio::test]
async fn a_negative_offset_forgets_all_but_the_last() {
    let fixture = Fixture::new().await;
    let said = say_three(&fixture).await;
    assert_eq!(ids(&fixture.updates(-2).await), said[1..]);
    assert_eq!(ids(&fixture.updates(0).await), said[1..]);
}

#[tokio::test]
async fn the_limit_is_kept() {
    let fixture = Fixture::new().await;
    let said = say_three(&fixture).await;
    let result = fixture.call("getUpdates", json!({"limit": 2})).await.result();
    assert_eq!(ids(result.as_array().unwrap()), said[..2]);
}

#[tokio::test]
async fn a_long_poll_wakes_when_something_comes() {
    let fixture = Fixture::new().await;
    let poll = fixture.long_poll(json!({"timeout": 50})).await;
    fixture.say("hello").await;
    assert_eq!(poll.await.unwrap().result()[0]["message"]["text"], "hello");
}

#[tokio::test]
async fn a_second_poller_ends_the_first_with_a_conflict() {
    let fixture = Fixture::new().await;
    let first = fixture.long_poll(json!({"timeout": 50})).await;
    fixture.updates(0).await;
    first.await.unwrap().refused(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running");
}

#[tokio::test]
async fn polling_is_refused_while_a_webhook_is_set() {
    let fixture = Fixture::new().await;
    let poll = fixture.long_poll(json!({"timeout": 50})).await;
    fixture.call("setWebhook", json!({"url": "https://example.com/hook"})).await.result();
    poll.await.unwrap().refused(409, "Conflict: terminated by setWebhook request");
    fixture
        .call("getUpdates", json!({}))
        .await
        .refused(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first");
}

#[tokio::test]
async fn allowed_updates_are_remembered_and_limit_what_comes() {
    let fixture = Fixture::new().await;
    let kinds = json!(["message", "my_chat_member"]);
    fixture.call("getUpdates", json!({"allowed_updates": kinds})).await.result();
    let said = fixture.say("hi").await;
    let edit = json!({"bot": BOT, "user": fixture.user, "message_id": said["message_id"], "text": "ho"});
    assert_eq!(fixture.control("edit", edit.clone()).await["update_id"], Value::Null);
    assert_eq!(fixture.updates(0).await.len(), 1);
    let info = fixture.call("getWebhookInfo", json!({})).await.result();
    assert_eq!(info["allowed_updates"], kinds);
    fixture.call("getUpdates", json!({"allowed_updates": []})).await.result();
    assert!(fixture.control("edit", edit).await["update_id"].is_i64());
    let unknown = fixture.call("getUpdates", json!({"allowed_updates": ["massage"]})).await;
    assert_eq!(unknown.status, 400);
}

#[tokio::test]
async fn a_message_has_telegrams_shape_with_its_command() {
    let fixture = Fixture::new().await;
    let said = fixture.say("  /start abc\n").await;
    let update = fixture.updates(0).await.remove(0);
    let user = json!({"id": fixture.user, "is_bot": false, "first_name": "Олена"});
    let chat = json!({"id": fixture.user, "type": "private", "first_name": "Олена"});
    let message = json!({
        "message_id": said["message_id"], "from": user, "chat": chat, "text": "/start abc",
        "date": update["message"]["date"],
        "entities": [{"type": "bot_command", "offset": 0, "length": 6}],
    });
    assert_eq!(update, json!({"update_id": said["update_id"], "message": message}));
}

#[tokio::test]
async fn an_edit_by_the_customer_is_an_update_of_its_own() {
    let fixture = Fixture::begun().await;
    let said = fixture.say("10 pieces").await;
    let edit = json!({"bot": BOT, "user": fixture.user, "message_id": said["message_id"], "text": "12 pieces"});
    let edited = fixture.control("edit", edit).await;
    let update = fixture.updates(edited["update_id"].as_i64().unwrap()).await.remove(0);
    assert_eq!(update["edited_message"]["text"], "12 pieces");
    assert!(update["edited_message"]["edit_date"].is_i64());
}

#[tokio::test]
async fn blocking_and_unblocking_are_told_as_chat_membership() {
    let fixture = Fixture::begun().await;
    for (blocked, status) in [(true, "kicked"), (false, "member")] {
        let block = json!({"bot": BOT, "user": fixture.user, "blocked": blocked});
        let id = fixture.control("block", block).await["update_id"].as_i64().unwrap();
        let update = fixture.updates(id).await.remove(0);
        let member = &update["my_chat_member"];
        assert_eq!(member["new_chat_member"]["status"], status);
        assert_eq!(member["new_chat_member"]["user"]["id"], 42);
        assert_eq!((&member["chat"]["id"], &member["from"]["id"]), (&json!(fixture.user), &json!(fixture.user)));
    }
}

#[tokio::test]
async fn anything_can_be_injected_with_the_next_id_or_its_own() {
    let fixture = Fixture::begun().await;
    let inject = async |update: Value| {
        let made = fixture.control("updates", json!({"bot": BOT, "update": update})).await;
        made["update_id"].as_i64().unwrap()
    };
    let first = inject(json!({"brand_new_update": {"a": 1}})).await;
    let second = inject(json!({"message": {"nonsense": true}})).await;
    let own = inject(json!({"update_id": first, "message": {"text": "the same id"}})).await;
    assert_eq!((second, own), (first + 1, first));
    let updates = fixture.updates(first).await;
    assert_eq!(ids(&updates), [first, second, first]);
    assert_eq!(updates[0]["brand_new_update"]["a"], 1);
    assert!(fixture.updates(second + 1).await.is_empty());
}

#[tokio::test]
async fn an_injected_old_update_is_seen_although_its_id_is_confirmed() {
    let fixture = Fixture::begun().await;
    let said = fixture.say("one").await["update_id"].as_i64().unwrap();
    let seen = fixture.updates(said).await;
    assert!(fixture.updates(said + 1).await.is_empty());
    fixture.control("redeliver", json!({"bot": BOT, "update_id": said})).await;
    assert_eq!(fixture.updates(said + 1).await, seen);
    assert!(fixture.updates(said + 1).await.is_empty());
    let (status, _) = fixture.try_control("redeliver", json!({"bot": BOT, "update_id": 1})).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn raw_text_is_handed_out_as_it_is() {
    let fixture = Fixture::begun().await;
    fixture.control("updates", json!({"bot": BOT, "raw": "{\"update_id\": 1, oops"})).await;
    let broken = fixture.try_call("getUpdates", json!({})).await;
    assert!(broken.unwrap_err().is_decode());
}

#[tokio::test]
async fn a_tapped_button_is_a_callback_query_with_its_message() {
    let fixture = Fixture::begun().await;
    let more = json!({"reply_markup": inline("Yes", "answer:yes")});
    let message = fixture.send_with("Sure?", more).await.result();
    let tapped = fixture.tap(&message["message_id"], "answer:yes").await;
    let update = fixture.updates(tapped["update_id"].as_i64().unwrap()).await.remove(0);
    let query = &update["callback_query"];
    assert_eq!(query["message"], message);
    assert_eq!((&query["id"], &query["data"]), (&tapped["callback_query_id"], &json!("answer:yes")));
    assert_eq!(query["from"]["id"], fixture.user);
    assert!(query["chat_instance"].is_string());
}

#[tokio::test]
async fn the_brake_slows_a_poller_that_asks_for_the_same_again() {
    let options = chatbridge::sandbox::Options { brake: true, ..Default::default() };
    let fixture = Fixture::with(options).await;
    fixture.updates(0).await;
    // Held although it did not ask to wait.
    let poll = fixture.long_poll(json!({"offset": 0})).await;
    fixture.say("one").await;
    assert_eq!(poll.await.unwrap().result().as_array().unwrap().len(), 1);
    fixture.say("two").await;
    // There are two, but so soon again it gets only one.
    assert_eq!(fixture.updates(0).await.len(), 1);
}
