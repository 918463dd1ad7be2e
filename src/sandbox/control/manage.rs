//! Bots, customers, faults and injected updates.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::bot::Bot;
use super::super::customer::Customer;
use super::super::faults::Fault;
use super::super::house::House;
use super::super::options::BotSpec;
use super::super::update;
use super::super::world::World;
use super::{Answer, BotName, Refused};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBot {
    token: String,
    username: String,
    first_name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Injected {
    bot: BotName,
    update: Option<Value>,
    raw: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Redelivered {
    bot: BotName,
    update_id: i64,
}

pub(super) fn bots(house: &House) -> Value {
    let shown = |bot: &Bot| {
        let commands = bot.commands.get(&(r#"{"type":"default"}"#.to_owned(), String::new()));
        json!({
            "id": bot.id, "username": bot.spec.username, "first_name": bot.spec.first_name,
            "webhook": bot.webhook.as_ref().map(|webhook| webhook.url.as_str()),
            "polling": bot.polling,
            "pending_update_count": bot.queue.waiting.len(),
            "commands": commands,
        })
    };
    json!({"bots": house.world().bots.values().map(shown).collect::<Vec<_>>()})
}

pub(super) fn put_bot(house: &Arc<House>, new: NewBot) -> Answer {
    let username = new.username.trim_start_matches('@').to_owned();
    let spec = BotSpec { token: new.token, username, first_name: new.first_name };
    let id = house.put_bot(spec).map_err(Refused::bad)?;
    Ok(house.world().bots[&id].user())
}

pub(super) fn customers(house: &House) -> Value {
    json!({"customers": house.world().customers.values().collect::<Vec<_>>()})
}

pub(super) fn put_customer(house: &House, customer: Customer) -> Value {
    json!(house.world().put_customer(customer))
}

pub(super) fn faults(house: &House) -> Value {
    json!({"faults": house.world().faults.list})
}

pub(super) fn put_fault(house: &House, fault: Fault) -> Answer {
    let mut world = house.world();
    if fault.bot.as_ref().is_some_and(|name| world.bot(name).is_none()) {
        return Err(Refused::unknown("bot"));
    }
    if fault.method.as_ref().is_some_and(|name| super::super::methods::find(name).is_none()) {
        return Err(Refused::unknown("method"));
    }
    Ok(json!({"id": world.faults.add(fault)}))
}

pub(super) fn clear_faults(house: &House) -> Value {
    house.world().faults.list.clear();
    json!({})
}

pub(super) fn inject(house: &House, injected: Injected) -> Answer {
    let mut world = house.world();
    let bot = find(&mut world, &injected.bot)?;
    let update_id = match (injected.update, injected.raw) {
        (Some(update), None) => update::inject(bot, update),
        (None, Some(raw)) => update::inject_raw(bot, raw),
        _ => return Err(Refused::bad("give either update or raw")),
    };
    Ok(json!({"update_id": update_id}))
}

pub(super) fn redeliver(house: &House, again: Redelivered) -> Answer {
    let mut world = house.world();
    let bot = find(&mut world, &again.bot)?;
    if !bot.queue.again(again.update_id) {
        return Err(Refused::unknown("update"));
    }
    bot.stir();
    Ok(json!({"update_id": again.update_id}))
}

fn find<'a>(world: &'a mut World, name: &BotName) -> Result<&'a mut Bot, Refused> {
    world.bots.values_mut().find(|bot| bot.is_called(&name.0)).ok_or_else(|| Refused::unknown("bot"))
}
