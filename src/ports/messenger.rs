//! A messenger, through one token.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
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

    /// Ends a webhook, where one is set, without dropping updates: polling is refused while there is one. Tells whether one was set.
    async fn leave_webhook(&self) -> Result<bool, Failure>;

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

/// One update. What cannot be understood still has its id, so that it can be confirmed and never comes again.
#[derive(Clone, Debug)]
pub struct Update {
    /// Its id.
    pub id: UpdateId,
    /// What a person did; `None` where the update is of no concern to us (a group, a kind that we don't use); a failure where it can't be read.
    pub content: Result<Option<Incoming>, Failure>,
}
