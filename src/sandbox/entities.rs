//! Message entities: read from a bot, found in text, written as HTML.

use serde_json::{Map, Value, json};

use super::params::{self, Kind, Spec};
use super::text::{self, Formatted, units};

const FIELDS: Spec = &[
    ("type", Kind::Text),
    ("offset", Kind::Integer),
    ("length", Kind::Integer),
    ("url", Kind::Text),
    ("user", Kind::Object),
    ("language", Kind::Text),
    ("custom_emoji_id", Kind::Text),
    ("unix_time", Kind::Integer),
    ("date_time_format", Kind::Text),
];

/// Kinds a bot may set, and the HTML tag for each.
const SET: [(&str, &str); 13] = [
    ("bold", "b"),
    ("italic", "i"),
    ("underline", "u"),
    ("strikethrough", "s"),
    ("spoiler", "tg-spoiler"),
    ("blockquote", "blockquote"),
    ("expandable_blockquote", "blockquote"),
    ("code", "code"),
    ("pre", "pre"),
    ("text_link", "a"),
    ("text_mention", "a"),
    ("custom_emoji", "tg-emoji"),
    ("date_time", "tg-time"),
];

/// Kinds Telegram finds by itself; a bot may name them, and they are ignored.
const FOUND: [&str; 8] = ["mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bank_card_number"];

/// One piece of formatting; offset and length in UTF-16 units.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entity {
    pub kind: String,
    pub offset: usize,
    pub length: usize,
    pub extra: Map<String, Value>,
}

impl Entity {
    pub fn new(kind: &str, offset: usize, length: usize) -> Self {
        Self { kind: kind.to_owned(), offset, length, extra: Map::new() }
    }

    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(key.to_owned(), value.into());
        self
    }

    /// Telegram's `MessageEntity`.
    pub fn json(&self) -> Value {
        let mut value = json!({"type": self.kind, "offset": self.offset, "length": self.length});
        for (key, extra) in &self.extra {
            value[key.as_str()] = extra.clone();
        }
        value
    }

    fn end(&self) -> usize {
        self.offset + self.length
    }

    fn opening(&self) -> Option<String> {
        let tag = self.tag()?;
        let of = |key: &str| escaped(self.extra.get(key).and_then(Value::as_str).unwrap_or_default());
        Some(match self.kind.as_str() {
            "text_link" => format!("<a href=\"{}\">", of("url")),
            "pre" if self.extra.contains_key("language") => {
                format!("<pre><code class=\"language-{}\">", of("language"))
            }
            "expandable_blockquote" => "<blockquote expandable>".to_owned(),
            "custom_emoji" => format!("<tg-emoji emoji-id=\"{}\">", of("custom_emoji_id")),
            _ => format!("<{tag}>"),
        })
    }

    fn closing(&self) -> Option<String> {
        let in_pre = if self.extra.contains_key("language") { "</code>" } else { "" };
        self.tag().map(|tag| format!("{in_pre}</{tag}>"))
    }

    fn tag(&self) -> Option<&'static str> {
        SET.iter().find(|(kind, _)| *kind == self.kind).map(|(_, tag)| *tag)
    }
}

/// The order in which Telegram shows entities: by start, the longer first.
pub(crate) fn sort(entities: &mut [Entity]) {
    entities.sort_by_key(|entity| (entity.offset, std::cmp::Reverse(entity.length)));
}

/// Reads the `entities` of a request.
pub(crate) fn read(given: &Value, text: &str) -> Result<Vec<Entity>, String> {
    let list = given.as_array().ok_or("expected an array")?;
    let read = list.iter().map(|one| read_one(one, text)).collect::<Result<Vec<_>, _>>()?;
    let mut entities: Vec<_> = read.into_iter().flatten().collect();
    sort(&mut entities);
    Ok(entities)
}

fn read_one(given: &Value, text: &str) -> Result<Option<Entity>, String> {
    let map = params::object(given, FIELDS, "entity")?;
    let kind = map.get("type").and_then(Value::as_str).ok_or("type is not specified")?;
    let number = |key: &str| map.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let (Some(offset), Some(length)) = (number("offset"), number("length")) else {
        return Err("offset and length must be numbers from 0".to_owned());
    };
    if FOUND.contains(&kind) {
        return Ok(None);
    }
    let mut entity = Entity::new(kind, offset, length);
    let tag = entity.tag().ok_or("unsupported type specified")?;
    if length == 0 || !on_boundaries(text, offset, entity.end()) {
        return Err(format!("the {kind} entity at {offset} does not lie on characters of the text"));
    }
    let mut extra = map.clone();
    extra.retain(|key, _| !matches!(key.as_str(), "type" | "offset" | "length"));
    entity.extra = extra;
    if tag == "a" && kind == "text_link" {
        let url = entity.extra.get("url").and_then(Value::as_str).and_then(text::link);
        entity.extra.insert("url".to_owned(), url.ok_or("text_link needs a valid url")?.as_str().into());
    }
    Ok(Some(entity))
}

