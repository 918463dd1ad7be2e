//! The bridge in its world.

use std::net::SocketAddr;
use std::sync::Arc;

use chatbridge::bridge::{Bridge, Ended, Metrics, Nudges, Parts, Ready, Settings};
use chatbridge::domain::ChatRecord;
use chatbridge::odoo::script_from_json;
use chatbridge::ports::{ChannelState, Store, SystemClock};
use chatbridge::telegram::Telegram as Client;
use chatbridge::web::{self, Pages, Secret};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::bot;
use super::brittle::Brittle;
use super::odoo::Odoo;
use super::person::Person;
use super::telegram::Telegram;
use super::time::until;

pub struct World {
    pub telegram: Arc<Telegram>,
    pub odoo: Arc<Odoo>,
    pub store: Arc<Brittle>,
    /// The bridge's own address, the same at each start.
    pub url: String,
    address: SocketAddr,
    run: Option<Run>,
}

/// One process of the bridge.
struct Run {
    metrics: Arc<Metrics>,
    ready: Arc<Ready>,
    nudges: Arc<Nudges>,
    secret: Secret,
    stop: CancellationToken,
    ended: JoinHandle<Ended>,
    /// Serves the bridge's pages.
    server: JoinHandle<()>,
}

impl Drop for Run {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl World {
    /// Telegram and Odoo are there; no bridge yet.
    pub async fn new() -> Self {
        Self::of(Telegram::open().await, Arc::new(Odoo::new([bot::shop()])), Arc::default())
    }

    /// A world made of these.
    pub fn of(telegram: Arc<Telegram>, odoo: Arc<Odoo>, store: Arc<Brittle>) -> Self {
        let address = listen(([127, 0, 0, 1], 0).into()).local_addr().unwrap();
        Self { telegram, odoo, store, url: format!("http://{address}"), address, run: None }
    }

    /// The bridge runs.
    pub async fn running() -> Self {
        let mut world = Self::new().await;
        world.start();
        world
    }

    /// The bridge runs, and somebody has been welcomed.
    pub async fn welcomed() -> (Self, Person) {
        let world = Self::running().await;
        let person = world.welcome("Олена").await;
        (world, person)
    }

    /// A new person, who has been welcomed and whose welcome is written in Odoo.
    pub async fn welcome(&self, name: &str) -> Person {
        let person = self.telegram.person(name).await;
        let before = self.odoo.desk().ledger.done.len();
        person.say("/start").await;
        assert_eq!(person.hears(1).await, ["Welcome"]);
        self.odoo.until_done(before + 5).await;
        person
    }

    /// Starts the bridge on what the store holds.
    pub fn start(&mut self) {
        self.start_on(self.store.clone());
    }

    pub fn start_on(&mut self, store: Arc<dyn Store>) {
        assert!(self.run.is_none(), "it runs");
        let parts = Parts {
            store,
            backend: self.odoo.clone(),
            connect: Arc::new(Client::new(&self.telegram.url).unwrap()),
            clock: Arc::new(SystemClock),
            read_script: script_from_json,
        };
        let secret = Secret::draw();
        let bridge = Bridge::new(parts, Settings { instance: "i".to_owned(), nudge_url: None, nudge_secret: secret.to_hex() });
        let (metrics, ready, nudges, stop) = (bridge.metrics(), bridge.ready(), bridge.nudges(), CancellationToken::new());
        let pages = Pages {
            ready: ready.clone(),
            metrics: metrics.clone(),
            nudges: nudges.clone(),
            calls: bridge.calls(),
            deliveries: bridge.deliveries(),
            secret: secret.clone(),
        };
        let listener = tokio::net::TcpListener::from_std(listen(self.address)).unwrap();
        let server = tokio::spawn(web::serve(listener, pages, std::future::pending()));
        let ended = tokio::spawn(bridge.run(stop.clone().cancelled_owned()));
        self.run = Some(Run { metrics, ready, nudges, secret, stop, ended, server });
    }

    fn run(&self) -> &Run {
        self.run.as_ref().expect("started")
    }

    pub fn metrics(&self) -> &Metrics {
        &self.run().metrics
    }

    pub fn ready(&self) -> (bool, String) {
        self.run().ready.get()
    }

    /// As the web page does when Odoo nudges.
    pub fn nudge(&self) {
        self.run().nudges.ring();
    }

    /// Asks the bridge to stop.
    pub fn ask_to_stop(&self) {
        self.run().stop.cancel();
    }

    pub fn is_running(&self) -> bool {
        !self.run().ended.is_finished()
    }

    /// What the store knows of a person's chat.
    pub fn record(&self, person: &Person) -> ChatRecord {
        self.store.chat(person.chat()).unwrap().unwrap_or_default()
    }

    /// The key that signs calls.
    pub fn secret(&self) -> String {
        self.run().secret.to_hex()
    }

    /// How the bridge ends by itself, or after it was asked.
    pub async fn ends(&mut self) -> Ended {
        let mut run = self.run.take().expect("started");
        let ended = (&mut run.ended).await.unwrap();
        // The port is free when the task is gone.
        run.server.abort();
        let _ = (&mut run.server).await;
        ended
    }

    pub async fn stop(&mut self) -> Ended {
        self.ask_to_stop();
        self.ends().await
    }

    /// Waits until the first channel's state as Odoo knows it is this.
    pub async fn until_channel_is(&self, state: ChannelState) {
        until("a channel's state", || self.channel_is(state)).await;
    }

    pub fn channel_is(&self, state: ChannelState) -> bool {
        let desk = self.odoo.desk();
        let last = desk.heartbeats.last().and_then(|beat| beat.channels.iter().find(|status| status.channel.0 == bot::CHANNEL));
        last.is_some_and(|status| status.state == state)
    }

    /// Stops the bridge, which must have finished everything and kept every rule.
    pub async fn finish(mut self) {
        assert_eq!(self.stop().await, Ended::Drained);
        let counts = self.store.counts().unwrap();
        assert_eq!((counts.operations, counts.sends), (0, 0));
        self.check();
    }

    pub fn check(&self) {
        assert_eq!(self.odoo.desk().ledger.violations, Vec::<String>::new());
    }
}

/// Takes a port; port 0 is any.
fn listen(address: SocketAddr) -> std::net::TcpListener {
    let listener = std::net::TcpListener::bind(address).unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}
