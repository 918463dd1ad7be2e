//! What both HTTP adapters need: a checked address, and a client that carries no secret anywhere it was not sent.

use std::time::Duration;

use reqwest::redirect;
use url::Url;

use crate::ports::{Class, Failure};

/// An address of the http family. `whose` names it in the failure («Odoo»); the address is not repeated: one pasted with a token in it would end in a log.
pub fn address(whose: &str, text: &str) -> Result<Url, Failure> {
    let url = Url::parse(text).map_err(|error| misconfigured(format!("the address of {whose} is no URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(misconfigured(format!("the address of {whose} must begin with http:// or https://")));
    }
    Ok(url)
}

/// A client with its own pool of connections, each opened within this time. It follows no redirect: that would carry a token or a session to whoever it names.
pub fn client(connect_within: Duration) -> Result<reqwest::Client, Failure> {
    // An error only says that a provider is installed already, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(connect_within)
        .redirect(redirect::Policy::none())
        .build()
        .map_err(|_| misconfigured("no HTTPS is possible: are the system's CA certificates installed (package ca-certificates)?"))
}

/// What an address answers to a simple question: the HTTP status and the beginning of the text; within this time, or an error in one line without the address.
pub async fn get(address: &str, within: Duration) -> Result<(u16, String), String> {
    let asked = client(within).map_err(|failure| failure.reason)?.get(address).timeout(within).send().await;
    let response = asked.map_err(|error| if error.is_timeout() { "no answer in time".to_owned() } else { innermost(&error.without_url()) })?;
    let status = response.status().as_u16();
    let text = response.text().await.unwrap_or_default();
    Ok((status, text.trim().chars().take(200).collect()))
}

/// The innermost cause says most: «Connection refused», not «error sending request».
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn misconfigured(reason: impl Into<String>) -> Failure {
    Failure::new(Class::Denied, reason)
}
