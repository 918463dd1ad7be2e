//! What can be set when a sandbox starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

/// How a sandbox behaves. `Options::default()` is right for most tests: port 0, strict, no rate limits.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 lets the system choose.
    pub addr: SocketAddr,
    /// Refuse what Telegram would silently ignore (see `docs/sandbox.md`).
    pub strict: bool,
    /// Bots that exist from the start.
    pub bots: Vec<BotSpec>,
    /// Accept webhooks at `http://127.0.0.1` and `http://localhost`, any port; Telegram itself wants HTTPS.
    pub local_webhooks: bool,
    /// Messages and edits a bot may send to one chat; `None` is no limit.
    pub pace: Option<Pace>,
    /// Slow down a poller that asks for the same offset again and again, as Telegram does.
    pub brake: bool,
    /// How long a pressed inline button may be answered.
    pub callback_age: Duration,
    /// The second pause before a failed webhook delivery is repeated (the first repeat is at once); it doubles.
    pub webhook_pause: Duration,
    /// The longest pause between two webhook deliveries.
    pub webhook_pause_most: Duration,
    /// How long a webhook may take to answer.
    pub webhook_timeout: Duration,
    /// How many Bot API calls are remembered for `/sandbox/calls`.
    pub calls_kept: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            strict: true,
            bots: Vec::new(),
            local_webhooks: true,
            pace: None,
            brake: false,
            callback_age: Duration::from_secs(15),
            webhook_pause: Duration::from_secs(2),
            webhook_pause_most: Duration::from_secs(60),
            webhook_timeout: Duration::from_secs(60),
            calls_kept: 200_000,
        }
    }
}

/// How often one chat may be written to: `burst` messages at once, then one each `every`.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Messages that may be sent at once.
    pub burst: u32,
    /// The time in which one more becomes allowed.
    pub every: Duration,
}

/// A bot as BotFather would have made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotSpec {
    /// The token, `<bot id>:<secret>`.
    pub token: String,
    /// The username, without `@`.
    pub username: String,
    /// The name shown to people.
    pub first_name: String,
}

impl FromStr for BotSpec {
    type Err = String;

    /// Reads `TOKEN:username:Name`; the token has a colon of its own.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(4, ':');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        match (next(), next(), next(), next()) {
            (Some(id), Some(secret), Some(username), Some(name)) => {
                Ok(Self { token: format!("{id}:{secret}"), username: username.to_owned(), first_name: name.to_owned() })
            }
            _ => Err("expected TOKEN:username:Name, for example 1:secret:my_bot:My bot".to_owned()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_bot_is_read_from_token_username_and_name() {
        let spec: BotSpec = "1:secret:my_bot:My: bot".parse().unwrap();
        assert_eq!((spec.token.as_str(), spec.username.as_str()), ("1:secret", "my_bot"));
        assert_eq!(spec.first_name, "My: bot");
        assert!("1:secret:my_bot".parse::<BotSpec>().is_err());
    }
}
