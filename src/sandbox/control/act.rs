//! What customers do: write, press, tap, edit, block.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::bot::Bot;
use super::super::callback::Query;
use super::super::chat::Chat;
use super::super::customer::Customer;
use super::super::house::House;
use super::super::message::{self, From, Message, now, now_us};
use super::super::text::Formatted;
use super::super::update;
use super::super::world::World;
use super::{Answer, BotName, Refused};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Say {
    bot: BotName,
    user: i64,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tap {
    bot: BotName,
    user: i64,
    message_id: i64,
    data: Option<String>,
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    bot: BotName,
    user: i64,
    message_id: i64,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    bot: BotName,
    user: i64,
    blocked: bool,
}

/// A bot and a customer that are there.
fn pair<'a>(world: &'a mut World, bot: &BotName, user: i64) -> Result<(&'a mut Bot, &'a Customer), Refused> {
    let World { bots, customers, .. } = world;
    let bot = bots.values_mut().find(|one| one.is_called(&bot.0)).ok_or_else(|| Refused::unknown("bot"))?;
    let customer = customers.get(&user).ok_or_else(|| Refused::unknown("customer"))?;
    Ok((bot, customer))
}

/// The chat, if the customer can write in it.
fn open(bot: &mut Bot, user: i64) -> Result<&mut Chat, Refused> {
    let chat = bot.chats.entry(user).or_default();
    if chat.blocked {
        return Err(Refused::impossible("the customer blocked the bot: unblock it first"));
    }
    Ok(chat)
}

pub(super) fn say(house: &House, say: Say) -> Answer {
    let mut world = house.world();
    let (bot, customer) = pair(&mut world, &say.bot, say.user)?;
    let content = Formatted::typed(&say.text).map_err(|failure| Refused::bad(failure.description))?;
    let answer = write(bot, customer, Message::new(From::User, content))?;
    world.changed();
    Ok(answer)
}

fn write(bot: &mut Bot, customer: &Customer, message: Message) -> Answer {
    let chat = open(bot, customer.id)?;
    chat.started = true;
    chat.asks_reply = None;
    let message_id = chat.add(message);
    let at_us = now_us();
    let update_id = update::message(bot, customer, "message", message_id);
    Ok(json!({"update_id": update_id, "message_id": message_id, "at_us": at_us}))
}

pub(super) fn press(house: &House, press: Say) -> Answer {
    let mut world = house.world();
    let (bot, customer) = pair(&mut world, &press.bot, press.user)?;
    let chat = open(bot, customer.id)?;
    let missing = || Refused::impossible(format!("the customer sees no button {:?}", press.text));
    let keyboard = chat.keyboard.clone().ok_or_else(missing)?;
    let button = buttons(&keyboard.markup["keyboard"]).find(|button| button["text"] == press.text.as_str());
    let message = pressed(button.ok_or_else(missing)?, customer, keyboard.message_id)?;
    if keyboard.markup["one_time_keyboard"] == true {
        chat.keyboard = None;
    }
    let answer = write(bot, customer, message)?;
    world.changed();
    Ok(answer)
}

/// What pressing a button of the reply keyboard sends.
fn pressed(button: &Value, customer: &Customer, keyboard: i64) -> Result<Message, Refused> {
    if button["request_contact"] == true {
        let contact = customer.contact().ok_or_else(|| Refused::impossible("the customer has no phone"))?;
        let mut message = Message::new(From::User, Formatted::default());
        message.extra.insert("contact".to_owned(), contact);
        // Telegram shows which message asked.
        message.reply_to = Some(keyboard);
        return Ok(message);
    }
    let special = ["request_location", "request_users", "request_chat", "request_poll", "web_app"];
    if special.iter().any(|key| !matches!(button[*key], Value::Null | Value::Bool(false))) {
        return Err(Refused::impossible("the sandbox cannot press this kind of button"));
    }
    let text = button["text"].as_str().unwrap_or_default();
    let content = Formatted::typed(text).map_err(|failure| Refused::bad(failure.description))?;
    Ok(Message::new(From::User, content))
}

