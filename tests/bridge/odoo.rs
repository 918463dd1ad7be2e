//! An Odoo in memory: keeps the rules of `docs/protocol.md`, and fails, waits and changes as it is told.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use chatbridge::domain::{
    BotId, ChannelId, ChatKey, Content, ConversationKey, EventId, EventKey, FromOdoo, Incoming, OdooEvent, Operation, Profile, UserId,
};
use chatbridge::odoo::script_from_json;
use chatbridge::ports::{
    Applied, Backend, BackendEvent, Claim, Class, Configuration, EventKind, Failure, Heartbeat, Hello, OpenConversation, Pulse, Readiness, Welcome,
};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use super::ledger::Ledger;
use super::time::until;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Handshake,
    Heartbeat,
    Configuration,
    Apply,
    Ask,
    Events,
    Done,
}

const METHODS: [Method; 7] = [Method::Handshake, Method::Heartbeat, Method::Configuration, Method::Apply, Method::Ask, Method::Events, Method::Done];

/// What goes wrong with the next calls.
pub struct Fault {
    pub method: Method,
    pub failure: Failure,
    pub times: usize,
    /// The call does its work before it fails.
    pub after: bool,
}

type Judge = Box<dyn Fn(&Operation) -> bool + Send>;

/// Everything that this Odoo knows.
pub struct Desk {
    pub ledger: Ledger,
    pub bots: BTreeMap<BotId, Value>,
    pub readiness: Readiness,
    pub lease: Option<Claim>,
    pub heartbeats: Vec<Heartbeat>,
    pub calls: Vec<Method>,
    pub events: Vec<BackendEvent>,
    pub faults: Vec<Fault>,
    /// A call with one of these fails whole, with a mistake that nobody has named.
    pub poison: Option<Judge>,
    /// One of these is refused.
    pub refuse: Option<Judge>,
    /// Drawn anew when an administrator confirms.
    pub epoch: String,
    generation: i64,
    last_event: i64,
}

pub struct Odoo {
    desk: Mutex<Desk>,
    held: watch::Sender<Option<Method>>,
}

impl Odoo {
    pub fn new(bots: impl IntoIterator<Item = Value>) -> Self {
        let desk = Desk {
            ledger: Ledger::default(),
            bots: bots.into_iter().map(|bot| (id(&bot), bot)).collect(),
            readiness: Readiness::Ready,
            lease: None,
            heartbeats: vec![],
            calls: vec![],
            events: vec![],
            faults: vec![],
            poison: None,
            refuse: None,
            epoch: String::new(),
            generation: 0,
            last_event: 0,
        };
        Self { desk: Mutex::new(desk), held: watch::Sender::new(None) }
    }

    pub fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap()
    }

    /// From now on all calls of a method wait; `None` lets them go on.
    pub fn hold(&self, method: Option<Method>) {
        self.held.send_replace(method);
    }

    /// The next calls of a method fail without doing anything.
    pub fn fail(&self, method: Method, times: usize, failure: Failure) {
        self.desk().faults.push(Fault { method, failure, times, after: false });
    }

    /// Cannot be reached any more, by any call.
    pub fn go_down(&self) {
        for method in METHODS {
            self.fail(method, usize::MAX, Failure::new(Class::Transient, "connection refused"));
        }
    }

    /// No fault is left.
    pub fn come_back(&self) {
        self.desk().faults.clear();
    }

    /// The lease goes to nobody: every claim is wrong from now on, until the next handshake.
    pub fn revoke(&self) {
        self.desk().lease = None;
    }

    /// Puts a bot in, or a newer version of it, and tells of it.
    pub fn configure(&self, bot: Value) {
        let mut desk = self.desk();
        let id = id(&bot);
        desk.bots.insert(id, bot);
        desk.announce(EventKind::Configuration { bots: vec![id] });
    }

    /// Archives a bot, and tells of it.
    pub fn archive(&self, bot: i64) {
        let mut desk = self.desk();
        desk.bots.remove(&BotId(bot));
        desk.announce(EventKind::Configuration { bots: vec![BotId(bot)] });
    }

    /// Tells of something in a chat.
    pub fn tell(&self, chat: ChatKey, conversation: Option<ConversationKey>, what: OdooEvent) {
        let profile =
            Profile { user: UserId(chat.chat.0), first_name: "Олена".to_owned(), last_name: None, username: None, language_code: None };
        let content = Content::Odoo(FromOdoo { conversation, what });
        let event = Incoming { chat: chat.chat, profile, at: Timestamp::UNIX_EPOCH, message: None, content };
        self.desk().announce(EventKind::Chat { key: EventKey::draw(), channel: chat.channel, event: Box::new(event) });
    }

    /// Waits until so many operations have been carried out.
    pub async fn until_done(&self, count: usize) {
        until("operations in Odoo", || self.desk().ledger.done.len() >= count).await;
    }

    /// Waits until so many lines have been written, and gives all.
    pub async fn until_words(&self, count: usize) -> Vec<String> {
        until("lines in Odoo", || self.desk().ledger.words().len() >= count).await;
        self.desk().ledger.words().into_iter().map(str::to_owned).collect()
    }

    /// How often a method has been called.
    pub fn called(&self, method: Method) -> usize {
        self.desk().calls.iter().filter(|call| **call == method).count()
    }

    /// Begins a call: waits where it is held; notes it; fails it where it is to fail before its work. The failure after its work is given.
    async fn enter(&self, method: Method, claim: Option<&Claim>) -> Result<Option<Failure>, Failure> {
        let _ = self.held.subscribe().wait_for(|held| *held != Some(method)).await;
        let mut desk = self.desk();
        desk.calls.push(method);
        let fault = desk.faults.iter_mut().find(|fault| fault.method == method && fault.times > 0);
        let fault = fault.map(|fault| {
            fault.times -= 1;
            (fault.failure.clone(), fault.after)
        });
        let after = match fault {
            Some((failure, false)) => return Err(failure),
            Some((failure, true)) => Some(failure),
            None => None,
        };
        if claim.is_some() && desk.lease.as_ref() != claim {
            return Err(Failure::new(Class::Lost, "another bridge holds the lease"));
        }
        Ok(after)
    }
}

