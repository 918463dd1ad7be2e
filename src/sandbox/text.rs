//! Text with formatting: cleaned, trimmed and measured as Telegram does.

use serde_json::Value;
use url::Url;

use super::answer::Failure;
use super::entities::{self, Entity};
use super::html;
use super::params::Params;

/// A message's text may have that many UTF-16 units after parsing.
const TEXT_MOST: usize = 4096;

/// Text and its formatting.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Formatted {
    pub text: String,
    pub entities: Vec<Entity>,
}

impl Formatted {
    /// What a person typed.
    pub fn typed(text: &str) -> Result<Self, Failure> {
        Self { text: cleaned(text), entities: Vec::new() }.finished()
    }

    /// What a bot sends: `text` with `parse_mode` or `entities`.
    pub fn sent(params: &Params, strict: bool) -> Result<Self, Failure> {
        let text = params.text("text").ok_or_else(|| Failure::bad("message text is empty"))?;
        let mode = params.text("parse_mode").unwrap_or("").to_ascii_lowercase();
        let formatted = match mode.as_str() {
            "html" => html::parse(&cleaned(text), strict).map_err(|why| Failure::bad(format!("can't parse entities: {why}")))?,
            "" | "none" => Self::with_entities(text, params.get("entities"))?,
            "markdown" | "markdownv2" => {
                return Err(Failure::bad("the sandbox understands only parse_mode HTML"));
            }
            _ => return Err(Failure::bad("unsupported parse_mode")),
        };
        formatted.finished()
    }

    fn with_entities(text: &str, given: Option<&Value>) -> Result<Self, Failure> {
        let Some(given) = given else {
            return Ok(Self { text: cleaned(text), entities: Vec::new() });
        };
        let entities = entities::read(given, text).map_err(|why| Failure::bad(format!("can't parse MessageEntity: {why}")))?;
        Ok(Self { text: text.to_owned(), entities })
    }

    fn finished(self) -> Result<Self, Failure> {
        let mut finished = self.trimmed();
        if finished.text.chars().all(invisible) {
            return Err(Failure::bad("message text is empty"));
        }
        if units(&finished.text) > TEXT_MOST {
            return Err(Failure::bad("message is too long"));
        }
        finished.entities.extend(entities::commands(&finished));
        entities::sort(&mut finished.entities);
        Ok(finished)
    }

    /// Telegram cuts blank space at both ends, at the start only up to the first entity.
    fn trimmed(mut self) -> Self {
        let blank = |c: char| c == ' ' || c == '\n';
        self.text.truncate(self.text.trim_end_matches(char::is_whitespace).len());
        let first = self.entities.iter().map(|entity| entity.offset).min().unwrap_or(usize::MAX);
        let lead = self.text.chars().take(first).take_while(|c| blank(*c)).count();
        self.text.drain(..lead);
        let length = units(&self.text);
        for entity in &mut self.entities {
            entity.offset = entity.offset.saturating_sub(lead);
            entity.length = entity.length.min(length.saturating_sub(entity.offset));
        }
        self.entities.retain(|entity| entity.length > 0);
        self
    }

    pub fn entities_json(&self) -> Value {
        self.entities.iter().map(Entity::json).collect()
    }
}

/// The length in UTF-16 units, Telegram's measure.
pub(crate) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Control characters become spaces, carriage returns go.
fn cleaned(text: &str) -> String {
    let space = |c: char| {
        if c.is_ascii_control() && c != '\n' && c != '\t' { ' ' } else { c }
    };
    text.chars().filter(|c| *c != '\r').map(space).collect()
}

/// Characters of which alone no message can be made.
fn invisible(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A link as Telegram takes it: a scheme it knows and a host with a dot. Without a scheme it is `http`.
pub(crate) fn link(text: &str) -> Option<Url> {
    let url = Url::parse(text).or_else(|_| Url::parse(&format!("http://{text}"))).ok()?;
    match url.scheme() {
        "http" | "https" => url.host_str().filter(|host| host.contains('.') || host.contains(':')).is_some(),
        "tg" | "ton" | "tonsite" | "mailto" | "tel" => true,
        _ => false,
    }
    .then_some(url)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn blank_space_is_cut_and_entities_move_with_the_text() {
        let entity = Entity::new("bold", 3, 5);
        let text = Formatted { text: " \n a b\n\n ".to_owned(), entities: vec![entity] }.trimmed();
        assert_eq!(text.text, "a b");
        assert_eq!((text.entities[0].offset, text.entities[0].length), (0, 3));
    }

    #[test]
    fn text_that_shows_nothing_is_empty() {
        assert!(Formatted::typed(" \u{200b}\n").unwrap_err().description.ends_with("message text is empty"));
    }

    #[test]
    fn the_limit_counts_utf16_units() {
        assert!(Formatted::typed(&"я".repeat(4096)).is_ok());
        assert!(Formatted::typed(&"😀".repeat(2048)).is_ok());
        assert!(Formatted::typed(&"😀".repeat(2049)).is_err());
    }

    #[test]
    fn a_link_needs_a_host_with_a_dot() {
        assert_eq!(link("example.com/a").unwrap().as_str(), "http://example.com/a");
        assert!(link("http://localhost:8069/").is_none());
        assert!(link("javascript:alert(1)").is_none());
    }
}
