//! Telegram: each channel's token and webhook.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;
use url::Url;

use super::machine::Machine;
use super::report::Report;
use crate::bridge::hook_url;
use crate::cli::config::Config;
use crate::domain::Channel;
use crate::ports::{Class, Configuration, Connect, Failure, Messenger, Webhook};
use crate::telegram::Telegram;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// An error of a webhook is of interest so long, in seconds.
const RECENT: i64 = 3600;

/// Asks Telegram about each channel; where Telegram can't be reached, once.
pub async fn check(config: &Config, machine: &Machine, configuration: &Configuration, report: &mut Report<'_>) {
    let telegram = match Telegram::new(&config.telegram_url) {
        Ok(telegram) => telegram,
        Err(failure) => return report.wrong(&failure.reason, "correct CHATBRIDGE_TELEGRAM_URL"),
    };
    let bots = configuration.bots.iter().map(|(script, _)| script);
    let channels: Vec<_> = bots.flat_map(|script| script.channels.iter().map(|channel| (script.name.as_str(), channel))).collect();
    if channels.is_empty() {
        report.right("no chat in Odoo has a token yet: nothing to ask Telegram");
    }
    for (bot, channel) in channels {
        let place = format!("chat {} of the bot «{bot}»", channel.id);
        let messenger = telegram.connect(&channel.token);
        match ask(messenger.as_ref()).await {
            Ok((name, webhook)) => look(&place, &name, channel, &webhook, machine, report),
            Err(failure) if failure.class == Class::Denied => {
                report.wrong(
                    &format!("{place}: Telegram refuses the token ({failure})"),
                    "ask @BotFather for the current one (/mybots, the bot, API Token)",
                );
            }
            Err(failure) => {
                return report.wrong(
                    &failure.reason,
                    "see whether this machine reaches CHATBRIDGE_TELEGRAM_URL (https://api.telegram.org): firewall, DNS, certificates",
                );
            }
        }
    }
}

async fn ask(messenger: &dyn Messenger) -> Result<(String, Webhook), Failure> {
    let asked = async { Ok((messenger.me().await?.username.unwrap_or_default(), messenger.webhook().await?)) };
    timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(Failure::new(Class::Transient, "Telegram did not answer in time")))
}

fn look(place: &str, name: &str, channel: &Channel, webhook: &Webhook, machine: &Machine, report: &mut Report<'_>) {
    let faults = report.faults();
    let place = format!("{place} (@{name})");
    let mend = if machine.running { "press Refresh hook on the form of the chat" } else { "start the bridge: it sets that right" };
    match (hook_url(channel), &webhook.url) {
        (Some(wanted), Some(found)) if wanted == *found => {}
        (None, None) => {}
        (Some(_), None) => report.wrong(&format!("{place} has a webhook in Odoo, but none at Telegram"), mend),
        (None, Some(found)) => {
            report.wrong(&format!("{place} is to be polled, but Telegram delivers its updates to {}", origin(found)), mend);
        }
        (Some(wanted), Some(found)) => {
            report.wrong(&format!("{place} has its webhook at {wanted}, but Telegram delivers to {}", origin(found)), mend);
        }
    }
    if let Some((at, words)) = &webhook.last_error
        && webhook.url.is_some()
        && (webhook.waiting > 0 || Timestamp::now().as_second() - at.as_second() < RECENT)
    {
        report.wrong(
            &format!("{place}: Telegram could not deliver at {at}: {words}"),
            "see that the public address leads to the bridge, with a certificate that everybody trusts",
        );
    }
    if webhook.waiting > 0 && !machine.running {
        report.wrong(&format!("{place}: updates wait at Telegram: {}", webhook.waiting), "start the bridge: Telegram keeps them for a day");
    }
    if report.faults() == faults {
        report.right(&format!("{place}: the token is right, updates come by {}", if webhook.url.is_some() { "webhook" } else { "polling" }));
    }
}

/// Scheme and host: the rest of somebody's webhook may be a secret.
fn origin(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "another address".to_owned(), |url| url.origin().ascii_serialization())
}
