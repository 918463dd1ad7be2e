//! The way to Telegram that all bots share.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::api::Api;
use super::bot::Bot;
use crate::http;
use crate::ports::{Connect, Failure, Messenger};

/// Where Telegram answers.
pub const BASE_URL: &str = "https://api.telegram.org";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens bots; they share one pool of connections.
#[derive(Clone, Debug)]
pub struct Telegram {
    base: Url,
    http: reqwest::Client,
}

impl Telegram {
    /// A way to the Bot API server at this address: `BASE_URL`, or a sandbox's.
    pub fn new(base: &str) -> Result<Self, Failure> {
        Ok(Self { base: http::address("Telegram's server", base)?, http: http::client(CONNECT_TIMEOUT)? })
    }
}

impl Connect for Telegram {
    fn connect(&self, token: &SecretString) -> Arc<dyn Messenger> {
        Arc::new(Bot::new(Api::new(self.http.clone(), self.base.clone(), token.clone())))
    }
}
