//! What Odoo tells of chats, as the protocol writes it.
#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod scripted;

use chatbridge::domain::{
    ChannelId, ChatId, ConsultationKey, ConsultationState, Content, ConversationKey, DiscussMessageId, EventKey, FromOdoo, Incoming, Localized,
    OdooEvent, Profile, UserId,
};
use chatbridge::odoo::OdooBackend;
use chatbridge::ports::{Backend, BackendEvent, Claim, EventKind, OpenConsultation};
use scripted::{Peer, Reply};
use secrecy::SecretString;
use serde_json::{Value, json};
use ulid::Ulid;

const KEY: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const OTHER: &str = "01BX5ZZKBKACTAV9WEVGEMMVRZ";

fn ulid(text: &str) -> Ulid {
    Ulid::from_string(text).unwrap()
}

/// Odoo, answering every call with this.
async fn odoo(answer: Value) -> (Peer, OdooBackend, Claim) {
    let peer = Peer::start(move |request| {
        let login = json!({"uid": 8, "db": "shop"});
        let result = if request.path.ends_with("authenticate") { &login } else { &answer };
        Reply::json(200, &json!({"jsonrpc": "2.0", "id": 1, "result": result})).with_header("Set-Cookie", "session_id=s; Path=/")
    })
    .await;
    let backend = OdooBackend::new(&peer.url, Some("shop".to_owned()), "bridge", SecretString::from("password")).unwrap();
    (peer, backend, Claim { store_id: KEY.to_owned(), generation: 1 })
}

/// An event with what every event of a chat has, and this.
fn event(kind: &str, further: &Value) -> Value {
    let mut payload = json!({"channel": 7, "chat": "-1001234567890", "conversation": OTHER,
        "sender": {"user": "7000000000", "first_name": "Оксана", "last_name": false, "username": null, "language_code": "uk"}});
    payload.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    json!({"id": 5, "key": KEY, "kind": kind, "at": "2026-11-22T19:00:00.5Z", "payload": payload})
}

async fn read(event: Value) -> EventKind {
    let (_peer, backend, claim) = odoo(json!([event])).await;
    let [BackendEvent { kind, .. }] = backend.events(&claim, 10).await.unwrap().try_into().unwrap();
    kind
}

fn chat(what: OdooEvent) -> EventKind {
    let profile = Profile {
        user: UserId(7_000_000_000),
        first_name: "Оксана".to_owned(),
        last_name: None,
        username: None,
        language_code: Some("uk".to_owned()),
    };
    let content = Content::Odoo(FromOdoo { conversation: Some(ConversationKey(ulid(OTHER))), what });
    let at = "2026-11-22T19:00:00.5Z".parse().unwrap();
    let event = Incoming { chat: ChatId(-1_001_234_567_890), profile, at, message: None, content };
    EventKind::Chat { key: EventKey(ulid(KEY)), channel: ChannelId(7), event: Box::new(event) }
}

#[tokio::test]
async fn each_kind_of_event_is_read() {
    let consultation = ConsultationKey(ulid(KEY));
    let operator = || "Юлія".to_owned();
    let rows = [
        ("consultation.queued", json!({"consultation": KEY, "place": 3}), OdooEvent::Queued { consultation, place: 3 }),
        (
            "consultation.assigned",
            json!({"consultation": KEY, "operator": "Юлія", "started": true}),
            OdooEvent::Assigned { consultation, operator: operator(), started: true },
        ),
        (
            "consultation.assigned",
            json!({"consultation": KEY, "operator": "Юлія", "newer": 1}),
            OdooEvent::Assigned { consultation, operator: operator(), started: false },
        ),
        ("consultation.refused", json!({"consultation": KEY}), OdooEvent::Refused { consultation }),
        (
            "consultation.said",
            json!({"consultation": KEY, "message": 90, "operator": "Юлія", "body": "<p>Так</p>"}),
            OdooEvent::Said { consultation, message: DiscussMessageId(90), operator: operator(), html: "<p>Так</p>".to_owned() },
        ),
        ("consultation.ended", json!({"consultation": KEY}), OdooEvent::Ended { consultation }),
        ("say", json!({"text": {"en_US": "You Approved", "uk_UA": ""}}), OdooEvent::Say { text: Localized::single("en_US", "You Approved") }),
    ];
    for (kind, further, what) in rows {
        assert_eq!(read(event(kind, &further)).await, chat(what), "{kind}");
    }
}

/// Somebody of whom Odoo knows the number alone, in no conversation.
#[tokio::test]
async fn a_nameless_person_and_no_conversation_are_read() {
    let mut nameless = event("say", &json!({"text": {"en_US": "Hi"}, "conversation": null}));
    nameless["payload"]["sender"] = json!({"user": "5", "first_name": null});
    let EventKind::Chat { event, .. } = read(nameless).await else { panic!("an event of a chat") };
    assert_eq!((event.profile.user, event.profile.first_name.as_str()), (UserId(5), ""));
    assert!(matches!(event.content, Content::Odoo(FromOdoo { conversation: None, .. })));
}

/// One that cannot be read is named by its place, and stops none of the others.
#[tokio::test]
async fn an_event_that_cannot_be_read_is_put_aside() {
    let secret = "what-a-person-wrote";
    let faults = [("channel", json!(secret)), ("chat", json!(7)), ("consultation", json!(secret)), ("sender", json!(null)), ("body", json!(5))];
    for (field, value) in faults {
        let mut bad = event("consultation.said", &json!({"consultation": KEY, "message": 90, "operator": "Юлія", "body": secret}));
        bad["payload"][field] = value;
        let good = event("consultation.ended", &json!({"consultation": KEY}));
        let (_peer, backend, claim) = odoo(json!([bad, good])).await;
        let events = backend.events(&claim, 10).await.unwrap();
        let EventKind::Unreadable(failure) = &events[0].kind else { panic!("{field}: {:?}", events[0]) };
        assert!(failure.reason.contains(&format!("events[0], payload, {field}")) && !failure.reason.contains(secret), "{failure}");
        assert!(matches!(events[1].kind, EventKind::Chat { .. }));
    }
    let mut keyless = event("consultation.ended", &json!({"consultation": KEY}));
    keyless["key"] = json!(null);
    assert!(matches!(read(keyless).await, EventKind::Unreadable(_)), "it could have its effect twice");
}

#[tokio::test]
async fn a_consultation_is_part_of_what_odoo_remembers() {
    for (consultation, expected) in [
        (json!({"consultation": KEY, "state": "queued", "operator": null}), Some((ConsultationState::Queued, None))),
        (json!({"consultation": KEY, "state": "assigned", "operator": "Юлія"}), Some((ConsultationState::Assigned, Some("Юлія".to_owned())))),
        (json!(null), None),
    ] {
        let answer = json!([{"id": "1", "answer": {"conversation": OTHER, "step": null, "state": {}, "sequence": 5, "at": "2026-11-22T19:00:00Z",
            "consultation": consultation}}]);
        let (_peer, backend, claim) = odoo(answer).await;
        let open = backend.open_conversation(&claim, ChannelId(7), UserId(1)).await.unwrap().unwrap();
        let expected = expected.map(|(state, operator)| OpenConsultation { consultation: ConsultationKey(ulid(KEY)), state, operator });
        assert_eq!(open.consultation, expected);
    }
}