fn buttons(rows: &Value) -> impl Iterator<Item = &Value> {
    rows.as_array().into_iter().flatten().filter_map(Value::as_array).flatten()
}

pub(super) fn tap(house: &House, tap: Tap) -> Answer {
    if tap.data.is_none() && tap.text.is_none() {
        return Err(Refused::bad("say which button: data or text"));
    }
    let mut world = house.world();
    let (bot, customer) = pair(&mut world, &tap.bot, tap.user)?;
    let chat = open(bot, customer.id)?;
    let message = chat.message(tap.message_id).ok_or_else(|| Refused::unknown("message"))?;
    let fits = |button: &&Value| {
        tap.data.as_ref().is_none_or(|data| button["callback_data"] == data.as_str())
            && tap.text.as_ref().is_none_or(|text| button["text"] == text.as_str())
    };
    let rows = message.inline.as_ref().map(|keyboard| &keyboard["inline_keyboard"]);
    let button = rows.and_then(|rows| buttons(rows).find(fits));
    let button = button.ok_or_else(|| Refused::impossible("the message has no such button"))?;
    let data = button["callback_data"].as_str().map(str::to_owned);
    let data = data.ok_or_else(|| Refused::impossible("this button sends nothing to the bot"))?;
    let shown = message::shown(bot, customer, message_of(bot, customer, tap.message_id)?);
    let answer = query(bot, customer, shown, &data);
    world.changed();
    Ok(answer)
}

fn message_of<'a>(bot: &'a Bot, customer: &Customer, id: i64) -> Result<&'a Message, Refused> {
    bot.chats.get(&customer.id).and_then(|chat| chat.message(id)).ok_or_else(|| Refused::unknown("message"))
}

/// Asks the bot by a callback query.
fn query(bot: &mut Bot, customer: &Customer, message: Value, data: &str) -> Value {
    // Real ids begin with the user's number; unique is all that matters.
    let id = (i128::from(customer.id) << 32 | i128::from(bot.queries.len() as u32 + 1)).to_string();
    bot.queries.insert(id.clone(), Query::new(customer.id));
    let instance = bot.id.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(customer.id).to_string();
    let at_us = now_us();
    let content = json!({
        "id": id, "from": customer.user(), "message": message, "chat_instance": instance, "data": data,
    });
    let update_id = update::push(bot, "callback_query", content);
    json!({"callback_query_id": id, "update_id": update_id, "at_us": at_us})
}

pub(super) fn edit(house: &House, edit: Edit) -> Answer {
    let mut world = house.world();
    let (bot, customer) = pair(&mut world, &edit.bot, edit.user)?;
    let content = Formatted::typed(&edit.text).map_err(|failure| Refused::bad(failure.description))?;
    let chat = open(bot, customer.id)?;
    let message = chat.message(edit.message_id).ok_or_else(|| Refused::unknown("message"))?;
    if message.from != From::User {
        return Err(Refused::impossible("customers edit only what they wrote"));
    }
    chat.change(edit.message_id, |message| {
        message.content = content;
        message.edit_date = Some(now());
    });
    let update_id = update::message(bot, customer, "edited_message", edit.message_id);
    world.changed();
    Ok(json!({"update_id": update_id, "message_id": edit.message_id}))
}

pub(super) fn block(house: &House, block: Block) -> Answer {
    let mut world = house.world();
    let (bot, customer) = pair(&mut world, &block.bot, block.user)?;
    let chat = bot.chats.entry(customer.id).or_default();
    if chat.blocked == block.blocked {
        return Ok(json!({"update_id": null}));
    }
    chat.blocked = block.blocked;
    chat.touch();
    let update_id = update::member(bot, customer, block.blocked);
    world.changed();
    Ok(json!({"update_id": update_id}))
}
