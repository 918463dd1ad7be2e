//! Telegram's HTML parse mode, read strictly and with Telegram's texts for mistakes.

use super::entities::{self, Entity};
use super::text::{self, Formatted};

/// Parses HTML. When strict, a bare `&` or `>` and an unknown character entity are mistakes; Telegram shows them as they are.
pub(crate) fn parse(input: &str, strict: bool) -> Result<Formatted, String> {
    let mut parser = Parser { input, at: 0, strict, units: 0, done: Formatted::default(), open: Vec::new() };
    while let Some(c) = parser.peek() {
        match c {
            '<' if parser.rest().starts_with("</") => parser.end_tag()?,
            '<' => parser.start_tag()?,
            _ => parser.character()?,
        }
    }
    match parser.open.pop() {
        Some(tag) => Err(format!("Can't find end tag corresponding to start tag \"{}\"", tag.name)),
        None => {
            entities::sort(&mut parser.done.entities);
            Ok(parser.done)
        }
    }
}

struct Parser<'a> {
    input: &'a str,
    at: usize,
    strict: bool,
    /// The length of the text so far in UTF-16 units.
    units: usize,
    done: Formatted,
    open: Vec<Tag>,
}

/// A start tag that waits for its end.
struct Tag {
    name: String,
    from: usize,
    attributes: Vec<(String, String)>,
    /// Inside code there is no further formatting.
    in_code: bool,
    /// A `code` that fills this `pre`: where it ended, and its language.
    language: Option<(usize, String)>,
}

impl Tag {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.input[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, c: char) {
        self.done.text.push(c);
        self.units += c.len_utf16();
    }

    fn character(&mut self) -> Result<(), String> {
        let at = self.at;
        let Some(c) = self.peek() else { return Ok(()) };
        let (decoded, length) = match c {
            '&' => match entity(self.rest()) {
                Some(found) => found,
                None if self.strict => {
                    return Err(format!("Unsupported character entity at byte offset {at}"));
                }
                None => ('&', 1),
            },
            '>' if self.strict => return Err(format!("Unescaped \">\" at byte offset {at}")),
            _ => (c, c.len_utf8()),
        };
        self.at += length;
        self.push(decoded);
        Ok(())
    }

    fn start_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        self.at += 1;
        let name = self.word(|c| !c.is_whitespace() && c != '>').to_ascii_lowercase();
        if kind(&name).is_none() {
            return Err(format!("Unsupported start tag \"{name}\" at byte offset {begin}"));
        }
        let attributes = self.attributes(&name, begin)?;
        let in_code = self.open.iter().any(|tag| matches!(tag.name.as_str(), "code" | "pre"));
        let tag = Tag { name, from: self.units, attributes, in_code, language: None };
        if tag.name == "span" && tag.attribute("class") != Some("tg-spoiler") {
            return Err(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {begin}"));
        }
        self.open.push(tag);
        Ok(())
    }

    fn attributes(&mut self, tag: &str, begin: usize) -> Result<Vec<(String, String)>, String> {
        let mut attributes = Vec::new();
        loop {
            self.word(char::is_whitespace);
            match self.peek() {
                None => {
                    return Err(format!("Unclosed start tag \"{tag}\" at byte offset {begin}"));
                }
                Some('>') => {
                    self.at += 1;
                    return Ok(attributes);
                }
                Some(_) => attributes.push(self.attribute(tag, begin)?),
            }
        }
    }

