//! The Odoo adapter against a server that answers as it is told.
#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod scripted;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chatbridge::domain::{BotId, ChannelId, CloseReason, ConversationKey, EventId, Operation, OperationBody, OperationKey, StepId, UserId};
use chatbridge::odoo::OdooBackend;
use chatbridge::ports::{Backend, BackendEvent, Certainty, Claim, Class, EventKind, Failure, Heartbeat, Hello, Readiness};
use scripted::bot::bot;
use scripted::{Peer, Reply, Request, log};
use secrecy::SecretString;
use serde_json::{Value, json};

const PASSWORD: &str = "a-secret-password";
const COOKIE: &str = "a-secret-session";
const WORDS: &str = "what-a-person-wrote";

const LOGIN: &str = "/web/session/authenticate";

fn method(name: &str) -> String {
    format!("/web/dataset/call_kw/chatbridge.bridge/{name}")
}

fn backend(url: &str) -> OdooBackend {
    log::capture();
    OdooBackend::new(url, Some("shop".to_owned()), "bridge", SecretString::from(PASSWORD)).unwrap()
}

fn claim() -> Claim {
    Claim { store_id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(), generation: 3 }
}

fn ok(result: Value) -> Reply {
    Reply::json(200, &json!({"jsonrpc": "2.0", "id": 1, "result": result}))
}

fn raised(name: &str, sentence: &str) -> Reply {
    let data = json!({"name": name, "message": sentence, "arguments": [sentence], "debug": format!("Traceback: {WORDS}"), "context": {}});
    Reply::json(200, &json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "message": "Odoo Server Error", "data": data}}))
}

fn expired() -> Reply {
    let data = json!({"name": "odoo.http.SessionExpiredException", "message": "Session expired", "arguments": ["Session expired"], "debug": ""});
    Reply::json(200, &json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 100, "message": "Odoo Session Expired", "data": data}}))
}

fn logged_in(session: &str) -> Reply {
    ok(json!({"uid": 8, "db": "shop"})).with_header("Set-Cookie", &format!("session_id={session}; Expires=never; HttpOnly; Path=/"))
}

/// Lets anybody in, and answers calls as told.
async fn odoo(mut calls: impl FnMut(&Request) -> Reply + Send + 'static) -> Peer {
    Peer::start(move |request| if request.path == LOGIN { logged_in(COOKIE) } else { calls(request) }).await
}

async fn events(reply: Reply) -> Result<Vec<BackendEvent>, Failure> {
    let peer = odoo(move |_| reply.clone()).await;
    backend(&peer.url).events(&claim(), 100).await
}

fn close() -> Operation {
    Operation {
        key: OperationKey::draw(),
        at: "2026-11-22T19:00:00.123456789Z".parse().unwrap(),
        body: OperationBody::Close { conversation: ConversationKey::draw(), reason: CloseReason::Silence },
    }
}

#[tokio::test]
async fn one_login_serves_many_calls() {
    let peer = odoo(|_| ok(json!([]))).await;
    let backend = backend(&peer.url);
    for _ in 0..5 {
        backend.events(&claim(), 100).await.unwrap();
    }
    let seen = peer.seen();
    assert_eq!(seen.iter().filter(|request| request.path == LOGIN).count(), 1);
    assert_eq!(seen[0].body["params"], json!({"db": "shop", "login": "bridge", "password": PASSWORD}));
    assert_eq!(seen[5].header("cookie"), Some(format!("session_id={COOKIE}").as_str()));
    let params = json!({"model": "chatbridge.bridge", "method": "events", "args": [claim(), 100, null], "kwargs": {}});
    assert_eq!(seen[5].body["params"], params);
}

#[tokio::test]
async fn a_session_that_has_expired_is_opened_anew_once() {
    for turned_away in [expired(), Reply::html(404)] {
        let mut replies = vec![turned_away, ok(json!([]))].into_iter();
        let peer = odoo(move |_| replies.next().unwrap()).await;
        backend(&peer.url).events(&claim(), 100).await.unwrap();
        peer.expect_paths(&[LOGIN, &method("events"), LOGIN, &method("events")]);
    }
    let peer = odoo(|_| expired()).await;
    let failure = backend(&peer.url).events(&claim(), 100).await.unwrap_err();
    assert_eq!(failure.class, Class::Transient, "{failure}");
    peer.expect_paths(&[LOGIN, &method("events"), LOGIN, &method("events")]);
}

