//! Reads the answers of the protocol.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::faults;
use super::node::Node;
use super::script::script_from_json;
use crate::domain::{BotId, ChannelId, EventId, Operation};
use crate::ports::{Applied, BackendEvent, Class, Configuration, EventKind, Failure};

/// An answer that is one of the port's types. Serde's own error is dropped, since it may quote a value.
pub fn plain<T: DeserializeOwned>(answer: Value, name: &str) -> Result<T, Failure> {
    serde_json::from_value(answer).map_err(|_| faults::unreadable(name))
}

/// The bots that can be read; of the others the log says which and why.
pub fn configuration(answer: &Value) -> Result<Configuration, Failure> {
    let node = Node::root(answer, "configuration");
    let bot_ids = node.field("bot_ids").items()?.iter().map(|id| id.number().map(BotId)).collect::<Result<_, _>>()?;
    let mut bots = vec![];
    for bot in node.field("bots").items()? {
        match script_from_json(bot.value()) {
            Ok(script) => bots.push((script, bot.value().clone())),
            Err(failure) => tracing::error!(%failure, "a bot can't be loaded; the version before it stays"),
        }
    }
    Ok(Configuration { bot_ids, bots })
}

/// One answer for each operation, in their order.
pub fn applied(answer: &Value, operations: &[Operation]) -> Result<Vec<Applied>, Failure> {
    let node = Node::root(answer, "apply");
    let answers = node.items()?;
    if answers.len() != operations.len() {
        return Err(faults::unreadable("apply: not one answer for each operation"));
    }
    answers.iter().zip(operations).map(|(answer, operation)| one_applied(answer, operation)).collect()
}

fn one_applied(answer: &Node, operation: &Operation) -> Result<Applied, Failure> {
    if answer.field("key").text()? != operation.key.to_string() {
        return Err(answer.field("key").unreadable());
    }
    let refused = answer.field("refused").optional(Node::text)?.map(str::to_owned);
    if refused.is_none() && answer.field("ok").value().is_null() {
        return Err(answer.field("ok").unreadable());
    }
    Ok(Applied { key: operation.key, refused })
}

/// The answer to the only question.
pub fn only_answer(answer: &Value) -> Result<Value, Failure> {
    let node = Node::root(answer, "ask");
    let answers = node.items()?;
    let [only] = answers.as_slice() else { return Err(node.unreadable()) };
    match only.field("refused").optional(Node::text)? {
        Some(sentence) => Err(Failure::new(Class::Refused, sentence)),
        None => Ok(only.field("answer").value().clone()),
    }
}

/// Events. One without an id can't be acknowledged: the whole answer is refused then, so that somebody looks at it.
pub fn events(answer: &Value) -> Result<Vec<BackendEvent>, Failure> {
    Node::root(answer, "events").items()?.iter().map(event).collect()
}

fn event(node: &Node) -> Result<BackendEvent, Failure> {
    let id = EventId(node.field("id").number()?);
    let kind = match node.field("kind").text()? {
        "configuration" => EventKind::Configuration { bots: bots(&node.field("payload").field("bots")) },
        kind => of_channel(kind, node).unwrap_or_else(|| EventKind::Unknown(kind.to_owned())),
    };
    Ok(BackendEvent { id, kind })
}

/// A button of a channel's form; none where it is something else, or names no channel.
fn of_channel(kind: &str, event: &Node) -> Option<EventKind> {
    let channel = ChannelId(event.field("payload").field("channel").number().ok()?);
    match kind {
        "channel.refresh" => Some(EventKind::Refresh { channel }),
        "channel.run" => Some(EventKind::Run { channel }),
        _ => None,
    }
}

/// That something has changed matters more than where: the hashes tell.
fn bots(node: &Node) -> Vec<BotId> {
    node.items().unwrap_or_default().iter().filter_map(|id| id.number().ok().map(BotId)).collect()
}
