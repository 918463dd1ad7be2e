//! The Bot API methods: one description and one function each.

mod answer_callback;
mod commands;
mod edit;
mod me;
mod send;
mod set_webhook;

use super::answer::{Failure, Outcome};
use super::bot::Bot;
use super::chat::Chat;
use super::customer::Customer;
use super::options::Options;
use super::params::{Kind, Params, Spec};
use super::world::World;

/// A method as the dispatcher sees it.
pub(crate) struct Method {
    /// The name as Telegram writes it; requests may write it in any case.
    pub name: &'static str,
    pub params: Spec,
    pub run: fn(&mut Turn<'_>) -> Outcome,
}

/// One call while the world is locked for it.
pub(crate) struct Turn<'a> {
    pub world: &'a mut World,
    pub options: &'a Options,
    pub bot: i64,
    pub params: &'a Params,
}

/// All methods; `getUpdates` waits and so has a run of its own in [`super::poll`].
const METHODS: &[Method] = &[
    Method { name: "getUpdates", params: GET_UPDATES, run: |_| Err(Failure::new(500, "getUpdates is not run here")) },
    Method { name: "getMe", params: &[], run: me::get_me },
    Method { name: "setWebhook", params: set_webhook::SET, run: set_webhook::set },
    Method { name: "deleteWebhook", params: set_webhook::DELETE, run: set_webhook::delete },
    Method { name: "getWebhookInfo", params: &[], run: set_webhook::info },
    Method { name: "sendMessage", params: send::MESSAGE, run: send::message },
    Method { name: "sendChatAction", params: send::ACTION, run: send::action },
    Method { name: "editMessageText", params: edit::TEXT, run: edit::text },
    Method { name: "editMessageReplyMarkup", params: edit::MARKUP, run: edit::markup },
    Method { name: "deleteMessage", params: edit::DELETE, run: edit::delete },
    Method { name: "answerCallbackQuery", params: answer_callback::SPEC, run: answer_callback::answer },
    Method { name: "setMyCommands", params: commands::SET, run: commands::set },
    Method { name: "getMyCommands", params: commands::SCOPE, run: commands::get },
    Method { name: "deleteMyCommands", params: commands::SCOPE, run: commands::delete },
];

const GET_UPDATES: Spec = &[("offset", Kind::Integer), ("limit", Kind::Integer), ("timeout", Kind::Integer), ("allowed_updates", Kind::Array)];

/// Finds a method, whatever the case.
pub(crate) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name.eq_ignore_ascii_case(name))
}

/// The kinds in `allowed_updates`; `None` when it was not given, so the earlier choice stays.
pub(crate) fn allowed_updates(params: &Params, strict: bool) -> Result<Option<Vec<String>>, Failure> {
    let Some(list) = params.get("allowed_updates").and_then(|value| value.as_array()) else {
        return Ok(None);
    };
    let mut kinds = Vec::new();
    for value in list {
        let kind = value.as_str().ok_or_else(|| Failure::bad("allowed_updates must be an array of strings"))?;
        if super::update::KINDS.contains(&kind) {
            kinds.push(kind.to_owned());
        } else if strict {
            return Err(Failure::bad(format!("allowed_updates: unknown kind \"{kind}\" (Telegram would ignore it)")));
        }
    }
    Ok(Some(kinds))
}

impl Turn<'_> {
    fn bot(&mut self) -> &mut Bot {
        self.world.bots.get_mut(&self.bot).expect("bots are never removed")
    }

    /// The customer that `chat_id` means, if the bot may write to them.
    fn partner(&mut self) -> Result<Customer, Failure> {
        let id = self.params.chat()?;
        let customer = id.and_then(|id| self.world.customers.get(&id)).cloned();
        let Some(customer) = customer else {
            return Err(Failure::bad("chat not found"));
        };
        match self.bot().chats.get(&customer.id) {
            Some(chat) if chat.blocked => Err(Failure::forbidden("bot was blocked by the user")),
            Some(chat) if chat.started => Ok(customer),
            _ => Err(Failure::forbidden("bot can't initiate conversation with a user")),
        }
    }

    fn chat(&mut self, customer: &Customer) -> &mut Chat {
        self.bot().chats.entry(customer.id).or_default()
    }

    /// Counts a message or an edit against the pace of its chat.
    fn pace(&mut self, customer: &Customer) -> Result<(), Failure> {
        let Some(pace) = self.options.pace else {
            return Ok(());
        };
        self.chat(customer).allow(pace).map_err(Failure::too_many)
    }

    /// Telegram's `Message` of this chat.
    fn shown(&mut self, customer: &Customer, id: i64) -> Outcome {
        let bot = &self.world.bots[&self.bot];
        let message = bot.chats.get(&customer.id).and_then(|chat| chat.message(id));
        let message = message.ok_or_else(|| Failure::bad("message not found"))?;
        Ok(super::answer::Success::of(&super::message::shown(bot, customer, message)))
    }
}
