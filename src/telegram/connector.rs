//! The way to Telegram that all bots share.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect;
use secrecy::SecretString;
use url::Url;

use super::api::Api;
use super::bot::Bot;
use crate::ports::{Class, Connect, Failure, Messenger};

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
        Ok(Self { base: parse_base(base)?, http: http_client()? })
    }
}

impl Connect for Telegram {
    fn connect(&self, token: &SecretString) -> Arc<dyn Messenger> {
        Arc::new(Bot::new(Api::new(self.http.clone(), self.base.clone(), token.clone())))
    }
}

/// Only what can carry the path `/bot<token>/<method>`. The address is not repeated: one pasted with a token in it would end in a log.
fn parse_base(base: &str) -> Result<Url, Failure> {
    let url = Url::parse(base).map_err(|error| misconfigured(&format!("the address of Telegram's server is no URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(misconfigured("the address of Telegram's server must begin with http:// or https://"));
    }
    Ok(url)
}

fn http_client() -> Result<reqwest::Client, Failure> {
    // An error only says that a provider is installed already, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        // A redirect would carry the token to whoever it names.
        .redirect(redirect::Policy::none())
        .build()
        .map_err(|_| misconfigured("no HTTPS is possible: are the system's CA certificates installed (package ca-certificates)?"))
}

fn misconfigured(reason: &str) -> Failure {
    Failure::new(Class::Denied, reason)
}
