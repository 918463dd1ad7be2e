//! JSON-RPC over HTTP: one request, one answer.

use std::fmt;
use std::time::Duration;

use reqwest::header::{COOKIE, HeaderMap, LOCATION, RETRY_AFTER, SET_COOKIE};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::trouble::{Raised, Trouble};
use crate::http;
use crate::ports::Failure;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The way to one Odoo server.
pub struct Connection {
    http: reqwest::Client,
    base: Url,
}

/// What Odoo answers.
pub struct Answer {
    /// The result; null where the method returns nothing.
    pub result: Value,
    /// The session that Odoo wants to be used from now on, where it says so.
    pub session: Option<SecretString>,
}

impl Connection {
    /// A way to the server at this address.
    pub fn new(base: &str) -> Result<Self, Failure> {
        Ok(Self { http: http::client(CONNECT_TIMEOUT)?, base: http::address("Odoo", base)? })
    }

    /// Calls a route with these parameters, within this time.
    pub async fn call(&self, path: &str, params: Value, session: Option<&SecretString>, limit: Duration) -> Result<Answer, Trouble> {
        let body = json!({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params});
        let mut request = self.http.post(self.url(path)).timeout(limit).json(&body);
        if let Some(session) = session {
            request = request.header(COOKIE, format!("session_id={}", session.expose_secret()));
        }
        let response = request.send().await.map_err(Trouble::network)?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.bytes().await.map_err(Trouble::network)?;
        let result = result(serde_json::from_slice(&bytes).unwrap_or_default(), status, &headers)?;
        Ok(Answer { result, session: session_cookie(&headers) })
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("host", &self.base.host_str()).finish_non_exhaustive()
    }
}

/// JSON-RPC's result; Odoo leaves it out where it is null.
fn result(mut answer: Value, status: u16, headers: &HeaderMap) -> Result<Value, Trouble> {
    if answer.get("jsonrpc").is_none() {
        return Err(Trouble::Http { status, location: location(headers), retry_after: retry_after(headers) });
    }
    match answer.get("error") {
        Some(error) if !error.is_null() => Err(Trouble::Raised(Raised::from(error))),
        _ => Ok(answer.get_mut("result").map(Value::take).unwrap_or_default()),
    }
}

/// Scheme and host of a redirect: what an admin needs to correct the address, and nothing that may be secret.
fn location(headers: &HeaderMap) -> Option<String> {
    let url = Url::parse(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    Some(url.origin().ascii_serialization())
}

fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

fn session_cookie(headers: &HeaderMap) -> Option<SecretString> {
    let cookies = headers.get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    let session = cookies.filter_map(|cookie| cookie.split(';').next()?.trim().strip_prefix("session_id=")).next_back()?;
    (!session.is_empty()).then(|| SecretString::from(session))
}
