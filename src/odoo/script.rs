//! Reads a bot of the protocol's `configuration`.

use std::collections::HashMap;

use secrecy::SecretString;
use serde_json::Value;

use super::node::Node;
use crate::domain::{BotId, Button, ButtonId, Channel, ChannelId, Script, Step, StepId, StepKind, Target, TelegramBotId, Texts, ToOperator, script};
use crate::ports::Failure;

/// The bot that this JSON describes. What can't be read is a `Malformed` that names bot and field. A channel whose token is missing or can't be one is
/// left out with a warning: the others work.
pub fn script_from_json(json: &Value) -> Result<Script, Failure> {
    let bot = BotId(Node::root(json, "a bot").field("id").number()?);
    let node = Node::root(json, format!("bot {bot}"));
    let steps = node.field("steps").items()?.iter().map(step).collect::<Result<Vec<_>, _>>()?;
    Ok(Script {
        bot,
        hash: node.field("hash").text()?.to_owned(),
        name: node.field("name").text()?.to_owned(),
        client: is_client(&node.field("kind"))?,
        language: node.field("language").text()?.to_owned(),
        wait_for_start: node.field("wait_for_start").flag()?,
        odoo_operators_only: node.field("odoo_operators_only").flag()?,
        texts: texts(&node.field("texts"))?,
        channels: channels(&node, bot)?,
        first: steps.iter().find(|read| read.first).map(|read| read.step.id),
        aliases: aliases(&steps),
        inline: steps.iter().flat_map(|read| read.step.buttons.iter().flatten()).map(|button| (button.id, button.target.clone())).collect(),
        steps: steps.into_iter().map(|read| (read.step.id, read.step)).collect(),
    })
}

fn texts(node: &Node) -> Result<Texts, Failure> {
    Ok(Texts {
        not_started: node.field("not_started").localized()?,
        operator_connected: node.field("operator_connected").localized()?,
        no_operator: node.field("no_operator").localized()?,
        how_to_end: node.field("how_to_end").localized()?,
        moderation: node.field("moderation").localized()?,
        consultation_ended: node.field("consultation_ended").localized()?,
    })
}

/// A step, with what concerns the whole script.
struct ReadStep {
    step: Step,
    first: bool,
    aliases: Vec<String>,
}

fn step(node: &Node) -> Result<ReadStep, Failure> {
    let step = Step {
        id: StepId(node.field("id").number()?),
        kind: step_kind(&node.field("kind"))?,
        text: node.field("text").localized()?,
        next: step_id(&node.field("next"))?,
        operator: ToOperator {
            bot: node.field("operator_bot").optional(|node| node.number().map(BotId))?,
            otherwise: step_id(&node.field("no_operator_step"))?,
        },
        keyboard: rows(&node.field("keyboard"))?,
        buttons: rows(&node.field("buttons"))?,
    };
    let aliases = node.field("aliases").items()?.iter().map(|alias| alias.text().map(script::fold)).collect::<Result<_, _>>()?;
    Ok(ReadStep { step, first: node.field("first").flag()?, aliases })
}

/// Where two steps share an alias, the upper one of the form has it.
fn aliases(steps: &[ReadStep]) -> HashMap<String, StepId> {
    let mut aliases = HashMap::new();
    for read in steps {
        for alias in read.aliases.iter().filter(|alias| !alias.is_empty()) {
            aliases.entry(alias.clone()).or_insert(read.step.id);
        }
    }
    aliases
}

fn rows(node: &Node) -> Result<Vec<Vec<Button>>, Failure> {
    node.items()?.iter().map(|row| row.items()?.iter().map(button).collect()).collect()
}

fn button(node: &Node) -> Result<Button, Failure> {
    let url = node.field("url").optional(Node::text)?;
    let target = match (url, step_id(&node.field("step"))?) {
        (Some(url), _) => Target::Url(url.to_owned()),
        (None, Some(step)) => Target::Step(step),
        (None, None) => Target::Nothing,
    };
    Ok(Button { id: ButtonId(node.field("id").number()?), text: node.field("text").localized()?, target })
}

fn step_id(node: &Node) -> Result<Option<StepId>, Failure> {
    node.optional(|node| node.number().map(StepId))
}

fn step_kind(node: &Node) -> Result<StepKind, Failure> {
    match node.text()? {
        "text" => Ok(StepKind::Text),
        "buttons" => Ok(StepKind::Buttons),
        "operator" => Ok(StepKind::Operator),
        _ => Err(node.newer("a step of a kind")),
    }
}

fn is_client(node: &Node) -> Result<bool, Failure> {
    match node.text()? {
        "client" => Ok(true),
        "operator" => Ok(false),
        _ => Err(node.unreadable()),
    }
}

fn channels(bot: &Node, id: BotId) -> Result<Vec<Channel>, Failure> {
    let mut channels = vec![];
    for node in bot.field("channels").items()? {
        let channel = ChannelId(node.field("id").number()?);
        if node.field("messenger").text()? != "telegram" {
            tracing::warn!(bot.id = %id, channel.id = %channel, "a channel of a messenger that this bridge does not know is left out");
            continue;
        }
        let webhook_url = node.field("webhook_url").optional(Node::text)?.filter(|url| !url.is_empty()).map(str::to_owned);
        match node.field("token").optional(Node::text)?.and_then(telegram_bot) {
            Some((telegram_bot, token)) => channels.push(Channel {
                id: channel,
                telegram_bot,
                token,
                send_operator_name: node.field("send_operator_name").flag()?,
                join_message: node.field("join_message").flag_or(true)?,
                end_message: node.field("end_message").flag_or(true)?,
                webhook_url,
            }),
            None => tracing::warn!(bot.id = %id, channel.id = %channel, "a channel without a token, or with one that can't be one, is left out"),
        }
    }
    Ok(channels)
}

/// A token is the bot's number, a colon, and letters: `123456:AA…`.
fn telegram_bot(token: &str) -> Option<(TelegramBotId, SecretString)> {
    let token = token.trim();
    let (number, secret) = token.split_once(':')?;
    let is_secret = !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    (is_secret && is_number).then(|| Some((number.parse().ok()?, SecretString::from(token))))?
}
