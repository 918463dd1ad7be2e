//! How requests may come, and what is refused before a method runs.

use serde_json::json;

use super::harness::{BOT, Fixture, TOKEN, reply};

#[tokio::test]
async fn methods_are_found_in_any_case_by_get_and_post() {
    let fixture = Fixture::new().await;
    let me = fixture.call("GETme", json!({})).await.result();
    assert_eq!((&me["id"], &me["username"], &me["is_bot"]), (&json!(42), &json!(BOT), &json!(true)));
    let url = format!("{}/bot{TOKEN}/getme", fixture.url);
    assert_eq!(reply(fixture.client.get(url).send().await.unwrap()).await.unwrap().result(), me);
}

#[tokio::test]
async fn parameters_come_by_query_json_form_or_multipart() {
    let fixture = Fixture::begun().await;
    let url = format!("{}/bot{TOKEN}/sendMessage", fixture.url);
    let keyboard = r#"{"inline_keyboard":[[{"text":"A","callback_data":"a"}]]}"#;
    let user = fixture.user.to_string();
    let pairs = [("chat_id", user.as_str()), ("text", "ü & 1+1"), ("reply_markup", keyboard)];
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let multipart = pairs.into_iter().fold(reqwest::multipart::Form::new(), |form, (key, value)| form.text(key, value.to_owned()));
    let kind = "application/x-www-form-urlencoded";
    let client = &fixture.client;
    for request in [
        client.get(format!("{url}?{form}")),
        client.post(&url).header("content-type", kind).body(form.clone()),
        client.post(&url).multipart(multipart),
    ] {
        let message = reply(request.send().await.unwrap()).await.unwrap().result();
        assert_eq!(message["text"], "ü & 1+1");
        assert_eq!(message["reply_markup"]["inline_keyboard"][0][0]["callback_data"], "a");
    }
}

#[tokio::test]
async fn an_empty_json_body_means_no_parameters() {
    let fixture = Fixture::new().await;
    let url = format!("{}/bot{TOKEN}/getMe", fixture.url);
    let request = fixture.client.post(url).header("content-type", "application/json");
    reply(request.send().await.unwrap()).await.unwrap().result();
}

#[tokio::test]
async fn tokens_and_methods_that_are_not_known_are_refused_as_telegram_does() {
    let fixture = Fixture::new().await;
    let get = async |path: &str| {
        let response = fixture.client.get(format!("{}{path}", fixture.url)).send().await.unwrap();
        reply(response).await.unwrap()
    };
    get("/bot42:wrong/getMe").await.refused(401, "Unauthorized");
    get("/bot43:AA/getMe").await.refused(401, "Unauthorized");
    get("/botnonsense/getMe").await.refused(404, "Not Found");
    get("/elsewhere").await.refused(404, "Not Found");
    get(&format!("/bot{TOKEN}/getYou")).await.refused(404, "Not Found: method not found");
    get(&format!("/bot{}/getMe", TOKEN.replace(':', "%3A"))).await.result();
}

#[tokio::test]
async fn unknown_parameters_and_wrong_types_are_refused_by_name() {
    let fixture = Fixture::begun().await;
    let refused = async |params: serde_json::Value| {
        let reply = fixture.call("sendMessage", params).await;
        assert_eq!(reply.status, 400);
        reply.body["description"].as_str().unwrap().to_owned()
    };
    let user = fixture.user;
    assert_eq!(refused(json!({"chat_id": user, "text": "a", "txt": "b"})).await, "Bad Request: unknown or outdated parameter \"txt\"");
    assert_eq!(refused(json!({"chat_id": user, "text": 5})).await, "Bad Request: parameter \"text\" must be a string");
    assert!(refused(json!({"chat_id": user, "text": null})).await.contains("\"text\""));
    assert!(refused(json!({"chat_id": 1.5, "text": "a"})).await.contains("\"chat_id\""));
    let button = json!([[{"text": "A", "callback_data": "a", "color": "red"}]]);
    let markup = json!({"inline_keyboard": button});
    let text = refused(json!({"chat_id": user, "text": "a", "reply_markup": markup})).await;
    assert!(text.contains("\"color\""), "{text}");
}

#[tokio::test]
async fn a_lenient_sandbox_ignores_unknown_parameters() {
    let options = chatbridge::sandbox::Options { strict: false, ..Default::default() };
    let fixture = Fixture::with(options).await;
    fixture.say("hi").await;
    fixture.send_with("a & b", json!({"txt": "b", "parse_mode": "HTML"})).await.result();
}

#[tokio::test]
async fn commands_are_set_shown_and_deleted_by_scope_and_language() {
    let fixture = Fixture::new().await;
    let commands = json!([{"command": "start", "description": "Begin"}]);
    fixture.call("setMyCommands", json!({"commands": commands})).await.result();
    let ukrainian = json!([{"command": "start", "description": "Почати"}]);
    let set = json!({"commands": ukrainian, "language_code": "uk"});
    fixture.call("setMyCommands", set).await.result();
    assert_eq!(fixture.call("getMyCommands", json!({})).await.result(), commands);
    let uk = json!({"language_code": "uk", "scope": {"type": "default"}});
    assert_eq!(fixture.call("getMyCommands", uk).await.result(), ukrainian);
    fixture.call("deleteMyCommands", json!({})).await.result();
    assert_eq!(fixture.call("getMyCommands", json!({})).await.result(), json!([]));
    let bad = json!({"commands": [{"command": "Start!", "description": "x"}]});
    fixture.call("setMyCommands", bad).await.refused(400, "Bad Request: BOT_COMMAND_INVALID");
}

#[tokio::test]
async fn closing_answers_waiting_polls_at_once() {
    let fixture = Fixture::new().await;
    let poll = fixture.long_poll(json!({"timeout": 50})).await;
    fixture.stop().await;
    assert_eq!(poll.await.unwrap().result(), json!([]));
}
