//! What customers see and do by the control API.

use serde_json::{Value, json};

use super::harness::{BOT, Fixture, inline};

async fn press(fixture: &Fixture, text: &str) -> (u16, Value) {
    fixture.try_control("press", json!({"bot": BOT, "user": fixture.user, "text": text})).await
}

#[tokio::test]
async fn only_a_button_on_the_keyboard_shown_now_can_be_pressed() {
    let fixture = Fixture::begun().await;
    assert_eq!(press(&fixture, "Orders").await.0, 409);
    let keyboard = json!({"keyboard": [["Orders", "Help"]], "resize_keyboard": true});
    fixture.send_with("Menu", json!({"reply_markup": keyboard})).await.result();
    fixture.send("A message without markup changes nothing").await.result();
    assert_eq!(fixture.chat().await["keyboard"], json!([[{"text": "Orders"}, {"text": "Help"}]]));
    let (status, pressed) = press(&fixture, "Orders").await;
    assert_eq!(status, 200);
    let update = fixture.updates(pressed["update_id"].as_i64().unwrap()).await.remove(0);
    assert_eq!(update["message"]["text"], "Orders");
    assert_eq!(press(&fixture, "orders").await.0, 409);
    fixture.send_with("Bye", json!({"reply_markup": {"remove_keyboard": true}})).await.result();
    assert_eq!(press(&fixture, "Orders").await.0, 409);
}

#[tokio::test]
async fn a_one_time_keyboard_goes_when_it_was_pressed() {
    let fixture = Fixture::begun().await;
    let keyboard = json!({"keyboard": [["Yes"]], "one_time_keyboard": true});
    fixture.send_with("Sure?", json!({"reply_markup": keyboard})).await.result();
    assert_eq!(press(&fixture, "Yes").await.0, 200);
    assert_eq!(fixture.chat().await["keyboard"], Value::Null);
}

#[tokio::test]
async fn a_contact_button_shares_the_customers_own_number() {
    let fixture = Fixture::begun().await;
    let keyboard = json!({"keyboard": [[{"text": "My number", "request_contact": true}]]});
    fixture.send_with("Your number?", json!({"reply_markup": keyboard})).await.result();
    assert_eq!(press(&fixture, "My number").await.0, 409);
    let with_phone = json!({"id": fixture.user, "first_name": "Олена", "phone": "+380501112233"});
    fixture.control("customers", with_phone).await;
    let pressed = press(&fixture, "My number").await.1;
    let update = fixture.updates(pressed["update_id"].as_i64().unwrap()).await.remove(0);
    let contact = json!({"phone_number": "+380501112233", "first_name": "Олена", "user_id": fixture.user});
    assert_eq!(update["message"]["contact"], contact);
    assert!(update["message"].get("text").is_none());
}

#[tokio::test]
async fn only_a_button_of_that_message_can_be_tapped() {
    let fixture = Fixture::begun().await;
    let more = json!({"reply_markup": inline("Yes", "y")});
    let id = fixture.send_with("Sure?", more).await.result()["message_id"].clone();
    let tap = |message_id: Value, key: &str, value: &str| json!({"bot": BOT, "user": fixture.user, "message_id": message_id, key: value});
    assert_eq!(fixture.try_control("tap", tap(id.clone(), "text", "Yes")).await.0, 200);
    assert_eq!(fixture.try_control("tap", tap(id.clone(), "data", "n")).await.0, 409);
    assert_eq!(fixture.try_control("tap", tap(json!(99), "data", "y")).await.0, 404);
    let edit = json!({"chat_id": fixture.user, "message_id": id});
    fixture.call("editMessageReplyMarkup", edit).await.result();
    assert_eq!(fixture.try_control("tap", tap(id, "data", "y")).await.0, 409);
}

