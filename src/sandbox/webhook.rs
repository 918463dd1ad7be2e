//! Delivers updates to webhooks.
//!
//! Each lane (a chat, for button presses a user) has one delivery under way; lanes run beside each other up to the
//! webhook's connections. What is not answered with 2xx stays at the head of its lane and is repeated: at once, then
//! after pauses that double, until the update is too old. An update leaves the queue only after it was taken, so nothing
//! is lost when a webhook is replaced or removed meanwhile.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use url::Url;

use super::api;
use super::bot::Bot;
use super::calls::Call;
use super::house::House;
use super::message::{now, now_us};
use super::options::Options;
use super::queue::{Entry, Lane};
use super::request;

/// A webhook as it was set, and how it fares.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub url: Url,
    secret: Option<String>,
    pub connections: usize,
    pub ip: Option<String>,
    pub last_error: Option<(i64, String)>,
    troubled: HashMap<Lane, Trouble>,
}

/// A lane whose first update was not taken.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    failures: u32,
    until: Instant,
}

/// Why an update was not taken, and when to try again if the webhook said so.
struct Refusal {
    message: String,
    retry_after: Option<Duration>,
}

impl Webhook {
    pub fn new(url: Url, secret: Option<String>, connections: usize, ip: Option<String>) -> Self {
        Self { url, secret, connections, ip, last_error: None, troubled: HashMap::new() }
    }

    /// Whether both were set alike.
    pub fn same(&self, other: &Self) -> bool {
        let settings = |one: &Self| (one.url.clone(), one.secret.clone(), one.connections, one.ip.clone());
        settings(self) == settings(other)
    }

    fn failed(&mut self, lane: Lane, refusal: &Refusal, options: &Options) {
        self.last_error = Some((now(), refusal.message.clone()));
        let failures = self.troubled.get(&lane).map_or(0, |trouble| trouble.failures);
        let pause = refusal.retry_after.unwrap_or_else(|| pause(failures, options));
        self.troubled.insert(lane, Trouble { failures: failures + 1, until: Instant::now() + pause });
    }
}

/// The pause after the given number of earlier failures: none, then doubling.
fn pause(failures: u32, options: &Options) -> Duration {
    match failures {
        0 => Duration::ZERO,
        _ => options.webhook_pause.saturating_mul(1 << (failures - 1).min(20)).min(options.webhook_pause_most),
    }
}

/// Delivers for one bot as long as the sandbox is open.
pub(crate) async fn deliver(house: Arc<House>, bot: i64) {
    let mut stirred = house.world().bots[&bot].stirred.subscribe();
    loop {
        // Before looking, so that what comes in between is not missed.
        stirred.borrow_and_update();
        let (due, next) = plan(house.world().bots.get_mut(&bot).expect("bots are never removed"));
        for (entry, webhook) in due {
            tokio::spawn(send(Arc::clone(&house), bot, entry, webhook));
        }
        let next = next.map_or_else(far, tokio::time::Instant::from_std);
        tokio::select! {
            _ = stirred.changed() => {}
            () = tokio::time::sleep_until(next) => {}
            () = house.closed() => return,
        }
    }
}

fn far() -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_secs(3600)
}

/// What to send now, and when to look again although nothing stirs.
fn plan(bot: &mut Bot) -> (Vec<(Entry, Webhook)>, Option<Instant>) {
    let Bot { webhook: Some(webhook), queue, .. } = bot else {
        return (Vec::new(), None);
    };
    queue.expire();
    let (now, mut seen, mut due, mut next) = (Instant::now(), HashSet::new(), Vec::new(), None);
    let mut free = webhook.connections.saturating_sub(queue.waiting.iter().filter(|entry| entry.in_flight).count());
    for entry in &mut queue.waiting {
        if free == 0 {
            break;
        }
        if !seen.insert(entry.lane) || entry.in_flight {
            continue;
        }
        let until = webhook.troubled.get(&entry.lane).map(|trouble| trouble.until).filter(|until| *until > now);
        if until.is_some() {
            next = next.min(until).or(until);
            continue;
        }
        free -= 1;
        entry.in_flight = true;
        due.push((entry.clone(), webhook.clone()));
    }
    (due, next)
}

