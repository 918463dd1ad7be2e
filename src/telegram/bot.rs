//! One bot: the port `Messenger` over the Bot API.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use frankenstein::AsyncTelegramApi;
use frankenstein::methods::{AnswerCallbackQueryParams, DeleteWebhookParams, GetUpdatesParams, SetWebhookParams};
use frankenstein::response::MethodResponse;
use frankenstein::types::{AllowedUpdate, MessageId as SentMessage};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::api::Api;
use super::trouble::{Trouble, one_line};
use super::{faults, say, update};
use crate::domain::{ChatId, MessageId, Request, TelegramBotId, UpdateId};
use crate::ports::{Class, Failure, Identity, Messenger, Update, Webhook};

/// Telegram's bound on one poll.
const LONGEST_WAIT: Duration = Duration::from_secs(50);

/// What a poll may take beyond its wait before we give it up.
const POLL_MARGIN: Duration = Duration::from_secs(15);

/// Updates in one poll; Telegram's bound.
const BATCH: u32 = 100;

/// Named in each poll, since Telegram keeps the last setting otherwise; kinds that are not named never come.
const KINDS: [AllowedUpdate; 4] = [AllowedUpdate::Message, AllowedUpdate::EditedMessage, AllowedUpdate::CallbackQuery, AllowedUpdate::MyChatMember];

/// Of what Telegram says of a webhook only what we use.
#[derive(Deserialize)]
struct WebhookInfo {
    url: String,
    #[serde(default)]
    pending_update_count: u32,
    #[serde(default)]
    last_error_date: Option<i64>,
    #[serde(default)]
    last_error_message: Option<String>,
}

/// One bot, through its token.
pub struct Bot {
    api: Api,
}

impl Bot {
    /// The bot behind these methods.
    pub fn new(api: Api) -> Self {
        Self { api }
    }
}

impl fmt::Debug for Bot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bot").finish_non_exhaustive()
    }
}

#[async_trait]
impl Messenger for Bot {
    async fn me(&self) -> Result<Identity, Failure> {
        let user = self.api.get_me().await.map_err(faults::failure)?.result;
        let id = i64::try_from(user.id).map_err(|_| faults::failure(Trouble::UnreadableResult))?;
        Ok(Identity { bot: TelegramBotId(id), username: user.username })
    }

    async fn set_webhook(&self, url: &str, secret: &SecretString) -> Result<String, Failure> {
        let params = SetWebhookParams::builder()
            .url(url)
            .allowed_updates(KINDS.to_vec())
            .drop_pending_updates(false)
            .secret_token(secret.expose_secret())
            .build();
        self.api.set_webhook(&params).await.map(words).map_err(faults::failure)
    }

    async fn delete_webhook(&self) -> Result<String, Failure> {
        let params = DeleteWebhookParams::builder().drop_pending_updates(false).build();
        self.api.delete_webhook(&params).await.map(words).map_err(faults::failure)
    }

    async fn webhook(&self) -> Result<Webhook, Failure> {
        let answer: MethodResponse<WebhookInfo> = self.api.request("getWebhookInfo", None::<()>).await.map_err(faults::failure)?;
        let WebhookInfo { url, pending_update_count, last_error_date, last_error_message } = answer.result;
        let at = last_error_date.and_then(|seconds| Timestamp::from_second(seconds).ok());
        Ok(Webhook {
            url: Some(url).filter(|url| !url.is_empty()),
            waiting: pending_update_count,
            last_error: at.zip(last_error_message.map(|words| one_line(&words))),
        })
    }

    fn read_update(&self, delivered: &[u8]) -> Option<Update> {
        let raw = RawValue::from_string(String::from_utf8_lossy(delivered).into_owned()).ok()?;
        update::read(&raw, Timestamp::now())
    }

    async fn updates(&self, offset: Option<UpdateId>, wait: Duration) -> Result<Vec<Update>, Failure> {
        let wait = wait.min(LONGEST_WAIT);
        let params = GetUpdatesParams::builder()
            .maybe_offset(offset.map(|id| id.0))
            .limit(BATCH)
            .timeout(u32::try_from(wait.as_secs()).expect("at most LONGEST_WAIT"))
            .allowed_updates(KINDS.to_vec())
            .build();
        let api = self.api.within(wait + POLL_MARGIN);
        // Raw: each update is decoded by itself, so that one that we can't read does not hide the others.
        let answer: MethodResponse<Vec<Box<RawValue>>> = api.request("getUpdates", Some(params)).await.map_err(faults::failure)?;
        read_batch(&answer.result)
    }

    async fn perform(&self, chat: ChatId, request: &Request) -> Result<MessageId, Failure> {
        let Request::Say { text, markup } = request;
        // Of the message made only its id is read: a failure to read the rest would have it sent again.
        let answer: MethodResponse<SentMessage> =
            self.api.request("sendMessage", Some(say::params(chat, text, markup))).await.map_err(faults::failure)?;
        Ok(MessageId(i64::from(answer.result.message_id)))
    }

    async fn answer_tap(&self, callback: &str) -> Result<(), Failure> {
        let params = AnswerCallbackQueryParams::builder().callback_query_id(callback).build();
        match self.api.answer_callback_query(&params).await {
            Err(trouble) if !faults::is_harmless(&trouble) => Err(faults::failure(trouble)),
            _ => Ok(()),
        }
    }
}

/// What Telegram says to a change of a webhook: «Webhook was set».
fn words(answer: MethodResponse<bool>) -> String {
    answer.description.map_or_else(|| "Done".to_owned(), |words| one_line(&words))
}

/// Updates without a usable id are left out; the next good id confirms them. Where there is no good one, that is a failure that may pass: otherwise
/// the poll would come back at once, for ever, with the same.
fn read_batch(batch: &[Box<RawValue>]) -> Result<Vec<Update>, Failure> {
    let now = Timestamp::now();
    let updates: Vec<Update> = batch.iter().filter_map(|raw| update::read(raw, now)).collect();
    let skipped = batch.len() - updates.len();
    if skipped > 0 && updates.is_empty() {
        return Err(Failure::new(Class::Transient, format!("Telegram sent {skipped} updates, none with an id that can be read")));
    }
    if skipped > 0 {
        tracing::warn!(skipped, "updates without an id that can be read were left out");
    }
    Ok(updates)
}
