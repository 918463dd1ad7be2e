//! Editing and deleting messages, and answering pressed buttons.

use std::time::Duration;

use chatbridge::sandbox::Options;
use serde_json::{Value, json};

use super::harness::{Fixture, inline};

const SAME: &str = "Bad Request: message is not modified: specified new message content and reply markup are exactly \
                    the same as a current content and reply markup of the message";
const OLD: &str = "Bad Request: query is too old and response timeout expired or query ID is invalid";

async fn edit(fixture: &Fixture, id: &Value, text: &str, markup: Value) -> super::harness::Reply {
    let params = json!({"chat_id": fixture.user, "message_id": id, "text": text, "reply_markup": markup});
    fixture.call("editMessageText", params).await
}

#[tokio::test]
async fn an_edit_changes_what_the_customer_sees() {
    let fixture = Fixture::begun().await;
    let more = json!({"reply_markup": inline("Yes", "y")});
    let id = fixture.send_with("Sure?", more).await.result()["message_id"].clone();
    let before = fixture.chat().await["seq"].as_u64().unwrap();
    let edited = edit(&fixture, &id, "Thanks", json!({})).await.result();
    assert!(edited["edit_date"].is_i64() && edited.get("reply_markup").is_none());
    let query = format!("chat?bot=shop_bot&user={}&after={before}", fixture.user);
    let seen = fixture.look(&query).await["messages"].clone();
    assert_eq!(seen.as_array().unwrap().len(), 1);
    assert_eq!((&seen[0]["text"], &seen[0]["edited"]), (&json!("Thanks"), &json!(true)));
    assert_eq!(seen[0]["inline_keyboard"], Value::Null);
}

#[tokio::test]
async fn only_a_change_is_an_edit() {
    let fixture = Fixture::begun().await;
    let markup = inline("Yes", "y");
    let more = json!({"reply_markup": markup});
    let id = fixture.send_with("Sure?", more).await.result()["message_id"].clone();
    edit(&fixture, &id, "Sure?", markup.clone()).await.refused(400, SAME);
    let params = |markup| json!({"chat_id": fixture.user, "message_id": id, "reply_markup": markup});
    let again = fixture.call("editMessageReplyMarkup", params(markup)).await;
    again.refused(400, SAME);
    fixture.call("editMessageReplyMarkup", params(inline("No", "n"))).await.result();
}

#[tokio::test]
async fn only_own_messages_that_are_there_can_be_edited() {
    let fixture = Fixture::begun().await;
    let missing = edit(&fixture, &json!(99), "a", json!({})).await;
    missing.refused(400, "Bad Request: message to edit not found");
    let theirs = edit(&fixture, &json!(1), "a", json!({})).await;
    theirs.refused(400, "Bad Request: message can't be edited");
    let none = fixture.call("editMessageText", json!({"chat_id": fixture.user, "text": "a"})).await;
    none.refused(400, "Bad Request: message identifier is not specified");
    let keyboard = json!({"reply_markup": {"keyboard": [["A"]]}});
    let id = fixture.send_with("a", keyboard.clone()).await.result()["message_id"].clone();
    edit(&fixture, &id, "b", json!({})).await.refused(400, "Bad Request: message can't be edited");
    let wrong = edit(&fixture, &id, "b", keyboard["reply_markup"].clone()).await;
    wrong.refused(400, "Bad Request: inline keyboard expected");
}

#[tokio::test]
async fn a_deleted_message_is_gone_with_its_keyboard() {
    let fixture = Fixture::begun().await;
    let keyboard = json!({"reply_markup": {"keyboard": [["A"]]}});
    let id = fixture.send_with("a", keyboard).await.result()["message_id"].clone();
    let delete = json!({"chat_id": fixture.user, "message_id": id});
    fixture.call("deleteMessage", delete.clone()).await.result();
    let chat = fixture.chat().await;
    assert_eq!(chat["messages"][1]["deleted"], true);
    assert_eq!(chat["keyboard"], Value::Null);
    let again = fixture.call("deleteMessage", delete).await;
    again.refused(400, "Bad Request: message to delete not found");
}

async fn tapped(fixture: &Fixture) -> Value {
    let more = json!({"reply_markup": inline("Yes", "y")});
    let id = fixture.send_with("Sure?", more).await.result()["message_id"].clone();
    fixture.tap(&id, "y").await["callback_query_id"].clone()
}

#[tokio::test]
async fn an_answer_to_a_button_is_shown_once() {
    let fixture = Fixture::begun().await;
    let id = tapped(&fixture).await;
    let answer = json!({"callback_query_id": id, "text": "Saved", "show_alert": true});
    fixture.call("answerCallbackQuery", answer.clone()).await.result();
    let toast = fixture.chat().await["toast"].clone();
    assert_eq!(toast, json!({"callback_query_id": id, "text": "Saved", "alert": true, "url": null}));
    fixture.call("answerCallbackQuery", answer).await.refused(400, OLD);
}

#[tokio::test]
async fn an_answer_that_is_unknown_too_late_or_too_long_is_refused() {
    let options = Options { callback_age: Duration::ZERO, ..Options::default() };
    let fixture = Fixture::with(options).await;
    fixture.begin().await;
    let id = tapped(&fixture).await;
    let late = fixture.call("answerCallbackQuery", json!({"callback_query_id": id})).await;
    late.refused(400, OLD);
    let unknown = fixture.call("answerCallbackQuery", json!({"callback_query_id": "7"})).await;
    unknown.refused(400, OLD);
    let long = json!({"callback_query_id": id, "text": "й".repeat(201)});
    fixture.call("answerCallbackQuery", long).await.refused(400, "Bad Request: MESSAGE_TOO_LONG");
}
