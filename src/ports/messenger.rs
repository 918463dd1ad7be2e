//! A messenger, through one token.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use super::Failure;
use crate::domain::{ChatId, Incoming, MessageId, Request, TelegramBotId, UpdateId};

/// Opens messengers.
pub trait Connect: Send + Sync {
    /// A messenger that speaks with this token. Does no I/O.
    fn connect(&self, token: &SecretString) -> Arc<dyn Messenger>;
}

/// One bot of a messenger. Calls may run side by side; every call ends by itself.
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Who the token belongs to.
    async fn me(&self) -> Result<Identity, Failure>;

    /// Has updates delivered to this address from now on, with this secret, and drops none. The messenger's own words for what it did.
    async fn set_webhook(&self, url: &str, secret: &SecretString) -> Result<String, Failure>;

    /// Ends the delivery of updates, and drops none. The messenger's own words for what it did.
    async fn delete_webhook(&self) -> Result<String, Failure>;

    /// How the delivery of updates stands.
    async fn webhook(&self) -> Result<Webhook, Failure>;

    /// Ends a webhook, where one is set, without dropping updates: polling is refused while there is one. Tells whether one was set.
    async fn leave_webhook(&self) -> Result<bool, Failure> {
        if self.webhook().await?.url.is_none() {
            return Ok(false);
        }
        self.delete_webhook().await.map(|_| true)
    }

    /// Reads an update as it is delivered to a webhook; none where it has no id.
    fn read_update(&self, delivered: &[u8]) -> Option<Update>;

    /// The next updates, at most 100; waits up to `wait` for the first. Everything below `offset` is confirmed by the call and will not come again.
    async fn updates(&self, offset: Option<UpdateId>, wait: Duration) -> Result<Vec<Update>, Failure>;

    /// Carries out a request in a chat; the message that it made.
    async fn perform(&self, chat: ChatId, request: &Request) -> Result<MessageId, Failure>;

    /// Stops a tapped button from waiting.
    async fn answer_tap(&self, callback: &str) -> Result<(), Failure>;
}

/// Who a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The bot's number.
    pub bot: TelegramBotId,
    /// The bot's username, without the at sign.
    pub username: Option<String>,
}

/// How the delivery of updates to a webhook stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Webhook {
    /// Where they are delivered; none: nowhere, they can be polled.
    pub url: Option<String>,
    /// Updates that wait.
    pub waiting: u32,
    /// The last delivery that failed: when, and what the messenger says of it.
    pub last_error: Option<(Timestamp, String)>,
}

/// One update. What cannot be understood still has its id, so that it can be confirmed and never comes again.
#[derive(Clone, Debug)]
pub struct Update {
    /// Its id.
    pub id: UpdateId,
    /// What a person did; `None` where the update is of no concern to us (a group, a kind that we don't use); a failure where it can't be read.
    pub content: Result<Option<Incoming>, Failure>,
}
