//! What can go wrong in a call, before anyone has said what it means.

use std::error::Error;

use serde::Deserialize;
use serde_json::Value;

/// How long a text from outside may be in a reason.
const REASON_LENGTH: usize = 300;

/// A call that did not succeed. Holds no body and no traceback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No whole answer came.
    Network {
        /// The request may have arrived.
        sent: bool,
        /// What the network said.
        cause: String,
    },
    /// An answer that is no JSON-RPC: of a proxy, or of something that is not Odoo.
    Http {
        /// The HTTP status.
        status: u16,
        /// Where a redirect leads: scheme and host.
        location: Option<String>,
        /// How many seconds to wait, where the answer says so.
        retry_after: Option<u64>,
    },
    /// Odoo says that an exception was raised.
    Raised(Raised),
}

/// An exception in Odoo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    /// JSON-RPC's code: 200 for most, 100 for an expired session, 404.
    pub code: i64,
    /// Module and class: `odoo.exceptions.UserError`.
    pub name: String,
    /// What it says: one line. Fit for people only where the class is.
    pub sentence: String,
}

impl Trouble {
    /// What reqwest says, without the address (which may hold a password for a proxy).
    pub fn network(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let cause = if error.is_timeout() { "no answer in time".to_owned() } else { root_cause(&error) };
        Self::Network { sent: !(error.is_connect() || error.is_builder()), cause }
    }

    /// The session is not known any more.
    pub fn is_expired(&self) -> bool {
        matches!(self, Self::Raised(raised) if raised.code == 100 || raised.name.ends_with(".SessionExpiredException"))
    }

    /// Nothing is there. That too may be an expired session: without one, an Odoo with several databases does not know which to ask (14 and 19: HTTP 404).
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::Http { status, .. } => *status == 404,
            Self::Raised(raised) => raised.code == 404 || raised.name == "werkzeug.exceptions.NotFound",
            Self::Network { .. } => false,
        }
    }
}

/// JSON-RPC's error; `debug`, the traceback, is left unread.
#[derive(Deserialize)]
struct RpcError {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    data: RpcErrorData,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RpcErrorData {
    name: Value,
    message: Value,
    arguments: Value,
}

impl From<&Value> for Raised {
    fn from(error: &Value) -> Self {
        let RpcError { code, data } = RpcError::deserialize(error).unwrap_or(RpcError { code: 0, data: RpcErrorData::default() });
        // The first argument is the sentence itself; the message of an exception with several is a Python tuple.
        let sentence = data.arguments.get(0).and_then(Value::as_str).or(data.message.as_str()).unwrap_or_default();
        Self { code, name: one_line(data.name.as_str().unwrap_or("an unnamed error")), sentence: one_line(sentence) }
    }
}

/// The innermost cause says most: «Connection refused», not «error sending request».
fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    one_line(&cause.to_string())
}

/// A text from outside made fit for a reason: one line, not too long.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|letter| !letter.is_control()).take(REASON_LENGTH).collect()
}