    fn attribute(&mut self, tag: &str, begin: usize) -> Result<(String, String), String> {
        let name = self.word(|c| !c.is_whitespace() && c != '=' && c != '>').to_ascii_lowercase();
        if name.is_empty() {
            return Err(format!("Empty attribute name in the tag \"{tag}\" at byte offset {begin}"));
        }
        self.word(char::is_whitespace);
        if self.peek() != Some('=') {
            // Only such as `expandable` stand alone.
            return Ok((name, String::new()));
        }
        self.at += 1;
        self.word(char::is_whitespace);
        let value = match self.peek() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote, tag, begin)?,
            _ => self.word(|c| !c.is_whitespace() && c != '>').to_owned(),
        };
        Ok((name, decoded(&value)))
    }

    fn quoted(&mut self, quote: char, tag: &str, begin: usize) -> Result<String, String> {
        self.at += 1;
        let value = self.word(|c| c != quote).to_owned();
        if self.peek() != Some(quote) {
            return Err(format!("Unclosed start tag \"{tag}\" at byte offset {begin}"));
        }
        self.at += 1;
        Ok(value)
    }

    /// Takes the longest run of fitting characters.
    fn word(&mut self, fits: impl Fn(char) -> bool) -> &str {
        let rest = &self.input[self.at..];
        let length = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn end_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        self.at += 2;
        let name = self.word(|c| !c.is_whitespace() && c != '>').to_ascii_lowercase();
        self.word(char::is_whitespace);
        let closed = self.peek() == Some('>');
        let Some(tag) = self.open.pop() else {
            return Err(format!("Unexpected end tag at byte offset {begin}"));
        };
        if tag.name != name {
            let expected = tag.name;
            return Err(format!("Unmatched end tag at byte offset {begin}, expected \"</{expected}>\", found \"</{name}>\""));
        }
        if !closed {
            return Err(format!("Unclosed end tag at byte offset {begin}"));
        }
        self.at += 1;
        self.finish(&tag);
        Ok(())
    }

    fn finish(&mut self, tag: &Tag) {
        let end = self.units;
        if tag.in_code {
            if let Some(pre) = self.open.last_mut().filter(|pre| pre.name == "pre" && pre.from == tag.from) {
                let language = tag.attribute("class").and_then(|class| class.strip_prefix("language-"));
                pre.language = language.map(|language| (end, language.to_owned()));
            }
        } else if end > tag.from
            && let Some(entity) = made(tag, end, &self.done.text)
        {
            self.done.entities.push(entity);
        }
    }
}

/// The entity type of a tag.
fn kind(name: &str) -> Option<&'static str> {
    Some(match name {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "u" | "ins" => "underline",
        "s" | "strike" | "del" => "strikethrough",
        "span" | "tg-spoiler" => "spoiler",
        "a" => "text_link",
        "code" => "code",
        "pre" => "pre",
        "blockquote" => "blockquote",
        "tg-emoji" => "custom_emoji",
        "tg-time" => "date_time",
        _ => return None,
    })
}

fn made(tag: &Tag, end: usize, text: &str) -> Option<Entity> {
    let entity = Entity::new(kind(&tag.name)?, tag.from, end - tag.from);
    Some(match (entity.kind.as_str(), &tag.language) {
        ("text_link", _) => {
            let inner = || String::from_utf16_lossy(&text.encode_utf16().skip(tag.from).collect::<Vec<_>>());
            let target = tag.attribute("href").filter(|href| !href.is_empty()).map_or_else(inner, str::to_owned);
            entity.with("url", text::link(&target)?.as_str())
        }
        ("pre", Some((at, language))) if *at == end => entity.with("language", language.as_str()),
        ("blockquote", _) if tag.attribute("expandable").is_some() => Entity::new("expandable_blockquote", entity.offset, entity.length),
        ("custom_emoji", _) => entity.with("custom_emoji_id", tag.attribute("emoji-id")?),
        ("date_time", _) => {
            let entity = entity.with("unix_time", tag.attribute("unix")?.parse::<i64>().ok()?);
            match tag.attribute("format") {
                Some(format) => entity.with("date_time_format", format),
                None => entity,
            }
        }
        _ => entity,
    })
}

/// A character entity at the start: the character and the length of its name.
fn entity(text: &str) -> Option<(char, usize)> {
    for (name, c) in [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"')] {
        if text.starts_with(name) {
            return Some((c, name.len()));
        }
    }
    let end = text.find(';')?;
    let number = text[..end].strip_prefix("&#")?;
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code).filter(|c| *c != '\0').map(|c| (c, end + 1))
}

fn decoded(text: &str) -> String {
    let (mut done, mut rest) = (String::new(), text);
    while let Some(c) = rest.chars().next() {
        let (decoded, length) = if c == '&' { entity(rest) } else { None }.unwrap_or((c, c.len_utf8()));
        done.push(decoded);
        rest = &rest[length..];
    }
    done
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "html_tests.rs"]
mod tests;
