//! `setMyCommands`, `getMyCommands` and `deleteMyCommands`.

use serde_json::{Value, json};

use super::super::answer::{Failure, Outcome, Success};
use super::super::params::{self, Kind, Spec};
use super::Turn;

pub(super) const SET: Spec = &[("commands", Kind::Array), ("scope", Kind::Object), ("language_code", Kind::Text)];
pub(super) const SCOPE: Spec = &[("scope", Kind::Object), ("language_code", Kind::Text)];

const COMMAND: Spec = &[("command", Kind::Text), ("description", Kind::Text), ("is_ephemeral", Kind::Boolean)];

/// Scopes and the ids each needs.
const SCOPES: [(&str, &[&str]); 7] = [
    ("default", &[]),
    ("all_private_chats", &[]),
    ("all_group_chats", &[]),
    ("all_chat_administrators", &[]),
    ("chat", &["chat_id"]),
    ("chat_administrators", &["chat_id"]),
    ("chat_member", &["chat_id", "user_id"]),
];

pub(super) fn set(turn: &mut Turn<'_>) -> Outcome {
    let key = key(turn)?;
    let given = turn.params.get("commands").and_then(Value::as_array);
    let given = given.ok_or_else(|| Failure::bad("parameter \"commands\" is required"))?;
    if given.len() > 100 {
        return Err(Failure::bad("BOT_COMMANDS_TOO_MUCH"));
    }
    let commands = given.iter().map(command).collect::<Result<Vec<_>, _>>()?;
    turn.bot().commands.insert(key, commands.into());
    turn.world.changed();
    Ok(Success::done())
}

pub(super) fn get(turn: &mut Turn<'_>) -> Outcome {
    let key = key(turn)?;
    Ok(Success::of(turn.bot().commands.get(&key).unwrap_or(&json!([]))))
}

pub(super) fn delete(turn: &mut Turn<'_>) -> Outcome {
    let key = key(turn)?;
    turn.bot().commands.remove(&key);
    turn.world.changed();
    Ok(Success::done())
}

fn command(given: &Value) -> Result<Value, Failure> {
    let map = params::object(given, COMMAND, "BotCommand").map_err(Failure::bad)?;
    let text = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = text("command").trim_start_matches('/');
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !(1..=32).contains(&name.len()) || !name.chars().all(known) {
        return Err(Failure::bad("BOT_COMMAND_INVALID"));
    }
    if !(1..=256).contains(&text("description").chars().count()) {
        return Err(Failure::bad("BOT_COMMAND_DESCRIPTION_INVALID"));
    }
    let mut command = map.clone();
    command.insert("command".to_owned(), name.into());
    Ok(command.into())
}

/// Commands are kept by scope and language.
fn key(turn: &Turn<'_>) -> Result<(String, String), Failure> {
    let language = turn.params.text("language_code").unwrap_or_default();
    if !language.is_empty() && (language.len() != 2 || !language.chars().all(|c| c.is_ascii_lowercase())) {
        return Err(Failure::bad("invalid language code specified"));
    }
    let scope = turn.params.get("scope").cloned().unwrap_or_else(|| json!({"type": "default"}));
    let kind = scope.get("type").and_then(Value::as_str).unwrap_or_default();
    let wrong = || Failure::bad("can't parse BotCommandScope: unsupported type or missing id specified");
    let (_, ids) = SCOPES.iter().find(|(known, _)| *known == kind).ok_or_else(wrong)?;
    let fields = scope.as_object().map_or(0, serde_json::Map::len);
    if fields != ids.len() + 1 || ids.iter().any(|id| scope.get(id).is_none()) {
        return Err(wrong());
    }
    Ok((scope.to_string(), language.to_owned()))
}
