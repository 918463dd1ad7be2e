//! What customers see, and what the bots called; both wait for news when asked to.

use std::str::FromStr;
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::super::calls::Wanted;
use super::super::house::House;
use super::super::request::Request;
use super::super::view;
use super::{Answer, Refused};

/// No wait is longer.
const WAIT_MOST: f64 = 60.0;

/// A query parameter that must be readable if it is there.
pub(super) fn parameter<T: FromStr>(request: &Request, name: &str) -> Result<Option<T>, Refused> {
    let Some(text) = request.query(name) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| Refused::bad(format!("{name}={text} is not understood")))
}

fn required<T: FromStr>(request: &Request, name: &str) -> Result<T, Refused> {
    parameter(request, name)?.ok_or_else(|| Refused::bad(format!("{name} is missing")))
}

fn deadline(request: &Request) -> Result<Instant, Refused> {
    let seconds = parameter(request, "wait")?.unwrap_or(0.0_f64);
    let wait = Duration::try_from_secs_f64(seconds.min(WAIT_MOST));
    Ok(Instant::now() + wait.map_err(|_| Refused::bad("wait must be a number of seconds"))?)
}

pub(super) async fn chat(house: &House, request: &Request) -> Answer {
    let (name, user): (String, i64) = (required(request, "bot")?, required(request, "user")?);
    let (after, deadline) = (parameter(request, "after")?.unwrap_or(0), deadline(request)?);
    let mut seq = {
        let mut world = house.world();
        if !world.customers.contains_key(&user) {
            return Err(Refused::unknown("customer"));
        }
        let id = world.bot(&name).ok_or_else(|| Refused::unknown("bot"))?.id;
        let bot = world.bots.get_mut(&id).expect("just found");
        bot.chats.entry(user).or_default().seq.subscribe()
    };
    newer(house, &mut seq, after, deadline).await;
    let world = house.world();
    let bot = world.bot(&name).ok_or_else(|| Refused::unknown("bot"))?;
    Ok(view::chat(bot, user, after))
}

pub(super) async fn calls(house: &House, request: &Request) -> Answer {
    let name = parameter::<String>(request, "bot")?;
    let bot = match &name {
        None => None,
        Some(name) => {
            let world = house.world();
            Some(world.bot(name).ok_or_else(|| Refused::unknown("bot"))?.spec.username.clone())
        }
    };
    let (method, user) = (parameter(request, "method")?, parameter(request, "user")?);
    let wanted = Wanted { after: parameter(request, "after")?.unwrap_or(0), bot, method, user };
    let deadline = deadline(request)?;
    let mut last = house.world().calls.last.subscribe();
    loop {
        let seen = *last.borrow_and_update();
        {
            let world = house.world();
            let found = world.calls.find(&wanted);
            if !found.is_empty() || Instant::now() >= deadline || *house.closing.borrow() {
                return Ok(json!({"seq": *world.calls.last.borrow(), "calls": found}));
            }
        }
        newer(house, &mut last, seen, deadline).await;
    }
}

/// Waits until a count is above `after`, the time is over or the sandbox closes.
async fn newer(house: &House, count: &mut watch::Receiver<u64>, after: u64, deadline: Instant) {
    tokio::select! {
        _ = timeout_at(deadline, count.wait_for(|count| *count > after)) => {}
        () = house.closed() => {}
    }
}