/// A peer whose sessions are numbered by the logins; all but the last have expired.
async fn forgetful(logins: Arc<AtomicUsize>) -> Peer {
    Peer::start(move |request| {
        if request.path == LOGIN {
            return logged_in(&format!("s{}", logins.fetch_add(1, Ordering::SeqCst) + 1));
        }
        let current = format!("session_id=s{}", logins.load(Ordering::SeqCst));
        if request.header("cookie") == Some(&current) { ok(json!([])) } else { expired() }
    })
    .await
}

#[tokio::test]
async fn calls_that_find_the_session_expired_share_one_login() {
    let logins = Arc::new(AtomicUsize::new(0));
    let peer = forgetful(Arc::clone(&logins)).await;
    let backend = backend(&peer.url);
    let claim = claim();
    backend.events(&claim, 1).await.unwrap();
    // Odoo forgets the session: as after a restart with its folder emptied.
    logins.fetch_add(10, Ordering::SeqCst);
    let calls = (0..20).map(|_| backend.events(&claim, 1));
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(logins.load(Ordering::SeqCst), 12, "one login at the start, ten invented, one for all twenty calls");
}

#[tokio::test]
async fn calls_that_wait_for_a_login_share_its_failure() {
    let peer = Peer::start(|_| raised("odoo.exceptions.AccessDenied", "Access Denied")).await;
    let backend = backend(&peer.url);
    let claim = claim();
    let calls = (0..20).map(|_| backend.events(&claim, 1));
    for outcome in futures_util::future::join_all(calls).await {
        assert!(outcome.unwrap_err().reason.contains("wrong password"));
    }
    assert_eq!(peer.seen().len(), 1, "a wrong password is not tried twenty times");
    backend.events(&claim, 1).await.unwrap_err();
    assert_eq!(peer.seen().len(), 2, "but again, later");
}

#[tokio::test]
async fn a_session_may_be_renamed() {
    let peer = odoo(|_| ok(json!([])).with_header("Set-Cookie", "session_id=renamed; Path=/")).await;
    let backend = backend(&peer.url);
    backend.events(&claim(), 1).await.unwrap();
    backend.events(&claim(), 1).await.unwrap();
    assert_eq!(peer.seen()[2].header("cookie"), Some("session_id=renamed"));
}

#[tokio::test]
async fn the_only_database_need_not_be_named() {
    let unnamed = |url: &str| OdooBackend::new(url, None, "bridge", SecretString::from(PASSWORD)).unwrap();
    let peer = Peer::scripted([ok(json!(["only"])), logged_in(COOKIE), ok(json!([]))]).await;
    unnamed(&peer.url).events(&claim(), 1).await.unwrap();
    peer.expect_paths(&["/web/database/list", LOGIN, &method("events")]);
    assert_eq!(peer.seen()[1].body["params"]["db"], "only");

    for reply in [ok(json!(["a", "b"])), ok(json!([])), raised("odoo.exceptions.AccessDenied", "Access Denied")] {
        let peer = Peer::scripted([reply]).await;
        let failure = unnamed(&peer.url).events(&claim(), 1).await.unwrap_err();
        assert_eq!(failure.class, Class::Denied);
        assert!(failure.reason.contains("set the name of the database"), "{failure}");
    }
}

