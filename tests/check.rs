//! `chatbridge check` against servers that answer as they are told: what is wrong with a set-up is said in words, with what to do.
#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod scripted;

use std::path::Path;
use std::process::Command;

use chatbridge::store::RedbStore;
use scripted::bot::{TOKEN, bot};
use scripted::{Peer, Reply, Request};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PASSWORD: &str = "a-secret-password";

/// What the servers of a test say, and the settings of the check.
struct Setup {
    /// Odoo's answer to the handshake, or the exception that it raises.
    handshake: Result<Value, (&'static str, &'static str)>,
    bots: Vec<Value>,
    me: Reply,
    webhook: Value,
    data: tempfile::TempDir,
    settings: Vec<(&'static str, String)>,
}

impl Setup {
    /// All is right.
    fn new() -> Self {
        let welcome = json!({"status": "ready", "sentence": "", "protocol": 2, "addon_version": "19.0.1.0.0", "series": "19.0", "features": [], "database_uuid": "d",
            "nonce": "", "epoch": "", "generation": 3, "lease_seconds": 30, "clock": jiff::Timestamp::now().to_string(), "languages": ["en_US"], "base_url": "", "findings": []});
        Self {
            handshake: Ok(welcome),
            bots: vec![bot()],
            me: telegram(json!({"id": 123_456, "is_bot": true, "first_name": "Shop", "username": "shop_bot"})),
            webhook: json!({"url": "", "has_custom_certificate": false, "pending_update_count": 0}),
            data: tempfile::tempdir().unwrap(),
            settings: vec![],
        }
    }

    fn data(&self) -> &Path {
        self.data.path()
    }

    /// The exit code, and the lines.
    async fn check(self) -> (i32, Vec<String>) {
        let Self { handshake, bots, me, webhook, data, settings } = self;
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let noted = seen.clone();
        let odoo = Peer::start(move |request| {
            noted.lock().unwrap().push(request.body.clone());
            odoo(request, &handshake, &bots)
        })
        .await;
        let telegram = Peer::start(move |request| if request.path.ends_with("/getMe") { me.clone() } else { crate::telegram(webhook.clone()) }).await;
        let mut command = Command::new(env!("CARGO_BIN_EXE_chatbridge"));
        command.arg("check").env_clear().envs([
            ("CHATBRIDGE_ODOO_URL", odoo.url.as_str()),
            ("CHATBRIDGE_ODOO_DATABASE", "shop"),
            ("CHATBRIDGE_ODOO_PASSWORD", PASSWORD),
            ("CHATBRIDGE_TELEGRAM_URL", telegram.url.as_str()),
            ("CHATBRIDGE_DATA", data.path().to_str().unwrap()),
            ("CHATBRIDGE_LISTEN", "127.0.0.1:0"),
        ]);
        command.envs(settings);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let all = format!("{text}{}", String::from_utf8(output.stderr).unwrap());
        assert!(!all.contains(TOKEN) && !all.contains("secret"), "{all}");
        for request in telegram.seen() {
            assert!(request.path.ends_with("/getMe") || request.path.ends_with("/getWebhookInfo"), "it changes nothing: {}", request.path);
        }
        for body in seen.lock().unwrap().iter().filter(|body| body["params"]["method"] == "handshake") {
            assert_eq!(body["params"]["args"][0]["probe"], true);
        }
        (output.status.code().unwrap(), text.lines().map(str::to_owned).collect())
    }

    /// The only thing that is wrong.
    async fn fault(self) -> String {
        let (code, lines) = self.check().await;
        let faults: Vec<_> = lines.iter().filter(|line| line.starts_with('✗')).collect();
        assert_eq!((code, faults.len()), (1, 1), "{lines:#?}");
        faults[0].clone()
    }
}

fn telegram(result: Value) -> Reply {
    Reply::json(200, &json!({"ok": true, "result": result}))
}

fn odoo(request: &Request, handshake: &Result<Value, (&str, &str)>, bots: &[Value]) -> Reply {
    let ok = |result: Value| Reply::json(200, &json!({"jsonrpc": "2.0", "id": 1, "result": result}));
    match (request.body["params"]["method"].as_str(), handshake) {
        (None, _) => ok(json!({"uid": 8, "db": "shop"})).with_header("Set-Cookie", "session_id=s; Path=/"),
        (Some("handshake"), Ok(welcome)) => ok(welcome.clone()),
        (Some("handshake"), Err((name, sentence))) => {
            let data = json!({"name": name, "message": sentence, "arguments": [sentence], "debug": "Traceback: secret"});
            Reply::json(200, &json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "message": "Odoo Server Error", "data": data}}))
        }
        (Some("configuration"), _) => {
            assert_eq!(request.body["params"]["args"], json!([null, {}]), "without a lease");
            ok(json!({"bot_ids": bots.iter().map(|bot| bot["id"].clone()).collect::<Vec<_>>(), "bots": bots}))
        }
        (Some(other), _) => panic!("a check calls {other}"),
    }
}

