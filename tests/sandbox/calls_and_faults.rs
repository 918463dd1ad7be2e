//! The record of calls, and the faults that tests put in their way.

use serde_json::{Value, json};

use super::harness::{BOT, Fixture};

async fn fault(fixture: &Fixture, fault: Value) {
    fixture.control("faults", fault).await;
}

async fn texts(fixture: &Fixture) -> Vec<String> {
    let chat = fixture.chat().await;
    let messages = chat["messages"].as_array().unwrap();
    let from_bot = messages.iter().filter(|message| message["from"] == "bot");
    from_bot.map(|message| message["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_call_is_recorded_with_its_outcome_in_order() {
    let fixture = Fixture::begun().await;
    let said = fixture.say("hi").await;
    fixture.send("one").await.result();
    fixture.call("sendMessage", json!({"chat_id": 5, "text": "two"})).await;
    fixture.call("sendMassage", json!({})).await;
    let calls = fixture.look(&format!("calls?bot={BOT}&user={}", fixture.user)).await;
    let call = &calls["calls"][0];
    assert_eq!((&call["method"], &call["params"]["text"]), (&json!("sendMessage"), &json!("one")));
    assert_eq!((&call["ok"], &call["result"]["text"]), (&json!(true), &json!("one")));
    assert!(call["at_us"].as_i64() > said["at_us"].as_i64(), "latency can be measured");
    let failed = fixture.called("sendMessage", call["seq"].as_u64().unwrap()).await;
    assert_eq!((&failed[0]["error_code"], &failed[0]["params"]["text"]), (&json!(400), &json!("two")));
    assert_eq!(fixture.called("sendMassage", 0).await[0]["error_code"], 404);
}

#[tokio::test]
async fn calls_are_waited_for() {
    let fixture = Fixture::begun().await;
    let (calls, _) = tokio::join!(fixture.called("sendMessage", 0), fixture.send("one"));
    assert_eq!(calls.len(), 1);
}

#[tokio::test]
async fn refusals_come_as_often_as_told_and_nothing_is_executed() {
    let fixture = Fixture::begun().await;
    let limited = json!({"kind": "rate_limited", "times": 2, "retry_after": 3, "method": "sendmessage"});
    fault(&fixture, limited).await;
    fixture.call("getMe", json!({})).await.result();
    for _ in 0..2 {
        let refused = fixture.send("a").await;
        refused.refused(429, "Too Many Requests: retry after 3");
        assert_eq!(refused.retry_after.as_deref(), Some("3"));
    }
    fixture.send("b").await.result();
    assert_eq!(texts(&fixture).await, ["b"]);
    assert_eq!(fixture.look("faults").await["faults"], json!([]));
    for (kind, code, description) in [
        ("server_error", 500, "Internal Server Error"),
        ("blocked", 403, "Forbidden: bot was blocked by the user"),
        ("unauthorized", 401, "Unauthorized"),
    ] {
        fault(&fixture, json!({"kind": kind})).await;
        fixture.send("a").await.refused(code, description);
    }
    fault(&fixture, json!({"kind": "bad_request", "description": "BUTTON_DATA_INVALID"})).await;
    fixture.send("a").await.refused(400, "Bad Request: BUTTON_DATA_INVALID");
    assert_eq!(texts(&fixture).await, ["b"]);
}

#[tokio::test]
async fn a_fault_can_be_for_one_customer_or_bot_only() {
    let fixture = Fixture::begun().await;
    let other = fixture.customer("Тарас").await;
    fault(&fixture, json!({"kind": "blocked", "user": other, "bot": BOT})).await;
    fixture.send("a").await.result();
    let to_other = json!({"chat_id": other, "text": "a"});
    fixture.call("sendMessage", to_other).await.refused(403, "Forbidden: bot was blocked by the user");
    assert_eq!(fixture.try_control("faults", json!({"kind": "blocked", "bot": "x"})).await.0, 404);
    assert_eq!(fixture.try_control("faults", json!({"kind": "nonsense"})).await.0, 400);
}

#[tokio::test]
async fn a_proxys_page_is_no_json() {
    let fixture = Fixture::begun().await;
    fault(&fixture, json!({"kind": "html_502"})).await;
    let url = format!("{}/bot{}/getMe", fixture.url, super::harness::TOKEN);
    let response = fixture.client.get(url).send().await.unwrap();
    assert_eq!(response.status(), 502);
    assert!(response.text().await.unwrap().starts_with("<html>"));
}

#[tokio::test]
async fn a_time_out_before_does_nothing_and_one_after_has_done_it() {
    let fixture = Fixture::begun().await;
    for (kind, text) in [("time_out_before", "lost"), ("time_out_after", "done")] {
        fault(&fixture, json!({"kind": kind, "delay_ms": 0})).await;
        let params = json!({"chat_id": fixture.user, "text": text});
        let error = fixture.try_call("sendMessage", params).await.unwrap_err();
        assert!(error.is_request(), "{error:?}");
    }
    assert_eq!(texts(&fixture).await, ["done"]);
    let calls = fixture.called("sendMessage", 0).await;
    assert_eq!((&calls[0]["fault"], &calls[0]["executed"]), (&json!("time_out_before"), &json!(false)));
    assert_eq!((&calls[1]["fault"], &calls[1]["executed"]), (&json!("time_out_after"), &json!(true)));
}

#[tokio::test]
async fn a_time_out_without_a_delay_holds_the_request() {
    let fixture = Fixture::begun().await;
    fault(&fixture, json!({"kind": "time_out_before"})).await;
    let held = fixture.send("a");
    let mut held = std::pin::pin!(held);
    tokio::select! {
        reply = &mut held => panic!("answered: {reply:?}"),
        calls = fixture.called("sendMessage", 0) => assert_eq!(calls.len(), 1),
    }
}

#[tokio::test]
async fn a_malformed_answer_is_cut_but_executed() {
    let fixture = Fixture::begun().await;
    fault(&fixture, json!({"kind": "malformed_json"})).await;
    let params = json!({"chat_id": fixture.user, "text": "a"});
    assert!(fixture.try_call("sendMessage", params).await.unwrap_err().is_decode());
    assert_eq!(texts(&fixture).await, ["a"]);
}

#[tokio::test]
async fn faults_can_be_taken_back() {
    let fixture = Fixture::begun().await;
    fault(&fixture, json!({"kind": "server_error", "times": 1000})).await;
    let url = format!("{}/sandbox/faults", fixture.url);
    fixture.client.delete(url).send().await.unwrap().error_for_status().unwrap();
    fixture.send("a").await.result();
}
