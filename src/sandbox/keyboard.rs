//! Reply markup of every kind, checked against Telegram's limits.

use serde_json::{Map, Value, json};

use super::answer::Failure;
use super::params::{self, Kind, Spec};
use super::text;

const INLINE: Spec = &[("inline_keyboard", Kind::Array), ("force_reply", Kind::Boolean)];
const REPLY: Spec = &[
    ("keyboard", Kind::Array),
    ("is_persistent", Kind::Boolean),
    ("resize_keyboard", Kind::Boolean),
    ("one_time_keyboard", Kind::Boolean),
    ("input_field_placeholder", Kind::Text),
    ("selective", Kind::Boolean),
    ("force_reply", Kind::Boolean),
];
const REMOVE: Spec = &[("remove_keyboard", Kind::Boolean), ("selective", Kind::Boolean)];
const FORCE: Spec = &[("force_reply", Kind::Boolean), ("input_field_placeholder", Kind::Text), ("selective", Kind::Boolean)];
const INLINE_BUTTON: Spec = &[
    ("text", Kind::Text),
    ("icon_custom_emoji_id", Kind::Text),
    ("style", Kind::Text),
    ("url", Kind::Text),
    ("callback_data", Kind::Text),
    ("web_app", Kind::Object),
    ("login_url", Kind::Object),
    ("switch_inline_query", Kind::Text),
    ("switch_inline_query_current_chat", Kind::Text),
    ("switch_inline_query_chosen_chat", Kind::Object),
    ("copy_text", Kind::Object),
    ("callback_game", Kind::Unsupported),
    ("pay", Kind::Unsupported),
    ("disabled", Kind::Object),
];
const REPLY_BUTTON: Spec = &[
    ("text", Kind::Text),
    ("icon_custom_emoji_id", Kind::Text),
    ("style", Kind::Text),
    ("request_users", Kind::Object),
    ("request_chat", Kind::Object),
    ("request_managed_bot", Kind::Unsupported),
    ("request_contact", Kind::Boolean),
    ("request_location", Kind::Boolean),
    ("request_poll", Kind::Object),
    ("web_app", Kind::Object),
];
/// The fields of a button that are its looks, not what it does.
const LOOKS: [&str; 3] = ["text", "icon_custom_emoji_id", "style"];

/// Checked reply markup.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Markup {
    Inline(Value),
    /// A keyboard below the input, with all its settings.
    Reply(Value),
    Remove,
    /// The bot asks for a reply; with a placeholder for the input.
    ForceReply(String),
}

/// Reads the `reply_markup` of a request; `None` when there is nothing in it.
pub(crate) fn read(given: Option<&Value>) -> Result<Option<Markup>, Failure> {
    let Some(given) = given.filter(|value| value.as_object().is_none_or(|map| !map.is_empty())) else {
        return Ok(None);
    };
    let has = |key: &str| given.get(key).is_some();
    if has("inline_keyboard") {
        inline(given)
    } else if has("keyboard") {
        reply(given)
    } else if has("remove_keyboard") {
        checked(given, REMOVE, "ReplyKeyboardRemove")?;
        Ok(Some(Markup::Remove))
    } else {
        let map = checked(given, FORCE, "reply_markup")?;
        Ok(Some(Markup::ForceReply(placeholder(map)?.to_owned())))
    }
}

/// Reads markup where only an inline keyboard may stand.
pub(crate) fn read_inline(given: Option<&Value>) -> Result<Option<Value>, Failure> {
    match read(given)? {
        None => Ok(None),
        Some(Markup::Inline(keyboard)) => Ok(Some(keyboard)),
        Some(_) => Err(Failure::bad("inline keyboard expected")),
    }
}

fn checked<'a>(given: &'a Value, spec: Spec, what: &str) -> Result<&'a Map<String, Value>, Failure> {
    params::object(given, spec, what).map_err(|why| Failure::bad(format!("can't parse reply keyboard markup: {why}")))
}

fn inline(given: &Value) -> Result<Option<Markup>, Failure> {
    let map = checked(given, INLINE, "InlineKeyboardMarkup")?;
    let rows = rows(map.get("inline_keyboard"), 8, 100, inline_button)?;
    Ok((!rows.is_empty()).then(|| Markup::Inline(json!({"inline_keyboard": rows}))))
}