#[tokio::test]
async fn a_set_up_that_is_right() {
    let (code, lines) = Setup::new().check().await;
    assert_eq!(code, 0, "{lines:#?}");
    assert!(lines.iter().all(|line| line.starts_with('✓')), "{lines:#?}");
    for part in ["Odoo 19.0", "clocks agree", "Odoo takes this bridge", "(@shop_bot): the token is right, updates come by polling"] {
        assert!(lines.iter().any(|line| line.contains(part)), "{part} in {lines:#?}");
    }
}

#[tokio::test]
async fn all_faults_of_the_settings_at_once() {
    let setup = Setup { settings: vec![("CHATBRIDGE_LISTEN", "8079".to_owned()), ("CHATBRIDGE_ODOO_URL", "odoo".to_owned())], ..Setup::new() };
    let (code, lines) = setup.check().await;
    assert_eq!((code, lines.len()), (64, 2), "{lines:#?}");
    assert!(lines.iter().all(|line| line.starts_with("✗ CHATBRIDGE_")), "{lines:#?}");
}

#[tokio::test]
async fn what_odoo_refuses() {
    let rows = [
        ("odoo.exceptions.AccessError", "No.", "group Chatbot / Bridge"),
        ("odoo.exceptions.UserError", "The bridge speaks protocol 2 and this Odoo 3: update the bridge.", "update the bridge"),
        ("builtins.KeyError", "chatbridge.bridge", "install the addon"),
        ("odoo.sql_db.PoolError", "Full", "see whether Odoo runs"),
    ];
    for (name, sentence, said) in rows {
        let line = Setup { handshake: Err((name, sentence)), ..Setup::new() }.fault().await;
        assert!(line.contains(said), "{line}");
    }
}

#[tokio::test]
async fn an_odoo_that_is_not_there() {
    let line = Setup { settings: vec![("CHATBRIDGE_ODOO_URL", "http://127.0.0.1:1".to_owned())], ..Setup::new() }.fault().await;
    assert!(line.contains("can't be reached") && line.contains("CHATBRIDGE_ODOO_URL"), "{line}");
}

/// What a handshake would meet, and what Odoo itself sees.
#[tokio::test]
async fn what_odoo_sees() {
    let answering = |changes: Value| {
        let mut setup = Setup::new();
        setup.handshake.as_mut().unwrap().as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        setup
    };
    let line = answering(json!({"status": "confirm", "sentence": "The store is of another database."})).fault().await;
    assert_eq!(line, "✗ The store is of another database — start the bridge, then press Confirm in Odoo: Chatbot, Settings, Bridge");
    let line = answering(json!({"status": "standby"})).fault().await;
    assert!(line.contains("another bridge serves"), "{line}");
    let late = (jiff::Timestamp::now() - jiff::SignedDuration::from_secs(300)).to_string();
    let line = answering(json!({"clock": late})).fault().await;
    assert!(line.contains("behind") && line.contains("NTP"), "{line}");
    let early = (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(300)).to_string();
    assert!(answering(json!({"clock": early})).fault().await.contains("ahead of"));
    let line = answering(json!({"series": "20.0"})).fault().await;
    assert!(line.contains("20.0"), "{line}");
    let line = answering(json!({"findings": [{"place": "Chat «Shop»", "sentence": "It is off.", "remedy": "Switch it on."}]})).fault().await;
    assert_eq!(line, "✗ Chat «Shop»: It is off — Switch it on.");
}

