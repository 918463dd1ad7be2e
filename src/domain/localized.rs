//! A text in several languages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A text by Odoo language code (`en_US`, `uk_UA`). A language in which the text is empty is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Localized(pub BTreeMap<String, String>);

impl Localized {
    /// A text in one language.
    pub fn single(language: &str, text: &str) -> Self {
        Self(BTreeMap::from([(language.to_owned(), text.to_owned())]))
    }

    /// The text for a reader: in the language wanted, else in a dialect of it (`en_GB` for `en_US`), else in `fallback`, else in any.
    pub fn pick(&self, wanted: Option<&str>, fallback: &str) -> Option<&str> {
        wanted
            .and_then(|code| self.exact_or_related(code))
            .or_else(|| self.exact_or_related(fallback))
            .or_else(|| self.0.get("en_US").map(String::as_str))
            .or_else(|| self.0.values().next().map(String::as_str))
    }

    fn exact_or_related(&self, code: &str) -> Option<&str> {
        if let Some(text) = self.0.get(code) {
            return Some(text);
        }
        let wanted = primary(code);
        self.0.iter().find(|(have, _)| primary(have).eq_ignore_ascii_case(wanted)).map(|(_, text)| text.as_str())
    }
}

/// The language without its country: `uk` of `uk_UA` and of `uk-UA`.
fn primary(code: &str) -> &str {
    code.split(['_', '-', '@']).next().unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> Localized {
        Localized(BTreeMap::from([("en_US".to_owned(), "Hello".to_owned()), ("uk_UA".to_owned(), "Вітаємо".to_owned())]))
    }

    #[test]
    fn a_telegram_language_code_finds_the_odoo_language() {
        assert_eq!(text().pick(Some("uk"), "en_US"), Some("Вітаємо"));
        assert_eq!(text().pick(Some("en-GB"), "uk_UA"), Some("Hello"));
    }

    #[test]
    fn an_unknown_language_falls_back_to_the_bots() {
        assert_eq!(text().pick(Some("de"), "uk_UA"), Some("Вітаємо"));
        assert_eq!(text().pick(None, "fr_FR"), Some("Hello"));
        assert_eq!(Localized::default().pick(Some("uk"), "en_US"), None);
    }
}
