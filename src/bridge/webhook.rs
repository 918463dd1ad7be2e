//! A webhook as it is to be: its address, its secret, and what Telegram says of it.

use std::future::Future;
use std::time::Duration;

use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::domain::Channel;
use crate::ports::{Class, Failure, Messenger, Webhook};

/// What the secret is made over, beside the store's id: another use of the same key would have another word.
const PURPOSE: &[u8] = b"chatbridge.webhook.";

/// Telegram lets a bot change its webhook once in a second; a change that comes too soon waits as long as told, if that is not long.
const SHORT: Duration = Duration::from_secs(2);

/// What a channel's webhook is to be.
#[derive(Clone)]
pub struct Hook {
    /// Where Telegram is to deliver.
    pub url: String,
    secret: SecretString,
}

impl Hook {
    /// The webhook of a channel; none where it is to be polled.
    pub fn of(channel: &Channel, store_id: &str) -> Option<Self> {
        let url = hook_url(channel)?;
        Some(Self { url, secret: secret(channel, store_id) })
    }

    /// Has Telegram deliver there. Where updates wait, what was set is removed first: Telegram then delivers at once, instead of after the pause that
    /// its last failure has left.
    pub async fn set(&self, messenger: &dyn Messenger) -> Result<String, Failure> {
        let now = messenger.webhook().await?;
        if now.waiting > 0 && now.url.as_ref() == Some(&self.url) {
            patiently(|| messenger.delete_webhook()).await?;
        }
        patiently(|| messenger.set_webhook(&self.url, &self.secret)).await
    }
}

/// The address of a channel's webhook, below the bridge's public address; none where it is to be polled.
pub fn hook_url(channel: &Channel) -> Option<String> {
    let base = channel.webhook_url.as_deref()?;
    Some(format!("{}/telegram/{}", base.trim_end_matches('/'), channel.id))
}

/// Is this the secret of the channel's webhook? Compared in constant time.
pub fn is_secret(channel: &Channel, store_id: &str, given: &str) -> bool {
    use subtle::ConstantTimeEq;
    secret(channel, store_id).expose_secret().as_bytes().ct_eq(given.as_bytes()).into()
}

/// The secret that Telegram shows with each update. Made of the bot's token and the store's id, it is the same after a restart, and need not be kept.
fn secret(channel: &Channel, store_id: &str) -> SecretString {
    let mut mac = Hmac::<Sha256>::new_from_slice(channel.token.expose_secret().as_bytes()).expect("any length of key will do");
    mac.update(PURPOSE);
    mac.update(store_id.as_bytes());
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    SecretString::from(digits)
}

/// Ends a webhook; a change that comes too soon after another waits.
pub async fn delete(messenger: &dyn Messenger) -> Result<String, Failure> {
    patiently(|| messenger.delete_webhook()).await
}

/// What is wrong with the delivery: Telegram's last error, where updates wait that it has not delivered since.
pub fn trouble(webhook: &Webhook) -> Option<String> {
    let (at, words) = webhook.last_error.as_ref().filter(|_| webhook.waiting > 0)?;
    Some(format!(
        "Telegram can't deliver to the webhook: «{words}» ({at}); {} updates wait. Is the public address right, and does it lead to the bridge?",
        webhook.waiting
    ))
}

async fn patiently<F: Future<Output = Result<String, Failure>>>(change: impl Fn() -> F) -> Result<String, Failure> {
    match change().await {
        Err(failure) if failure.class == Class::RateLimited => match failure.retry_after.filter(|pause| *pause <= SHORT) {
            Some(pause) => {
                tokio::time::sleep(pause).await;
                change().await
            }
            None => Err(failure),
        },
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ChannelId, TelegramBotId};

    fn channel(token: &str, webhook_url: &str) -> Channel {
        Channel {
            id: ChannelId(7),
            telegram_bot: TelegramBotId(1),
            token: SecretString::from(token),
            send_operator_name: false,
            join_message: true,
            end_message: true,
            webhook_url: Some(webhook_url.to_owned()),
        }
    }

    #[test]
    fn the_address_may_have_a_path() {
        for (base, url) in [
            ("https://x.example", "https://x.example/telegram/7"),
            ("https://x.example/", "https://x.example/telegram/7"),
            ("https://x.example/bots", "https://x.example/bots/telegram/7"),
            ("https://x.example:8443/a/b/", "https://x.example:8443/a/b/telegram/7"),
        ] {
            assert_eq!(hook_url(&channel("1:A", base)).as_deref(), Some(url));
        }
        assert!(Hook::of(&Channel { webhook_url: None, ..channel("1:A", "") }, "s").is_none());
    }

    /// SET-4: stable over restarts, another for each token and store, and of the letters that Telegram takes.
    #[test]
    fn the_secret_is_of_token_and_store() {
        let one = channel("1:A", "https://x.example");
        let first = secret(&one, "store");
        assert!(is_secret(&one, "store", first.expose_secret()));
        for (token, store) in [("1:A", "other"), ("1:B", "store")] {
            assert!(!is_secret(&channel(token, "https://x.example"), store, first.expose_secret()));
        }
        assert!(!is_secret(&one, "store", "") && !is_secret(&one, "store", &first.expose_secret()[..63]));
        assert_eq!(first.expose_secret().len(), 64);
        assert!(first.expose_secret().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