/// A store that was used before says whose it is.
#[tokio::test]
async fn the_store_is_looked_at_and_left_alone() {
    let setup = Setup::new();
    drop(RedbStore::open(setup.data()).unwrap());
    let (code, lines) = setup.check().await;
    assert_eq!(code, 0, "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("holds a store")), "{lines:#?}");
    // Another bridge has it: it should answer at the listening address, but does not.
    let setup = Setup::new();
    let store = RedbStore::open(setup.data()).unwrap();
    let line = setup.fault().await;
    assert!(line.contains("the bridge that runs does not answer"), "{line}");
    drop(store);
    let missing = Setup::new();
    let path = missing.data().join("deep/folder");
    let (code, lines) = Setup { settings: vec![("CHATBRIDGE_DATA", path.display().to_string())], ..missing }.check().await;
    assert_eq!(code, 0, "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("made at the first start")) && !path.exists(), "{lines:#?}");
    let line = Setup { settings: vec![("CHATBRIDGE_DATA", "/proc/chatbridge".to_owned())], ..Setup::new() }.fault().await;
    assert!(line.contains("/proc") && line.contains("CHATBRIDGE_DATA"), "{line}");
    let spoilt = Setup::new();
    std::fs::write(spoilt.data().join("chatbridge.redb"), "no store").unwrap();
    assert!(spoilt.fault().await.contains("damaged"));
}

#[tokio::test]
async fn ports_and_addresses_of_this_machine() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let line = Setup { settings: vec![("CHATBRIDGE_LISTEN", address)], ..Setup::new() }.fault().await;
    assert!(line.contains("CHATBRIDGE_LISTEN"), "{line}");
    let stranger = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", stranger.local_addr().unwrap());
    let answering = tokio::spawn(async move {
        let (mut peer, _) = stranger.accept().await.unwrap();
        let _ = peer.read(&mut [0; 4096]).await;
        peer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello").await.unwrap();
        peer.shutdown().await.unwrap();
    });
    let line = Setup { settings: vec![("CHATBRIDGE_NUDGE_URL", url)], ..Setup::new() }.fault().await;
    answering.await.unwrap();
    assert!(line.contains("is not the bridge") && line.contains("CHATBRIDGE_NUDGE_URL"), "{line}");
    let (code, lines) = Setup { settings: vec![("CHATBRIDGE_NUDGE_URL", "none".to_owned())], ..Setup::new() }.check().await;
    assert_eq!(code, 0, "{lines:#?}");
}

#[tokio::test]
async fn what_telegram_says() {
    let refused = |code: u16| Reply::json(code, &json!({"ok": false, "error_code": code, "description": "Unauthorized"}));
    let line = Setup { me: refused(401), ..Setup::new() }.fault().await;
    assert!(line.contains("chat 7 of the bot «Client Chat»") && line.contains("@BotFather"), "{line}");
    let line = Setup { settings: vec![("CHATBRIDGE_TELEGRAM_URL", "http://127.0.0.1:1".to_owned())], ..Setup::new() }.fault().await;
    assert!(line.contains("can't be reached") && line.contains("firewall"), "{line}");
    let line = Setup { webhook: json!({"url": "https://elsewhere.example/secret", "pending_update_count": 0}), ..Setup::new() }.fault().await;
    assert!(line.contains("is to be polled") && line.contains("https://elsewhere.example"), "{line}");
    let line = Setup { webhook: json!({"url": "", "pending_update_count": 4}), ..Setup::new() }.fault().await;
    assert!(line.contains("updates wait at Telegram: 4"), "{line}");
}

/// SET-4: a webhook as it is configured, and as Telegram has it.
#[tokio::test]
async fn webhooks_that_differ() {
    let hooked = |webhook: Value| {
        let mut bot = bot();
        bot["channels"][0]["webhook_url"] = "https://bot.example.com/bots/".into();
        Setup { bots: vec![bot], webhook, ..Setup::new() }
    };
    let ours = "https://bot.example.com/bots/telegram/7";
    let (code, lines) = hooked(json!({"url": ours, "pending_update_count": 0})).check().await;
    assert_eq!(code, 0, "{lines:#?}");
    assert!(lines.last().unwrap().contains("by webhook"));
    assert!(hooked(json!({"url": "", "pending_update_count": 0})).fault().await.contains("none at Telegram"));
    assert!(hooked(json!({"url": "https://x.example/telegram/7"})).fault().await.contains("delivers to https://x.example"));
    let now = jiff::Timestamp::now().as_second();
    let failing = json!({"url": ours, "pending_update_count": 0, "last_error_date": now, "last_error_message": "Connection refused"});
    assert!(hooked(failing).fault().await.contains("could not deliver"));
    let long_ago = json!({"url": ours, "pending_update_count": 0, "last_error_date": now - 7200, "last_error_message": "Connection refused"});
    assert_eq!(hooked(long_ago).check().await.0, 0);
}
