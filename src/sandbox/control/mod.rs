//! `/sandbox/...`: how tests and the page act as customers, and look at what the bots did.

mod act;
mod look;
mod manage;
mod stream;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use warp::Reply;
use warp::http::{Method, StatusCode};
use warp::reply::Response;

use super::answer::json_response;
use super::house::House;
use super::request::Request;

/// Why a control request was not done.
#[derive(Debug)]
struct Refused(StatusCode, String);

type Answer = Result<Value, Refused>;

impl Refused {
    /// The request itself is wrong.
    fn bad(text: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, text.into())
    }

    /// No such bot, customer, message or update.
    fn unknown(what: &str) -> Self {
        Self(StatusCode::NOT_FOUND, format!("no such {what}"))
    }

    /// A real customer could not do this now.
    fn impossible(text: impl Into<String>) -> Self {
        Self(StatusCode::CONFLICT, text.into())
    }
}

/// A bot named by its username or its id, as text or number.
#[derive(Clone, Debug, PartialEq)]
struct BotName(String);

impl<'de> Deserialize<'de> for BotName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Value::deserialize(from)? {
            Value::String(name) => Ok(Self(name)),
            Value::Number(id) => Ok(Self(id.to_string())),
            _ => Err(serde::de::Error::custom("a bot is named by its username or id")),
        }
    }
}

/// Answers `/sandbox/<rest>`.
pub(crate) async fn handle(house: &Arc<House>, rest: &[&str], request: &Request) -> Response {
    if (&request.method, rest) == (&Method::GET, &["stream"]) {
        return stream::open(house, request);
    }
    match route(house, rest, request).await {
        Ok(value) => json_response(StatusCode::OK, value.to_string()).into_response(),
        Err(Refused(status, text)) => json_response(status, json!({"error": text}).to_string()).into_response(),
    }
}

async fn route(house: &Arc<House>, rest: &[&str], request: &Request) -> Answer {
    let [name] = rest else {
        return Err(Refused::unknown("page"));
    };
    match (request.method.as_str(), *name) {
        ("GET", "bots") => Ok(manage::bots(house)),
        ("POST", "bots") => manage::put_bot(house, body(request)?),
        ("GET", "customers") => Ok(manage::customers(house)),
        ("POST", "customers") => Ok(manage::put_customer(house, body(request)?)),
        ("GET", "faults") => Ok(manage::faults(house)),
        ("POST", "faults") => manage::put_fault(house, body(request)?),
        ("DELETE", "faults") => Ok(manage::clear_faults(house)),
        ("POST", "updates") => manage::inject(house, body(request)?),
        ("POST", "redeliver") => manage::redeliver(house, body(request)?),
        ("POST", "say") => act::say(house, body(request)?),
        ("POST", "press") => act::press(house, body(request)?),
        ("POST", "tap") => act::tap(house, body(request)?),
        ("POST", "edit") => act::edit(house, body(request)?),
        ("POST", "block") => act::block(house, body(request)?),
        ("GET", "chat") => look::chat(house, request).await,
        ("GET", "calls") => look::calls(house, request).await,
        _ => Err(Refused::unknown("page")),
    }
}

fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Refused> {
    request.json().map_err(Refused::bad)
}
