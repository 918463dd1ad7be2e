//! Calls methods of the Bot API through one token.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use frankenstein::AsyncTelegramApi;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::trouble::{Trouble, one_line};

/// How long a method that does not wait for updates may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// One token's way to the Bot API. Cheap to clone. Never prints the token.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    base: Url,
    token: SecretString,
    timeout: Duration,
}

/// The envelope of every answer; the result is read apart, since its type differs.
#[derive(serde::Deserialize)]
struct Envelope {
    ok: bool,
    #[serde(default)]
    error_code: Option<u16>,
    #[serde(default)]
    description: Option<String>,
    /// A `Value`, since a number that outgrows a type must not cost us the description.
    #[serde(default)]
    parameters: Value,
}

impl Api {
    /// The methods of `token` at the server `base`.
    pub fn new(http: reqwest::Client, base: Url, token: SecretString) -> Self {
        Self { http, base, token, timeout: CALL_TIMEOUT }
    }

    /// The same, but each call may take this long.
    pub fn within(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// `<base>/bot<token>/<method>`. Segments are escaped, so that a broken token cannot become another path.
    fn url(&self, method: &str) -> Url {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .expect("the base was checked to be http(s), which has segments")
            .pop_if_empty()
            .push(&format!("bot{}", self.token.expose_secret()))
            .push(method);
        url
    }

    async fn send(&self, method: &str, body: Vec<u8>) -> Result<(u16, HeaderMap, String), Trouble> {
        let request = self.http.post(self.url(method)).timeout(self.timeout).header(CONTENT_TYPE, "application/json").body(body);
        let response = request.send().await.map_err(Trouble::network)?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.bytes().await.map_err(Trouble::network)?;
        // Lossy, since one broken character must not make a whole batch of updates unreadable.
        Ok((status, headers, String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn refused(&self, status: u16, headers: &HeaderMap, envelope: &Envelope) -> Trouble {
        let description = envelope.description.as_deref().unwrap_or("no description");
        Trouble::Refused {
            code: envelope.error_code.unwrap_or(status),
            // Telegram does not repeat the token; something in between might.
            description: one_line(&description.replace(self.token.expose_secret(), "[token]")),
            retry_after: envelope.parameters["retry_after"].as_u64().or_else(|| header_seconds(headers)),
        }
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl AsyncTelegramApi for Api {
    type Error = Trouble;

    async fn request<Params, Output>(&self, method: &str, params: Option<Params>) -> Result<Output, Trouble>
    where
        Params: Serialize + fmt::Debug + Send,
        Output: DeserializeOwned,
    {
        let body = match params {
            Some(params) => serde_json::to_vec(&params).map_err(|_| Trouble::Unsendable)?,
            // An empty body with a JSON content type is refused by stricter servers than Telegram's.
            None => b"{}".to_vec(),
        };
        let (status, headers, text) = self.send(method, body).await?;
        match serde_json::from_str::<Envelope>(&text) {
            Ok(Envelope { ok: true, .. }) => serde_json::from_str(&text).map_err(|_| Trouble::UnreadableResult),
            Ok(envelope) => Err(self.refused(status, &headers, &envelope)),
            Err(_) => Err(Trouble::NotTelegram { status, retry_after: header_seconds(&headers) }),
        }
    }

    /// The bridge sends no files from disk; files in memory will have a call of their own.
    async fn request_with_form_data<Params, Output>(&self, _: &str, _: Params, _: Vec<(&str, PathBuf)>) -> Result<Output, Trouble>
    where
        Params: Serialize + fmt::Debug + Send,
        Output: DeserializeOwned,
    {
        Err(Trouble::Unsendable)
    }
}

/// The header's number of seconds; its other form, a date, is not what Telegram sends.
fn header_seconds(headers: &HeaderMap) -> Option<u64> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}
