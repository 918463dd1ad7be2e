//! What can go wrong in a call, before anyone has said what it means.

use std::error::Error;

/// How long a text from outside may be in a reason.
const REASON_LENGTH: usize = 200;

/// A call that did not succeed. Holds no body, no token and no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No whole answer came.
    Network {
        /// The request may have arrived.
        sent: bool,
        /// What the network said.
        cause: String,
    },
    /// The Bot API refuses.
    Refused {
        /// Its error code, else the HTTP status.
        code: u16,
        /// Its description: one line.
        description: String,
        /// How many seconds to wait, where it says so.
        retry_after: Option<u64>,
    },
    /// An answer that the Bot API would not give: a page of a proxy, an empty body.
    NotTelegram {
        /// The HTTP status.
        status: u16,
        /// How many seconds to wait, where the answer says so.
        retry_after: Option<u64>,
    },
    /// Done, but the result is not as documented.
    UnreadableResult,
    /// The request could not be written down; nothing was sent.
    Unsendable,
}

impl Trouble {
    /// What reqwest says, without the address (which holds the token).
    pub fn network(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if error.is_builder() {
            return Self::Unsendable;
        }
        let cause = if error.is_timeout() { "no answer in time".to_owned() } else { root_cause(&error) };
        Self::Network { sent: !error.is_connect(), cause }
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
pub fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|letter| !letter.is_control()).take(REASON_LENGTH).collect()
}