#[tokio::test]
async fn each_mistake_of_the_set_up_is_said_at_login() {
    let rows = [
        (raised("odoo.exceptions.AccessDenied", "Access Denied"), "wrong password"),
        (raised("odoo.exceptions.AccessError", "Database not found."), "no database «shop»"),
        (ok(json!({"uid": null})), "second factor"),
        (ok(json!({"uid": 8})), "no session"),
        (Reply::html(404), "not that of an Odoo server"),
        (Reply::html(200), "not that of an Odoo server"),
        (
            Reply::Answer(301, vec![("Location".to_owned(), "https://shop.example/secret?x=secret".to_owned())], String::new()),
            "https://shop.example: set",
        ),
    ];
    for (reply, text) in rows {
        let peer = Peer::scripted([reply]).await;
        let failure = backend(&peer.url).events(&claim(), 1).await.unwrap_err();
        assert_eq!((failure.class, failure.certainty), (Class::Denied, Certainty::NotDone));
        assert!(failure.reason.contains(text) && !failure.reason.contains("secret"), "{failure}");
    }
    for address in ["", "shop.example/secret", "ftp://shop.example"] {
        let failure = OdooBackend::new(address, None, "bridge", SecretString::from(PASSWORD)).unwrap_err();
        assert!(!failure.reason.contains("secret"), "{failure}");
    }
}