fn reply(given: &Value) -> Result<Option<Markup>, Failure> {
    let map = checked(given, REPLY, "ReplyKeyboardMarkup")?;
    placeholder(map)?;
    let mut keyboard = map.clone();
    let rows = rows(map.get("keyboard"), 12, 300, reply_button)?;
    if rows.is_empty() {
        return Ok(None);
    }
    keyboard.insert("keyboard".to_owned(), rows.into());
    Ok(Some(Markup::Reply(keyboard.into())))
}

fn placeholder(map: &Map<String, Value>) -> Result<&str, Failure> {
    let text = map.get("input_field_placeholder").and_then(Value::as_str).unwrap_or_default();
    if text.chars().count() > 64 {
        return Err(Failure::bad("input_field_placeholder must have at most 64 characters"));
    }
    Ok(text)
}

/// Checks every button; rows without any are left out.
fn rows(given: Option<&Value>, wide: usize, most: usize, button: fn(&Value) -> Result<Value, Failure>) -> Result<Vec<Value>, Failure> {
    let mut rows = Vec::new();
    let mut count = 0;
    for row in given.and_then(Value::as_array).into_iter().flatten() {
        let row = row.as_array().ok_or_else(|| Failure::bad("can't parse keyboard: a row must be an array"))?;
        let buttons = row.iter().map(button).collect::<Result<Vec<_>, _>>()?;
        count += buttons.len();
        if buttons.len() > wide {
            return Err(Failure::bad(format!("a keyboard row may have at most {wide} buttons")));
        }
        if !buttons.is_empty() {
            rows.push(Value::from(buttons));
        }
    }
    if count > most {
        return Err(Failure::bad("reply markup is too long"));
    }
    Ok(rows)
}

fn inline_button(given: &Value) -> Result<Value, Failure> {
    let map = checked(given, INLINE_BUTTON, "InlineKeyboardButton")?;
    looks(map, "inline keyboard")?;
    let actions: Vec<_> = map.iter().filter(|(key, _)| !LOOKS.contains(&key.as_str())).collect();
    match actions[..] {
        [] => Err(Failure::bad("text buttons are unallowed in the inline keyboard")),
        [(name, value)] => action(name, value).map(|()| given.clone()),
        _ => Err(Failure::bad("an inline keyboard button must do exactly one thing")),
    }
}

fn action(name: &str, value: &Value) -> Result<(), Failure> {
    let of = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    match name {
        "callback_data" => {
            let length = value.as_str().map_or(0, str::len);
            if (1..=64).contains(&length) { Ok(()) } else { Err(Failure::bad("BUTTON_DATA_INVALID")) }
        }
        "url" => link(value.as_str().unwrap_or_default(), "URL"),
        "web_app" => secure(of("url"), "Web App URL"),
        "login_url" => secure(of("url"), "login URL"),
        "copy_text" => {
            let length = of("text").chars().count();
            if (1..=256).contains(&length) { Ok(()) } else { Err(Failure::bad("BUTTON_COPY_TEXT_INVALID")) }
        }
        _ => Ok(()),
    }
}

fn link(url: &str, what: &str) -> Result<(), Failure> {
    let failure = || Failure::bad(format!("inline keyboard button {what} '{url}' is invalid: Wrong HTTP URL"));
    text::link(url).map(|_| ()).ok_or_else(failure)
}

fn secure(url: &str, what: &str) -> Result<(), Failure> {
    link(url, what)?;
    if url.starts_with("https://") {
        return Ok(());
    }
    Err(Failure::bad(format!("inline keyboard button {what} '{url}' is invalid: Only HTTPS links are allowed")))
}

fn reply_button(given: &Value) -> Result<Value, Failure> {
    if let Some(text) = given.as_str() {
        return reply_button(&json!({"text": text}));
    }
    let map = checked(given, REPLY_BUTTON, "KeyboardButton")?;
    looks(map, "keyboard")?;
    let does = |(key, value): &(&String, &Value)| !LOOKS.contains(&key.as_str()) && **value != Value::Bool(false);
    if map.iter().filter(does).count() > 1 {
        return Err(Failure::bad("a keyboard button must do at most one special thing"));
    }
    Ok(given.clone())
}

fn looks(map: &Map<String, Value>, what: &str) -> Result<(), Failure> {
    let text = map.get("text").and_then(Value::as_str).unwrap_or_default();
    if text.trim().is_empty() {
        return Err(Failure::bad(format!("{what} button text must be non-empty")));
    }
    let style = map.get("style").and_then(Value::as_str);
    if style.is_some_and(|style| !matches!(style, "danger" | "success" | "primary")) {
        return Err(Failure::bad(format!("{what} button style is invalid")));
    }
    Ok(())
}
