//! What each trouble means: the one place that knows Telegram's error codes and texts.

use std::time::Duration;

use super::trouble::Trouble;
use crate::ports::{Class, Failure};

/// Where Telegram says «later» without saying when.
const DEFAULT_PAUSE: u64 = 1;

/// Codes whose class does not depend on the description. Missing ones are a `Bug`, since they are mistakes in our request.
const CODES: [(u16, Class); 5] = [
    (401, Class::Denied),
    (403, Class::Gone),
    (404, Class::Denied),
    (409, Class::Lost),
    // A server of one's own that is not meant for this token.
    (421, Class::Denied),
];

/// What a 400 says when the mistake is not in our request. Compared in lower case.
const BAD_REQUESTS: [(&str, Class); 8] = [
    ("chat not found", Class::Gone),
    ("user not found", Class::Gone),
    ("peer_id_invalid", Class::Gone),
    ("user is deactivated", Class::Gone),
    ("user_is_blocked", Class::Gone),
    ("have no rights to send a message", Class::Gone),
    ("upgraded to a supergroup", Class::Gone),
    ("too many requests", Class::RateLimited),
];

/// What a 400 says when all is as we want it, or can't be changed any more.
const HARMLESS: [&str; 2] = ["message is not modified", "query is too old"];

/// Nothing is left to be done: the trouble counts as success.
pub fn is_harmless(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Refused { code: 400, description, .. } if HARMLESS.iter().any(|text| contains(description, text)))
}

/// What a trouble means to the bridge.
pub fn failure(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Network { sent, cause } => network(sent, &cause),
        Trouble::Refused { code, description, retry_after } => refused(code, &description, retry_after),
        Trouble::NotTelegram { status, retry_after } => not_telegram(status, retry_after),
        Trouble::UnreadableResult => Failure::new(Class::Malformed, "Telegram did it, but its answer can't be understood").uncertain(),
        Trouble::Unsendable => Failure::new(Class::Bug, "the request to Telegram could not be written"),
    }
}

fn network(sent: bool, cause: &str) -> Failure {
    if sent {
        Failure::new(Class::Transient, format!("Telegram did not answer: {cause}")).uncertain()
    } else {
        Failure::new(Class::Transient, format!("Telegram can't be reached: {cause}"))
    }
}

fn refused(code: u16, description: &str, retry_after: Option<u64>) -> Failure {
    let reason = format!("Telegram says: {description} ({code})");
    match class(code, description) {
        Class::RateLimited => Failure::new(Class::RateLimited, reason).after(pause(retry_after)),
        // The server failed after taking the request: it may have been carried out.
        Class::Transient => with_pause(Failure::new(Class::Transient, reason).uncertain(), retry_after),
        class => Failure::new(class, reason),
    }
}

fn class(code: u16, description: &str) -> Class {
    match code {
        429 => Class::RateLimited,
        500.. => Class::Transient,
        400 => BAD_REQUESTS.iter().find(|(text, _)| contains(description, text)).map_or(Class::Bug, |(_, class)| *class),
        _ => CODES.iter().find(|(known, _)| *known == code).map_or(Class::Bug, |(_, class)| *class),
    }
}

/// Something between us and Telegram answered, before Telegram or instead of it: nobody knows what happened.
fn not_telegram(status: u16, retry_after: Option<u64>) -> Failure {
    let reason = format!("an answer that is not Telegram's (HTTP {status}): a proxy in between, or a wrong address");
    match status {
        429 => Failure::new(Class::RateLimited, reason).after(pause(retry_after)),
        _ => with_pause(Failure::new(Class::Transient, reason).uncertain(), retry_after),
    }
}

fn with_pause(failure: Failure, retry_after: Option<u64>) -> Failure {
    match retry_after {
        Some(seconds) => failure.after(Duration::from_secs(seconds)),
        None => failure,
    }
}

fn pause(retry_after: Option<u64>) -> Duration {
    Duration::from_secs(retry_after.unwrap_or(DEFAULT_PAUSE).max(DEFAULT_PAUSE))
}

fn contains(description: &str, text: &str) -> bool {
    description.to_lowercase().contains(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Certainty;

    fn of(code: u16, description: &str) -> Failure {
        failure(Trouble::Refused { code, description: description.to_owned(), retry_after: None })
    }

    #[test]
    fn every_refusal_has_its_class() {
        let rows = [
            (400, "Bad Request: chat not found", Class::Gone),
            (400, "Bad Request: user is deactivated", Class::Gone),
            (400, "Bad Request: PEER_ID_INVALID", Class::Gone),
            (400, "Bad Request: group chat was upgraded to a supergroup chat", Class::Gone),
            (400, "Bad Request: message is too long", Class::Bug),
            (400, "Bad Request: BUTTON_DATA_INVALID", Class::Bug),
            (401, "Unauthorized", Class::Denied),
            (403, "Forbidden: bot was blocked by the user", Class::Gone),
            (404, "Not Found", Class::Denied),
            (409, "Conflict: terminated by other getUpdates request", Class::Lost),
            (413, "Request Entity Too Large", Class::Bug),
            (421, "Misdirected Request: unallowed token specified", Class::Denied),
            (418, "I'm a teapot", Class::Bug),
            (429, "Too Many Requests: retry after 5", Class::RateLimited),
            (500, "Internal Server Error", Class::Transient),
            (502, "Bad Gateway", Class::Transient),
        ];
        for (code, description, class) in rows {
            let failure = of(code, description);
            assert_eq!(failure.class, class, "{code} {description}");
            assert!(failure.reason.contains(description), "{}", failure.reason);
        }
    }

    #[test]
    fn only_what_telegram_took_may_have_happened() {
        assert_eq!(of(400, "Bad Request: chat not found").certainty, Certainty::NotDone);
        assert_eq!(of(429, "Too Many Requests").certainty, Certainty::NotDone);
        assert_eq!(of(500, "Internal Server Error").certainty, Certainty::Unknown);
        for (sent, certainty) in [(false, Certainty::NotDone), (true, Certainty::Unknown)] {
            let failure = failure(Trouble::Network { sent, cause: "reset".to_owned() });
            assert_eq!((failure.class, failure.certainty), (Class::Transient, certainty));
        }
        let page = failure(Trouble::NotTelegram { status: 502, retry_after: None });
        assert_eq!((page.class, page.certainty), (Class::Transient, Certainty::Unknown));
        assert_eq!(failure(Trouble::UnreadableResult).certainty, Certainty::Unknown);
        assert_eq!(failure(Trouble::Unsendable).class, Class::Bug);
    }

    #[test]
    fn a_limit_always_says_how_long() {
        let told = failure(Trouble::Refused { code: 429, description: String::new(), retry_after: Some(86_400) });
        assert_eq!(told.retry_after, Some(Duration::from_secs(86_400)));
        assert_eq!(of(429, "Too Many Requests").retry_after, Some(Duration::from_secs(1)));
        let page = failure(Trouble::NotTelegram { status: 429, retry_after: Some(7) });
        assert_eq!((page.class, page.retry_after), (Class::RateLimited, Some(Duration::from_secs(7))));
    }

    #[test]
    fn what_is_so_already_is_no_failure() {
        let refused = |code, text: &str| Trouble::Refused { code, description: text.to_owned(), retry_after: None };
        assert!(is_harmless(&refused(400, "Bad Request: message is not modified: specified new message content…")));
        assert!(is_harmless(&refused(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")));
        assert!(!is_harmless(&refused(400, "Bad Request: chat not found")));
        assert!(!is_harmless(&refused(403, "query is too old")));
    }
}
