//! What the Bot API answers: a result or a failure, in Telegram's exact shapes.

use serde_json::{Value, json};
use warp::http::{Response, StatusCode};

/// A result as JSON text. Text, because injected updates may be anything, even no JSON.
#[derive(Debug)]
pub(crate) struct Success {
    pub result: String,
    pub description: Option<&'static str>,
}

impl Success {
    pub fn of(result: &Value) -> Self {
        Self { result: result.to_string(), description: None }
    }

    pub fn done() -> Self {
        Self::of(&Value::Bool(true))
    }

    pub fn described(description: &'static str) -> Self {
        Self { description: Some(description), ..Self::done() }
    }

    fn body(&self) -> String {
        match self.description {
            Some(text) => format!(r#"{{"ok":true,"result":{},"description":"{text}"}}"#, self.result),
            None => format!(r#"{{"ok":true,"result":{}}}"#, self.result),
        }
    }
}

/// A refusal with Telegram's code and description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub code: u16,
    pub description: String,
    pub retry_after: Option<u64>,
}

impl Failure {
    pub fn new(code: u16, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), retry_after: None }
    }

    /// 400; `text` follows the prefix every such description has.
    pub fn bad(text: impl AsRef<str>) -> Self {
        Self::new(400, format!("Bad Request: {}", text.as_ref()))
    }

    pub fn forbidden(text: &str) -> Self {
        Self::new(403, format!("Forbidden: {text}"))
    }

    pub fn conflict(text: &str) -> Self {
        Self::new(409, format!("Conflict: {text}"))
    }

    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized")
    }

    pub fn too_many(retry_after: u64) -> Self {
        let description = format!("Too Many Requests: retry after {retry_after}");
        Self { code: 429, description, retry_after: Some(retry_after) }
    }

    fn body(&self) -> String {
        let mut body = json!({"ok": false, "error_code": self.code, "description": self.description});
        if let Some(seconds) = self.retry_after {
            body["parameters"] = json!({"retry_after": seconds});
        }
        body.to_string()
    }
}

pub(crate) type Outcome = Result<Success, Failure>;

/// The outcome as HTTP.
pub(crate) fn respond(outcome: &Outcome) -> Response<String> {
    match outcome {
        Ok(success) => json_response(StatusCode::OK, success.body()),
        Err(failure) => {
            let status = StatusCode::from_u16(failure.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = json_response(status, failure.body());
            if let Some(seconds) = failure.retry_after {
                response.headers_mut().insert("retry-after", seconds.into());
            }
            response
        }
    }
}

/// A body that says it is JSON.
pub(crate) fn json_response(status: StatusCode, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let json = warp::http::HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", json);
    response
}
