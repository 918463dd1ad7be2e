//! The world with its lock, and what outlives a single request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::bot::Bot;
use super::options::{BotSpec, Options};
use super::webhook;
use super::world::World;

/// Shared by all requests.
#[derive(Debug)]
pub(crate) struct House {
    pub options: Options,
    world: Mutex<World>,
    /// Turns true once; every wait ends then.
    pub closing: watch::Sender<bool>,
    pub client: reqwest::Client,
}

impl House {
    pub fn new(options: Options) -> Result<Arc<Self>, reqwest::Error> {
        let client = webhook_client(&options)?;
        let (world, closing) = (Mutex::default(), watch::Sender::new(false));
        Ok(Arc::new(Self { options, world, closing, client }))
    }

    /// The world. A panic elsewhere does not make it unusable: each change is complete in itself, and this is a test server.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a bot, or gives an existing token new names. Says why not.
    pub fn put_bot(self: &Arc<Self>, spec: BotSpec) -> Result<i64, String> {
        let bot = Bot::new(spec).ok_or("the token is malformed: expected <bot id>:<letters and digits>")?;
        let (id, mut world) = (bot.id, self.world());
        if world.bots.values().any(|other| other.id != id && other.is_called(&bot.spec.username)) {
            return Err(format!("another bot has the username {}", bot.spec.username));
        }
        if let Some(known) = world.bots.get_mut(&id) {
            known.spec = bot.spec;
        } else {
            world.bots.insert(id, bot);
            tokio::spawn(webhook::deliver(Arc::clone(self), id));
        }
        world.changed();
        Ok(id)
    }

    /// Ends when the sandbox closes.
    pub async fn closed(&self) {
        // The sender lives in self, so waiting cannot fail.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }
}

/// Certificates are not checked: whoever gives the sandbox an address is a test or a demo.
fn webhook_client(options: &Options) -> Result<reqwest::Client, reqwest::Error> {
    // An error only says that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(options.webhook_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_danger_accept_invalid_certs(true)
        .build()
}