impl Desk {
    pub fn announce(&mut self, kind: EventKind) {
        self.last_event += 1;
        self.events.push(BackendEvent { id: EventId(self.last_event), kind });
    }

    fn apply(&mut self, operations: &[Operation]) -> Result<Vec<Applied>, Failure> {
        if operations.is_empty() || operations.len() > 500 {
            self.ledger.violations.push(format!("a batch of {}", operations.len()));
        }
        let posts = operations.iter().filter(|operation| operation.body.posts_in_discuss()).count();
        if posts > 5 {
            self.ledger.violations.push(format!("a batch with {posts} posts in Discuss"));
        }
        if self.poison.as_ref().is_some_and(|poisonous| operations.iter().any(poisonous)) {
            return Err(Failure::new(Class::Bug, "Odoo failed with builtins.ZeroDivisionError; its log says more"));
        }
        let Self { ledger, refuse, .. } = self;
        let refused = |operation: &Operation| refuse.as_ref().is_some_and(|refuse| refuse(operation)).then(|| "No.".to_owned());
        Ok(operations.iter().map(|operation| ledger.take(operation, refused(operation))).collect())
    }
}

fn id(bot: &Value) -> BotId {
    BotId(bot["id"].as_i64().unwrap())
}

fn outcome<T>(after: Option<Failure>, answer: T) -> Result<T, Failure> {
    after.map_or(Ok(answer), Err)
}

#[async_trait]
impl Backend for Odoo {
    async fn handshake(&self, hello: &Hello) -> Result<Welcome, Failure> {
        let after = self.enter(Method::Handshake, None).await?;
        let mut desk = self.desk();
        if desk.readiness == Readiness::Ready {
            desk.generation += 1;
            desk.lease = Some(Claim { store_id: hello.store_id.clone(), generation: desk.generation });
        }
        let welcome = Welcome {
            status: desk.readiness,
            sentence: "as the test wants it".to_owned(),
            addon_version: "19.0.1.0.0".to_owned(),
            series: "19.0".to_owned(),
            database_uuid: "d".to_owned(),
            nonce: desk.generation.to_string(),
            epoch: desk.epoch.clone(),
            generation: desk.generation,
            lease_seconds: 30,
        };
        outcome(after, welcome)
    }

    async fn heartbeat(&self, claim: &Claim, status: &Heartbeat) -> Result<Pulse, Failure> {
        let after = self.enter(Method::Heartbeat, Some(claim)).await?;
        let mut desk = self.desk();
        desk.heartbeats.push(status.clone());
        outcome(after, Pulse { status: desk.readiness })
    }

    async fn configuration(&self, claim: &Claim, known: &BTreeMap<BotId, String>) -> Result<Configuration, Failure> {
        let after = self.enter(Method::Configuration, Some(claim)).await?;
        let desk = self.desk();
        let differs = |bot: &&Value| known.get(&id(bot)).map(String::as_str) != bot["hash"].as_str();
        let bots = desk.bots.values().filter(differs).map(|bot| Ok((script_from_json(bot)?, bot.clone()))).collect::<Result<_, Failure>>()?;
        outcome(after, Configuration { bot_ids: desk.bots.keys().copied().collect(), bots })
    }

    async fn apply(&self, claim: &Claim, operations: &[Operation]) -> Result<Vec<Applied>, Failure> {
        let after = self.enter(Method::Apply, Some(claim)).await?;
        let answers = self.desk().apply(operations)?;
        outcome(after, answers)
    }

    async fn open_conversation(&self, claim: &Claim, channel: ChannelId, user: UserId) -> Result<Option<OpenConversation>, Failure> {
        let after = self.enter(Method::Ask, Some(claim)).await?;
        let found = self.desk().ledger.open_conversation(channel, user);
        outcome(after, found)
    }

    async fn events(&self, claim: &Claim, limit: u32) -> Result<Vec<BackendEvent>, Failure> {
        let after = self.enter(Method::Events, Some(claim)).await?;
        let events = self.desk().events.iter().take(usize::try_from(limit).unwrap()).cloned().collect();
        outcome(after, events)
    }

    async fn done(&self, claim: &Claim, events: &[EventId]) -> Result<(), Failure> {
        let after = self.enter(Method::Done, Some(claim)).await?;
        self.desk().events.retain(|event| !events.contains(&event.id));
        outcome(after, ())
    }
}
