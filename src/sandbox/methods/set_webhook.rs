//! `setWebhook`, `deleteWebhook` and `getWebhookInfo`.

use serde_json::{Value, json};
use url::Url;

use super::super::answer::{Failure, Outcome, Success};
use super::super::params::{Kind, Params, Spec};
use super::super::webhook::Webhook;
use super::{Turn, allowed_updates};

pub(super) const SET: Spec = &[
    ("url", Kind::Text),
    ("certificate", Kind::Unsupported),
    ("ip_address", Kind::Text),
    ("max_connections", Kind::Integer),
    ("allowed_updates", Kind::Array),
    ("drop_pending_updates", Kind::Boolean),
    ("secret_token", Kind::Text),
];
pub(super) const DELETE: Spec = &[("drop_pending_updates", Kind::Boolean)];

const PORTS: [u16; 4] = [443, 80, 88, 8443];

pub(super) fn set(turn: &mut Turn<'_>) -> Outcome {
    let Some(url) = turn.params.text("url") else {
        return delete(turn);
    };
    let (url, wanted) = (checked_url(turn, url)?, allowed_updates(turn.params, turn.options.strict)?);
    let connections = turn.params.integer("max_connections").unwrap_or(40).clamp(1, 100);
    let secret = secret(turn.params)?;
    let ip = turn.params.text("ip_address").map(str::to_owned);
    drop_pending(turn);
    let bot = turn.bot();
    let allowed = wanted.clone().unwrap_or_else(|| bot.allowed.clone());
    let new = Webhook::new(url, secret, usize::try_from(connections).unwrap_or(1), ip);
    let same = bot.webhook.as_ref().is_some_and(|old| old.same(&new)) && allowed == bot.allowed;
    bot.allowed = allowed;
    if same {
        return Ok(Success::described("Webhook is already set"));
    }
    bot.webhook = Some(new);
    bot.stir();
    Ok(Success::described("Webhook was set"))
}

pub(super) fn delete(turn: &mut Turn<'_>) -> Outcome {
    drop_pending(turn);
    let bot = turn.bot();
    let had = bot.webhook.take().is_some();
    bot.stir();
    Ok(Success::described(if had { "Webhook was deleted" } else { "Webhook is already deleted" }))
}

fn drop_pending(turn: &mut Turn<'_>) {
    if turn.params.boolean("drop_pending_updates") {
        turn.bot().queue.waiting.clear();
    }
}

fn checked_url(turn: &Turn<'_>, text: &str) -> Result<Url, Failure> {
    let bad = |why: &str| Failure::bad(format!("bad webhook: {why}"));
    let url = Url::parse(text).map_err(|_| bad("invalid URL specified"))?;
    let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if turn.options.local_webhooks && url.scheme() == "http" && local {
        return Ok(url);
    }
    if url.scheme() != "https" {
        return Err(bad("An HTTPS URL must be provided for webhook"));
    }
    if !PORTS.contains(&url.port_or_known_default().unwrap_or(0)) {
        return Err(bad("Webhook can be set up only on ports 80, 88, 443 or 8443"));
    }
    Ok(url)
}

fn secret(params: &Params) -> Result<Option<String>, Failure> {
    let Some(secret) = params.text("secret_token") else {
        return Ok(None);
    };
    if secret.len() > 256 {
        return Err(Failure::bad("secret token is too long"));
    }
    if !secret.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Err(Failure::bad("secret token contains unallowed characters"));
    }
    Ok(Some(secret.to_owned()))
}

pub(super) fn info(turn: &mut Turn<'_>) -> Outcome {
    let bot = turn.bot();
    bot.queue.expire();
    let mut info = json!({
        "url": "", "has_custom_certificate": false, "pending_update_count": bot.queue.waiting.len(),
    });
    if let Some(webhook) = &bot.webhook {
        info["url"] = webhook.url.as_str().into();
        info["max_connections"] = webhook.connections.into();
        if let Some(ip) = &webhook.ip {
            info["ip_address"] = ip.as_str().into();
        }
        if let Some((date, message)) = &webhook.last_error {
            info["last_error_date"] = (*date).into();
            info["last_error_message"] = message.as_str().into();
        }
    }
    if !bot.allowed.is_empty() {
        info["allowed_updates"] = bot.allowed.iter().map(|kind| Value::from(kind.as_str())).collect();
    }
    Ok(Success::of(&info))
}