#[tokio::test]
async fn a_chat_is_shown_from_a_count_on_and_waited_for() {
    let fixture = Fixture::begun().await;
    let seen = fixture.chat().await;
    assert_eq!(seen["messages"][0]["text"], "/start");
    let query = format!("chat?bot={BOT}&user={}&after={}&wait=10", fixture.user, seen["seq"]);
    let more = json!({"parse_mode": "HTML"});
    let (news, sent) = tokio::join!(fixture.look(&query), fixture.send_with("<b>a&amp;</b>b", more));
    let id = sent.result()["message_id"].clone();
    let message = &news["messages"][0];
    assert_eq!((&message["message_id"], &message["from"]), (&id, &json!("bot")));
    assert_eq!((&message["text"], &message["html"]), (&json!("a&b"), &json!("<b>a&amp;</b>b")));
    assert!(news["seq"].as_u64() > seen["seq"].as_u64());
}

#[tokio::test]
async fn a_wait_without_news_ends_with_what_is_there() {
    let fixture = Fixture::begun().await;
    let seq = fixture.chat().await["seq"].clone();
    let query = format!("chat?bot={BOT}&user={}&after={seq}&wait=0.01", fixture.user);
    let nothing = fixture.look(&query).await;
    assert_eq!((&nothing["seq"], &nothing["messages"]), (&seq, &json!([])));
}

#[tokio::test]
async fn typing_is_shown_until_the_message_comes() {
    let fixture = Fixture::begun().await;
    let action = |action| json!({"chat_id": fixture.user, "action": action});
    fixture.call("sendChatAction", action("typing")).await.result();
    assert_eq!(fixture.chat().await["typing"], "typing");
    fixture.send("a").await.result();
    assert_eq!(fixture.chat().await["typing"], Value::Null);
    let wrong = fixture.call("sendChatAction", action("dancing")).await;
    wrong.refused(400, "Bad Request: wrong parameter action in request");
}

#[tokio::test]
async fn bots_and_customers_are_made_and_listed() {
    let fixture = Fixture::new().await;
    let second = json!({"token": "43:b", "username": "@help_bot", "first_name": "Help"});
    assert_eq!(fixture.control("bots", second).await["username"], "help_bot");
    let bots = fixture.look("bots").await["bots"].clone();
    assert_eq!((&bots[0]["username"], &bots[1]["username"]), (&json!(BOT), &json!("help_bot")));
    let taken = json!({"token": "44:c", "username": "help_bot", "first_name": "Other"});
    assert_eq!(fixture.try_control("bots", taken).await.0, 400);
    let malformed = json!({"token": "token", "username": "x_bot", "first_name": "X"});
    assert_eq!(fixture.try_control("bots", malformed).await.0, 400);
    let customer = json!({"id": 5, "first_name": "Іван", "last_name": "К", "username": "ik", "language_code": "uk"});
    assert_eq!(fixture.control("customers", customer.clone()).await, customer);
    assert!(fixture.user > i64::from(u32::MAX));
    let say = json!({"bot": 43, "user": 5, "text": "hi"});
    fixture.control("say", say).await;
    assert_eq!(fixture.try_control("say", json!({"bot": "x", "user": 5, "text": "a"})).await.0, 404);
    assert_eq!(fixture.try_control("say", json!({"bot": BOT, "user": 6, "text": "a"})).await.0, 404);
    assert_eq!(fixture.try_control("say", json!({"bot": BOT, "usr": 5})).await.0, 400);
}

#[tokio::test]
async fn the_stream_tells_the_page_what_changes() {
    let fixture = Fixture::begun().await;
    let url = format!("{}/sandbox/stream?bot={BOT}", fixture.url);
    let mut stream = fixture.client.get(url).send().await.unwrap();
    let mut read = async || String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(read().await.contains("/start"));
    fixture.send("live").await.result();
    let mut seen = read().await;
    while !seen.contains("live") {
        seen.push_str(&read().await);
    }
    assert!(seen.contains("event:chat"), "{seen}");
}

#[tokio::test]
async fn the_page_is_served_whole() {
    let fixture = Fixture::new().await;
    let page = fixture.client.get(&fixture.url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("id=\"message-input\"") && page.contains("id=\"send\""));
    assert!(!page.contains("https://"), "nothing may be loaded from elsewhere");
    assert!(!page.contains("innerHTML"), "remote text must never become markup");
}