#[tokio::test]
async fn each_answer_has_its_class() {
    use Certainty::{NotDone, Unknown};
    let rows = [
        (raised("odoo.exceptions.UserError", "Update the addon."), Class::Refused, NotDone),
        (raised("odoo.exceptions.AccessError", "No."), Class::Denied, NotDone),
        (raised("odoo.addons.chatbridge.exceptions.LeaseLost", "x"), Class::Lost, NotDone),
        (raised("psycopg2.errors.SerializationFailure", WORDS), Class::Transient, Unknown),
        (raised("builtins.ValueError", WORDS), Class::Bug, NotDone),
        (raised("builtins.KeyError", "chatbridge.bridge"), Class::Denied, NotDone),
        (Reply::html(502), Class::Transient, Unknown),
        (Reply::html(503), Class::Transient, NotDone),
        (Reply::Cut, Class::Transient, Unknown),
        (Reply::HalfAndCut, Class::Transient, Unknown),
        (ok(json!({"not": "a list"})), Class::Malformed, NotDone),
        (ok(json!([{"kind": WORDS}])), Class::Malformed, NotDone),
    ];
    for (reply, class, certainty) in rows {
        let failure = events(reply.clone()).await.unwrap_err();
        assert_eq!((failure.class, failure.certainty), (class, certainty), "{reply:?}: {failure}");
        assert!(!format!("{failure} {failure:?}").contains(WORDS), "{failure}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_got_nothing_and_a_slow_one_may_have() {
    let failure = backend("http://127.0.0.1:1").events(&claim(), 1).await.unwrap_err();
    assert_eq!((failure.class, failure.certainty), (Class::Transient, Certainty::NotDone));
    assert!(failure.reason.contains("Connection refused"), "{failure}");

    let peer = odoo(|_| Reply::Silence).await;
    let failure = backend(&peer.url).within(Duration::from_millis(200)).apply(&claim(), &[close()]).await.unwrap_err();
    assert_eq!((failure.class, failure.certainty), (Class::Transient, Certainty::Unknown));
}

#[tokio::test]
async fn the_handshake_is_as_documented() {
    let answer = json!({"status": "standby", "sentence": "Another bridge works.", "protocol": 2, "addon_version": "14.0.1.0.0", "series": "14.0",
        "features": [], "database_uuid": "u", "nonce": "n", "generation": 4, "lease_seconds": 30, "clock": "2026-11-22T19:00:00Z",
        "languages": ["en_US"], "base_url": "http://x"});
    let peer = odoo(move |_| ok(answer.clone())).await;
    let hello = Hello {
        protocol: 2,
        bridge_version: "0.1.0".to_owned(),
        instance: "i".to_owned(),
        store_id: "s".to_owned(),
        database_uuid: None,
        nonce: None,
        nudge_url: None,
        nudge_secret: "00".to_owned(),
        clock: "2026-11-22T19:00:00.000000001Z".parse().unwrap(),
    };
    let welcome = backend(&peer.url).handshake(&hello).await.unwrap();
    assert_eq!((welcome.status, welcome.generation), (Readiness::Standby, 4));
    let expected = json!([{"protocol": 2, "bridge_version": "0.1.0", "instance": "i", "store_id": "s", "database_uuid": null, "nonce": null,
        "nudge_url": null, "nudge_secret": "00", "clock": "2026-11-22T19:00:00Z"}]);
    assert_eq!(peer.seen()[1].body["params"]["args"], expected);
}

#[tokio::test]
async fn a_heartbeat_is_as_documented() {
    let peer = odoo(|_| ok(json!({"status": "ready", "clock": "2026-11-22T19:00:00Z"}))).await;
    let status = Heartbeat {
        nonce: "n".to_owned(),
        version: "0.1.0".to_owned(),
        operations_waiting: 1,
        operations_refused: 0,
        sends_waiting: 2,
        nudges: false,
        channels: vec![],
    };
    let pulse = backend(&peer.url).heartbeat(&claim(), &status).await.unwrap();
    assert_eq!(pulse.status, Readiness::Ready);
    assert_eq!(peer.seen()[1].body["params"]["args"][0], json!(claim()));
}

#[tokio::test]
async fn operations_are_answered_one_by_one() {
    let operations = [close(), close()];
    let [first, second] = operations.each_ref().map(|operation| operation.key.to_string());
    let good = json!([{"key": first, "ok": {}}, {"key": second, "refused": "There is no such conversation."}]);
    let answer = good.clone();
    let peer = odoo(move |_| ok(answer.clone())).await;
    let backend = backend(&peer.url);
    let applied = backend.apply(&claim(), &operations).await.unwrap();
    assert_eq!(applied[0].refused, None);
    assert_eq!(applied[1].refused.as_deref(), Some("There is no such conversation."));
    assert_eq!(peer.seen()[1].body["params"]["args"][1][0]["at"], "2026-11-22T19:00:00.123456Z");
    assert_eq!(backend.apply(&claim(), &[]).await.unwrap(), []);
    assert_eq!(peer.seen().len(), 2, "nothing is asked for nothing");

    let bad = [json!([good[0]]), json!([good[1], good[0]]), json!([good[0], {"key": second}]), json!(null)];
    for answer in bad {
        let peer = odoo(move |_| ok(answer.clone())).await;
        let failure = self::backend(&peer.url).apply(&claim(), &operations).await.unwrap_err();
        assert_eq!((failure.class, failure.certainty), (Class::Malformed, Certainty::Unknown));
    }
}

#[tokio::test]
async fn an_open_conversation_is_asked_for() {
    let key = ConversationKey::draw();
    let found = json!([{"id": "1", "answer": {"conversation": key, "step": 11, "state": {"a": 1}, "sequence": 5, "at": "2026-11-22T19:00:00Z"}}]);
    let replies = [ok(found), ok(json!([{"id": "1", "answer": null}])), ok(json!([{"id": "1", "refused": "No such channel."}]))];
    let mut replies = replies.into_iter();
    let peer = odoo(move |_| replies.next().unwrap()).await;
    let backend = backend(&peer.url);
    let open = backend.open_conversation(&claim(), ChannelId(7), UserId(777)).await.unwrap().unwrap();
    assert_eq!((open.conversation, open.step, open.sequence), (key, Some(StepId(11)), 5));
    assert_eq!(backend.open_conversation(&claim(), ChannelId(7), UserId(777)).await.unwrap(), None);
    let refused = backend.open_conversation(&claim(), ChannelId(7), UserId(777)).await.unwrap_err();
    assert_eq!((refused.class, refused.reason.as_str()), (Class::Refused, "No such channel."));
    let question = json!([{"id": "1", "type": "conversation", "channel": 7, "user": "777"}]);
    assert_eq!(peer.seen()[1].body["params"]["args"][1], question);
}

#[tokio::test]
async fn events_are_taken_and_acknowledged() {
    let answer = json!([
        {"id": 5, "kind": "configuration", "at": "2026-11-22T19:00:00Z", "payload": {"bots": [3, 4]}},
        {"id": 6, "kind": "configuration", "at": "2026-11-22T19:00:00Z", "payload": {}},
        {"id": 7, "kind": "newer", "at": "2026-11-22T19:00:00Z", "payload": 5},
        {"id": 8, "kind": "channel.refresh", "at": "2026-11-22T19:00:00Z", "payload": {"channel": 7}},
        {"id": 9, "kind": "channel.run", "at": "2026-11-22T19:00:00Z", "payload": {"channel": 7}},
        {"id": 10, "kind": "channel.run", "at": "2026-11-22T19:00:00Z", "payload": {}},
    ]);
    let expected = [
        BackendEvent { id: EventId(5), kind: EventKind::Configuration { bots: vec![BotId(3), BotId(4)] } },
        BackendEvent { id: EventId(6), kind: EventKind::Configuration { bots: vec![] } },
        BackendEvent { id: EventId(7), kind: EventKind::Unknown("newer".to_owned()) },
        BackendEvent { id: EventId(8), kind: EventKind::Refresh { channel: ChannelId(7) } },
        BackendEvent { id: EventId(9), kind: EventKind::Run { channel: ChannelId(7) } },
    ];
    let read = events(ok(answer)).await.unwrap();
    assert_eq!(read[..5], expected);
    assert!(matches!(&read[5..], [BackendEvent { id: EventId(10), kind: EventKind::Unreadable(_) }]), "a button of no chat stops nothing");

    // A method that returns nothing has no result at all.
    let peer = odoo(|_| Reply::json(200, &json!({"jsonrpc": "2.0", "id": 1}))).await;
    let backend = backend(&peer.url);
    backend.done(&claim(), &[EventId(5)]).await.unwrap();
    backend.done(&claim(), &[]).await.unwrap();
    assert_eq!(peer.seen()[1].body["params"]["args"], json!([claim(), [5]]));
    assert_eq!(peer.seen().len(), 2);
}

#[tokio::test]
async fn one_bad_bot_does_not_hide_the_others() {
    let mut bad = bot();
    bad["id"] = json!(4);
    bad["steps"] = json!(WORDS);
    let answer = json!({"bot_ids": [3, 4], "bots": [bad, bot()]});
    let peer = odoo(move |_| ok(answer.clone())).await;
    let known = BTreeMap::from([(BotId(3), "h0".to_owned())]);
    let configuration = backend(&peer.url).configuration(&claim(), &known).await.unwrap();
    assert_eq!(configuration.bot_ids, [BotId(3), BotId(4)]);
    assert_eq!(configuration.bots.len(), 1);
    assert_eq!((configuration.bots[0].0.bot, &configuration.bots[0].1), (BotId(3), &bot()));
    assert_eq!(peer.seen()[1].body["params"]["args"][1], json!({"3": "h0"}));
    assert!(!format!("{:?}", configuration.bots[0].0).contains("secretTOKEN"));
}

/// No password, session, token or word, in any failure or any log line of any crate.
#[tokio::test]
async fn secrets_stay_secret() {
    let mut broken = bot();
    broken["channels"][0]["token"] = json!("1:a-secret-session b");
    broken["name"] = json!([WORDS]);
    let mut tokenless = bot();
    tokenless["channels"][0]["token"] = json!("1:a-secret-session b");
    let answer = json!({"bot_ids": [3], "bots": [broken, tokenless, bot()]});
    let peer = odoo(move |_| ok(answer.clone())).await;
    let backend = backend(&peer.url);
    backend.configuration(&claim(), &BTreeMap::new()).await.unwrap();
    for reply in [raised("builtins.ValueError", WORDS), Reply::html(502), ok(json!([{"id": WORDS}]))] {
        events(reply).await.unwrap_err();
    }
    assert!(!format!("{backend:?}").contains("secret"), "{backend:?}");

    let log = log::text();
    assert!(log.contains("a bot can't be loaded"), "the log is being read");
    for secret in [PASSWORD, COOKIE, "secretTOKEN", WORDS] {
        assert!(!log.contains(secret), "{}", log.lines().find(|line| line.contains(secret)).unwrap_or_default());
    }
}
