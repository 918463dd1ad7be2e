//! `getUpdates`: hands out what waits, or waits for it.

use std::time::{Duration, Instant};

use super::answer::{Failure, Outcome, Success};
use super::bot::Bot;
use super::house::House;
use super::methods::allowed_updates;
use super::params::Params;

/// The longest a poll may last, whatever the bot asks for.
const LONGEST: i64 = 50;

const TERMINATED: &str = "terminated by other getUpdates request; make sure that only one bot instance is running";
const WEBHOOK: &str = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";

/// Answers one poll.
pub(crate) async fn get_updates(house: &House, bot: i64, params: &Params) -> Outcome {
    let allowed = allowed_updates(params, house.options.strict)?;
    let (mut stirred, mine, limit, patience) = {
        let mut world = house.world();
        let bot = world.bots.get_mut(&bot).ok_or_else(Failure::unauthorized)?;
        let (limit, patience) = begin(bot, params, allowed, house.options.brake)?;
        // An earlier poll of the same bot ends now.
        bot.stir();
        (bot.stirred.subscribe(), bot.polls, limit, patience)
    };
    let _polling = Polling::begin(house, bot);
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        // Before looking, so that what comes in between is not missed.
        stirred.borrow_and_update();
        let over = tokio::time::Instant::now() >= deadline || *house.closing.borrow();
        if let Some(outcome) = look(house, bot, mine, limit, over) {
            return outcome;
        }
        tokio::select! {
            _ = stirred.changed() => {}
            () = tokio::time::sleep_until(deadline) => {}
            () = house.closed() => {}
        }
    }
}

/// Confirms, and says how many updates to hand out and how long to wait for them.
fn begin(bot: &mut Bot, params: &Params, allowed: Option<Vec<String>>, brake: bool) -> Result<(usize, Duration), Failure> {
    if bot.webhook.is_some() {
        return Err(Failure::conflict(WEBHOOK));
    }
    if let Some(allowed) = allowed {
        bot.allowed = allowed;
    }
    let offset = params.integer("offset").unwrap_or(0);
    let mut limit = params.integer("limit").unwrap_or(100).clamp(1, 100);
    let mut timeout = params.integer("timeout").unwrap_or(0).clamp(0, LONGEST);
    if let Some((last, since)) = bot.last_poll.filter(|(last, _)| brake && *last == offset) {
        let pause = since.elapsed();
        tracing::trace!(offset = last, ?pause, "the same offset again");
        if pause < Duration::from_millis(500) {
            limit = 1;
        }
        if pause < Duration::from_secs(3) {
            timeout = timeout.max(3);
        }
    }
    bot.last_poll = Some((offset, Instant::now()));
    bot.queue.confirm(offset);
    bot.polls += 1;
    Ok((usize::try_from(limit).unwrap_or(100), Duration::from_secs(timeout.unsigned_abs())))
}

/// What a poll answers now, if it must not wait any longer.
fn look(house: &House, bot: i64, mine: u64, limit: usize, over: bool) -> Option<Outcome> {
    let mut world = house.world();
    let bot = world.bots.get_mut(&bot)?;
    if bot.polls != mine {
        return Some(Err(Failure::conflict(TERMINATED)));
    }
    if bot.webhook.is_some() {
        return Some(Err(Failure::conflict("terminated by setWebhook request")));
    }
    let updates = bot.queue.hand_out(limit);
    if updates.is_empty() && !over {
        return None;
    }
    Some(Ok(Success { result: format!("[{}]", updates.join(",")), description: None }))
}

/// Counts a poll as open until it ends, also when the client goes away.
struct Polling<'a> {
    house: &'a House,
    bot: i64,
}

impl<'a> Polling<'a> {
    fn begin(house: &'a House, bot: i64) -> Self {
        let polling = Self { house, bot };
        polling.count(|open| *open += 1);
        polling
    }

    fn count(&self, change: impl FnOnce(&mut usize)) {
        if let Some(bot) = self.house.world().bots.get_mut(&self.bot) {
            change(&mut bot.polling);
        }
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.count(|open| *open -= 1);
    }
}