/// Whether both ends lie in the text and between characters.
fn on_boundaries(text: &str, start: usize, end: usize) -> bool {
    let (mut at, mut found) = (0, 0);
    for length in text.chars().map(char::len_utf16).chain([0]) {
        found += usize::from(at == start) + usize::from(at == end);
        at += length;
    }
    found >= 2
}

/// Finds `/commands` outside code.
pub(crate) fn commands(formatted: &Formatted) -> Vec<Entity> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut found, mut before, mut at) = (Vec::new(), ' ', 0);
    for (index, c) in formatted.text.char_indices() {
        if c == '/' && !word(before) && !matches!(before, '/' | '<' | '>') {
            let length = command_length(&formatted.text[index + 1..]);
            if length > 0 {
                found.push(Entity::new("bot_command", at, length + 1));
            }
        }
        (before, at) = (c, at + c.len_utf16());
    }
    let code = |entity: &Entity| matches!(entity.kind.as_str(), "code" | "pre" | "text_link");
    let hidden = |one: &Entity| formatted.entities.iter().any(|other| code(other) && other.offset < one.end() && one.offset < other.end());
    found.retain(|one| !hidden(one));
    found
}

/// The length of a command after its slash, with `@bot`; 0 when there is none. Commands are ASCII: bytes are units.
fn command_length(rest: &str) -> usize {
    let run = |text: &str| text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let name = run(rest);
    let mention = rest[name..].strip_prefix('@').map_or(0, run);
    let length = if mention >= 3 { name + 1 + mention } else { name };
    let next = rest[length..].chars().next().unwrap_or(' ');
    let ends = !next.is_alphanumeric() && !matches!(next, '/' | '<' | '>' | '_');
    if (1..=64).contains(&name) && ends { length } else { 0 }
}

/// The formatted text as HTML, for tests that want to read it.
pub(crate) fn as_html(formatted: &Formatted) -> String {
    let (mut html, mut open, mut at) = (String::new(), Vec::<&Entity>::new(), 0);
    let mut coming = formatted.entities.iter().peekable();
    for c in formatted.text.chars() {
        close(&mut html, &mut open, at);
        while let Some(entity) = coming.next_if(|entity| entity.offset <= at) {
            if let Some(tag) = entity.opening() {
                html.push_str(&tag);
                open.push(entity);
            }
        }
        html.push_str(&escaped(c.encode_utf8(&mut [0; 4])));
        at += c.len_utf16();
    }
    close(&mut html, &mut open, usize::MAX);
    debug_assert_eq!(at, units(&formatted.text));
    html
}

/// Closes what ends here; what overlaps without being inside is closed and opened again.
fn close(html: &mut String, open: &mut Vec<&Entity>, at: usize) {
    let Some(first) = open.iter().position(|entity| entity.end() <= at) else {
        return;
    };
    let closing = open.split_off(first);
    for end in closing.iter().rev().filter_map(|entity| entity.closing()) {
        html.push_str(&end);
    }
    for entity in closing.into_iter().filter(|entity| entity.end() > at) {
        html.push_str(&entity.opening().unwrap_or_default());
        open.push(entity);
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, usize)> {
        let formatted = Formatted { text: text.to_owned(), entities: Vec::new() };
        commands(&formatted).into_iter().map(|entity| (entity.offset, entity.length)).collect()
    }

    #[test]
    fn commands_are_found_where_telegram_finds_them() {
        assert_eq!(found("/start abc"), [(0, 6)]);
        assert_eq!(found("😀 /a@my_bot, /b"), [(3, 9), (14, 2)]);
        assert!(found("a/b http://x.y/z /д / //c /d/e").is_empty());
    }

    #[test]
    fn overlapping_entities_become_well_formed_html() {
        let entities = vec![Entity::new("bold", 0, 2), Entity::new("italic", 1, 2)];
        let formatted = Formatted { text: "<ab".to_owned(), entities };
        assert_eq!(as_html(&formatted), "<b>&lt;<i>a</i></b><i>b</i>");
    }

    #[test]
    fn an_entity_must_not_cut_a_character() {
        let entity = |offset: u64, length: u64| json!([{"type": "bold", "offset": offset, "length": length}]);
        assert!(read(&entity(0, 2), "😀a").is_ok());
        assert!(read(&entity(1, 2), "😀a").is_err());
        assert!(read(&entity(0, 4), "😀a").is_err());
    }
}
