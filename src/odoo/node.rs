//! Reads JSON by hand, knowing where it is: what can't be read is named by its place, never by its value.

use std::str::FromStr;

use serde_json::Value;
use ulid::Ulid;

use super::faults;
use crate::domain::Localized;
use crate::ports::Failure;

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    value: &'a Value,
    place: String,
}

impl<'a> Node<'a> {
    /// The whole of something.
    pub fn root(value: &'a Value, name: impl Into<String>) -> Self {
        Self { value, place: name.into() }
    }

    /// A field; one that is missing is null.
    pub fn field(&self, name: &str) -> Node<'a> {
        Node { value: self.value.get(name).unwrap_or(&Value::Null), place: format!("{}, {name}", self.place) }
    }

    /// The items of a list; an absent one has none.
    pub fn items(&self) -> Result<Vec<Node<'a>>, Failure> {
        if self.is_absent() {
            return Ok(vec![]);
        }
        let items = self.value.as_array().ok_or_else(|| self.unreadable())?;
        Ok(items.iter().enumerate().map(|(index, value)| Node { value, place: format!("{}[{index}]", self.place) }).collect())
    }

    /// Null, or Odoo's way to say so.
    pub fn is_absent(&self) -> bool {
        matches!(self.value, Value::Null | Value::Bool(false))
    }

    /// A text.
    pub fn text(&self) -> Result<&'a str, Failure> {
        self.value.as_str().ok_or_else(|| self.unreadable())
    }

    /// A whole number.
    pub fn number(&self) -> Result<i64, Failure> {
        self.value.as_i64().ok_or_else(|| self.unreadable())
    }

    /// A key that somebody drew: a ULID.
    pub fn key(&self) -> Result<Ulid, Failure> {
        Ulid::from_string(self.text()?).map_err(|_| self.unreadable())
    }

    /// An id of Telegram's: a number in a text.
    pub fn telegram_id<T: FromStr>(&self) -> Result<T, Failure> {
        self.text()?.parse().map_err(|_| self.unreadable())
    }

    /// Yes or no; absent is no.
    pub fn flag(&self) -> Result<bool, Failure> {
        match self.value {
            Value::Null => Ok(false),
            Value::Bool(flag) => Ok(*flag),
            _ => Err(self.unreadable()),
        }
    }

    /// Yes or no; absent is `otherwise`.
    pub fn flag_or(&self, otherwise: bool) -> Result<bool, Failure> {
        if self.value.is_null() { Ok(otherwise) } else { self.flag() }
    }

    /// What `read` makes of it, unless it is absent.
    pub fn optional<T>(&self, read: impl FnOnce(&Self) -> Result<T, Failure>) -> Result<Option<T>, Failure> {
        if self.is_absent() { Ok(None) } else { read(self).map(Some) }
    }

    /// A text in several languages; empty ones are left out.
    pub fn localized(&self) -> Result<Localized, Failure> {
        if self.is_absent() {
            return Ok(Localized::default());
        }
        let languages = self.value.as_object().ok_or_else(|| self.unreadable())?;
        let mut texts = Localized::default();
        for language in languages.keys() {
            let text = self.field(language);
            if let Some(text) = text.optional(Node::text)?.filter(|text| !text.is_empty()) {
                texts.0.insert(language.clone(), text.to_owned());
            }
        }
        Ok(texts)
    }

    /// The value itself.
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// This is something that only a newer bridge knows.
    pub fn newer(&self, what: &str) -> Failure {
        faults::newer(what, &self.place)
    }

    /// This can't be read.
    pub fn unreadable(&self) -> Failure {
        faults::unreadable(&self.place)
    }
}
