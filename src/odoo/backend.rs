//! The port `Backend` over the addon's methods.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::connection::{Answer, Connection};
use super::login::Account;
use super::session::{Session, Sessions};
use super::trouble::Trouble;
use super::wire::to_json;
use super::{answers, events, faults};
use crate::domain::{BotId, ChannelId, EventId, Operation, UserId};
use crate::ports::{Applied, Backend, BackendEvent, Claim, Configuration, Failure, Heartbeat, Hello, OpenConversation, Pulse, Welcome};

/// The addon's model.
pub const MODEL: &str = "chatbridge.bridge";

/// How long a batch of writes may take.
const WRITE_LIMIT: Duration = Duration::from_secs(60);

/// How long any other call may take.
const READ_LIMIT: Duration = Duration::from_secs(15);

/// Odoo, as one user of one database. Calls may run side by side.
#[derive(Debug)]
pub struct OdooBackend {
    connection: Connection,
    sessions: Sessions,
    login: String,
    write_limit: Duration,
    read_limit: Duration,
}

impl OdooBackend {
    /// Odoo at this address. Does no I/O: the first call logs in. Without a database's name, Odoo is asked for its only one.
    pub fn new(url: &str, database: Option<String>, login: &str, password: SecretString) -> Result<Self, Failure> {
        let account = Account { database, login: login.to_owned(), password };
        Ok(Self {
            connection: Connection::new(url)?,
            sessions: Sessions::new(account),
            login: login.to_owned(),
            write_limit: WRITE_LIMIT,
            read_limit: READ_LIMIT,
        })
    }

    /// The same, but no call may take longer than this.
    pub fn within(self, limit: Duration) -> Self {
        Self { write_limit: limit, read_limit: limit, ..self }
    }

    pub(super) async fn read(&self, method: &str, args: Value) -> Result<Value, Failure> {
        self.call(method, args, self.read_limit).await
    }

    /// Calls a method; where the session has expired, logs in anew and calls once more. Nothing was done by the call that was turned away.
    async fn call(&self, method: &str, args: Value, limit: Duration) -> Result<Value, Failure> {
        let mut session = self.sessions.current(&self.connection).await?;
        let mut outcome = self.send(&session, method, &args, limit).await;
        if matches!(&outcome, Err(trouble) if trouble.is_expired() || trouble.is_not_found()) {
            session = self.sessions.instead_of(&session, &self.connection).await?;
            outcome = self.send(&session, method, &args, limit).await;
        }
        match outcome {
            Ok(answer) => Ok(self.keep_session(&session, answer).await),
            Err(trouble) if trouble.is_expired() => Err(faults::session_lost()),
            Err(trouble) => Err(faults::of_call(trouble, &self.login)),
        }
    }

    async fn send(&self, session: &Session, method: &str, args: &Value, limit: Duration) -> Result<Answer, Trouble> {
        let path = format!("/web/dataset/call_kw/{MODEL}/{method}");
        let params = json!({"model": MODEL, "method": method, "args": args, "kwargs": {}});
        self.connection.call(&path, params, Some(&session.id), limit).await
    }

    async fn keep_session(&self, session: &Session, answer: Answer) -> Value {
        if let Some(id) = answer.session {
            self.sessions.renamed(session, id).await;
        }
        answer.result
    }
}

#[async_trait]
impl Backend for OdooBackend {
    async fn handshake(&self, hello: &Hello) -> Result<Welcome, Failure> {
        answers::plain(self.read("handshake", json!([to_json(hello)])).await?, "handshake")
    }

    async fn heartbeat(&self, claim: &Claim, status: &Heartbeat) -> Result<Pulse, Failure> {
        answers::plain(self.read("heartbeat", json!([claim, to_json(status)])).await?, "heartbeat")
    }

    async fn configuration(&self, claim: &Claim, known: &BTreeMap<BotId, String>) -> Result<Configuration, Failure> {
        let known: BTreeMap<String, &str> = known.iter().map(|(bot, hash)| (bot.to_string(), hash.as_str())).collect();
        answers::configuration(&self.read("configuration", json!([claim, known])).await?)
    }

    async fn apply(&self, claim: &Claim, operations: &[Operation]) -> Result<Vec<Applied>, Failure> {
        if operations.is_empty() {
            return Ok(vec![]);
        }
        let answer = self.call("apply", json!([claim, to_json(operations)]), self.write_limit).await?;
        // Odoo has done it, whatever its answer means.
        answers::applied(&answer, operations).map_err(Failure::uncertain)
    }

    async fn open_conversation(&self, claim: &Claim, channel: ChannelId, user: UserId) -> Result<Option<OpenConversation>, Failure> {
        let question = json!({"id": "1", "type": "conversation", "channel": channel, "user": user});
        let answer = self.read("ask", json!([claim, [question]])).await?;
        answers::plain(answers::only_answer(&answer)?, "ask, conversation")
    }

    async fn events(&self, claim: &Claim, limit: u32) -> Result<Vec<BackendEvent>, Failure> {
        events::events(&self.read("events", json!([claim, limit, null])).await?)
    }

    async fn done(&self, claim: &Claim, events: &[EventId]) -> Result<(), Failure> {
        if events.is_empty() {
            return Ok(());
        }
        self.read("done", json!([claim, events])).await.map(|_| ())
    }
}