async fn send(house: Arc<House>, bot: i64, entry: Entry, webhook: Webhook) {
    let outcome = post(&house, &entry, &webhook).await;
    if let Ok(Some(reply)) = &outcome {
        obey(&house, bot, reply).await;
    }
    let mut world = house.world();
    let bot = world.bots.get_mut(&bot).expect("bots are never removed");
    let current = bot.webhook.as_mut().filter(|current| current.same(&webhook));
    match outcome {
        Ok(_) => {
            bot.queue.delivered(entry.ticket);
            current.and_then(|current| current.troubled.remove(&entry.lane));
        }
        Err(refusal) => {
            bot.queue.returned(entry.ticket);
            if let Some(current) = current {
                current.failed(entry.lane, &refusal, &house.options);
            }
        }
    }
    bot.stir();
}

/// Posts an update; the answer's body, if it may be a method to execute.
async fn post(house: &House, entry: &Entry, webhook: &Webhook) -> Result<Option<Vec<(String, request::Raw)>>, Refusal> {
    let mut post = house.client.post(webhook.url.clone()).header("content-type", "application/json");
    if let Some(secret) = &webhook.secret {
        post = post.header("x-telegram-bot-api-secret-token", secret);
    }
    let response = post.body(entry.body.clone()).send().await.map_err(|error| Refusal::broken(&error))?;
    if !response.status().is_success() {
        return Err(Refusal::answered(&response));
    }
    let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let form = kind.starts_with("application/x-www-form-urlencoded");
    let body = response.bytes().await.map_err(|error| Refusal::broken(&error))?;
    if form {
        return Ok(Some(request::texts(url::form_urlencoded::parse(&body).into_owned())));
    }
    // Anything else than a JSON object is a plain acknowledgement.
    Ok(request::json_parameters(&body).ok())
}

impl Refusal {
    fn broken(error: &reqwest::Error) -> Self {
        let message = if error.is_timeout() {
            "Read timeout expired"
        } else if error.is_connect() {
            "Connection refused"
        } else {
            "Connection closed"
        };
        Self { message: message.to_owned(), retry_after: None }
    }

    fn answered(response: &reqwest::Response) -> Self {
        let seconds = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let retry_after = seconds.map(|seconds: u64| Duration::from_secs(seconds.min(3600)));
        Self { message: format!("Wrong response from the webhook: {}", response.status()), retry_after }
    }
}

/// Executes the method that a webhook answered with; the bot never learns the result.
async fn obey(house: &House, bot: i64, reply: &[(String, request::Raw)]) {
    let Some(name) = reply.iter().find(|(key, _)| key == "method").and_then(|(_, raw)| text(raw)) else {
        return;
    };
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("get") || matches!(lower.as_str(), "setwebhook" | "deletewebhook" | "close" | "logout") {
        return;
    }
    let mut call = Call::begun(&house.world().bots[&bot], &name, now_us());
    call.via_webhook = true;
    let raw = reply.iter().filter(|(key, _)| key != "method").map(|(key, raw)| (key.clone(), raw.clone())).collect();
    match api::prepare(house, &name, raw) {
        Ok((method, params)) => {
            call.method = method.name.to_owned();
            call.params = params.0.clone();
            call.user = api::user(&house.world().bots[&bot], &params);
            // The outcome is in the record of calls.
            let _ = api::execute(house, bot, method, &params, call).await;
        }
        Err(failure) => {
            call.decide(&Err(failure));
            house.world().calls.add(call, house.options.calls_kept);
        }
    }
}

fn text(raw: &request::Raw) -> Option<String> {
    match raw {
        request::Raw::Text(text) | request::Raw::Json(Value::String(text)) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let options = Options::default();
        let seconds: Vec<_> = (0..8).map(|failures| pause(failures, &options).as_secs()).collect();
        assert_eq!(seconds, [0, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pause(u32::MAX, &options).as_secs(), 60);
    }
}
