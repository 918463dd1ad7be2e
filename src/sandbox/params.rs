//! The parameters of a method, checked against its description: an unknown name or a wrong type is refused.

use serde_json::{Map, Value};

use super::answer::Failure;
use super::request::Raw;

/// What a parameter must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    Boolean,
    Text,
    /// A chat: an integer, or text with an integer or a username.
    Chat,
    Object,
    Array,
    /// Telegram knows it, the sandbox does not; better refused than ignored.
    Unsupported,
}

/// The names and kinds a method, or an object inside a parameter, may have.
pub(crate) type Spec = &'static [(&'static str, Kind)];

/// Checked parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(pub Map<String, Value>);

impl Params {
    /// Gives text its type and refuses what the description does not have.
    pub fn read(raw: Vec<(String, Raw)>, spec: Spec, strict: bool) -> Result<Self, Failure> {
        let mut params = Map::new();
        for (name, value) in raw {
            let Some(kind) = kind_of(spec, &name) else {
                if strict {
                    return Err(Failure::bad(format!("unknown or outdated parameter \"{name}\"")));
                }
                continue;
            };
            // Telegram takes an empty parameter for an absent one.
            if matches!(&value, Raw::Text(text) if text.is_empty()) {
                continue;
            }
            let value = typed(&name, kind, value, strict)?;
            params.insert(name, value);
        }
        Ok(Self(params))
    }

    pub fn integer(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    pub fn boolean(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// Text that is not empty: Telegram takes an empty parameter for an absent one.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The chat's number; `None` for a username, since only people write here.
    pub fn chat(&self) -> Result<Option<i64>, Failure> {
        match self.0.get("chat_id") {
            Some(Value::Number(number)) => Ok(number.as_i64()),
            Some(Value::String(text)) if !text.is_empty() => Ok(text.parse().ok()),
            _ => Err(Failure::bad("chat_id is empty")),
        }
    }
}

fn kind_of(spec: Spec, name: &str) -> Option<Kind> {
    spec.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

fn typed(name: &str, kind: Kind, raw: Raw, strict: bool) -> Result<Value, Failure> {
    let wrong = || Failure::bad(format!("parameter \"{name}\" must be {}", kind.words()));
    if kind == Kind::Unsupported {
        return Err(Failure::bad(format!("parameter \"{name}\" is not supported by the sandbox")));
    }
    match raw {
        Raw::File => Err(wrong()),
        Raw::Text(text) => kind.read_text(&text).ok_or_else(wrong),
        Raw::Json(value) if kind.fits(&value) => Ok(value),
        // Telegram takes nested JSON as text too, whatever the request's own form.
        Raw::Json(Value::String(text)) if !strict || matches!(kind, Kind::Object | Kind::Array) => kind.read_text(&text).ok_or_else(wrong),
        Raw::Json(value) if !strict => kind.read_text(&value.to_string()).ok_or_else(wrong),
        Raw::Json(_) => Err(wrong()),
    }
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Integer => value.is_i64(),
            Self::Boolean => value.is_boolean(),
            Self::Text => value.is_string(),
            Self::Chat => value.is_i64() || value.is_string(),
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
            Self::Unsupported => false,
        }
    }

    fn read_text(self, text: &str) -> Option<Value> {
        match self {
            Self::Text | Self::Chat => Some(text.into()),
            Self::Integer => text.trim().parse::<i64>().ok().map(Value::from),
            Self::Boolean => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Some(true.into()),
                "false" | "no" | "0" => Some(false.into()),
                _ => None,
            },
            Self::Object | Self::Array => serde_json::from_str(text).ok().filter(|value| self.fits(value)),
            Self::Unsupported => None,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Integer => "an integer",
            Self::Boolean => "a boolean",
            Self::Text => "a string",
            Self::Chat => "an integer or a string",
            Self::Object => "an object",
            Self::Array => "an array",
            Self::Unsupported => "left out",
        }
    }
}

/// Checks an object inside a parameter: `what` names it in the refusal.
pub(crate) fn object<'a>(value: &'a Value, spec: Spec, what: &str) -> Result<&'a Map<String, Value>, String> {
    let map = value.as_object().ok_or_else(|| format!("{what} must be an object"))?;
    for (name, value) in map {
        match kind_of(spec, name) {
            None => return Err(format!("{what} has an unknown field \"{name}\"")),
            Some(Kind::Unsupported) => {
                return Err(format!("{what}: \"{name}\" is not supported by the sandbox"));
            }
            Some(kind) if !kind.fits(value) => {
                return Err(format!("{what}: \"{name}\" must be {}", kind.words()));
            }
            Some(_) => {}
        }
    }
    Ok(map)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SPEC: Spec = &[("limit", Kind::Integer), ("flag", Kind::Boolean), ("list", Kind::Array)];

    fn text(name: &str, value: &str) -> Vec<(String, Raw)> {
        vec![(name.to_owned(), Raw::Text(value.to_owned()))]
    }

    #[test]
    fn text_becomes_what_the_method_wants() {
        assert_eq!(Params::read(text("limit", " 5"), SPEC, true).unwrap().integer("limit"), Some(5));
        assert!(Params::read(text("flag", "True"), SPEC, true).unwrap().boolean("flag"));
        assert!(Params::read(text("list", "[1]"), SPEC, true).unwrap().get("list").unwrap().is_array());
        assert!(Params::read(text("limit", "five"), SPEC, true).is_err());
    }

    #[test]
    fn an_empty_text_is_no_parameter() {
        let read = Params::read(text("limit", ""), SPEC, true).unwrap();
        assert_eq!(read.integer("limit"), None);
    }

    #[test]
    fn wrong_json_types_are_read_only_when_lenient() {
        let raw = || vec![("limit".to_owned(), Raw::Json("5".into()))];
        assert!(Params::read(raw(), SPEC, true).is_err());
        assert_eq!(Params::read(raw(), SPEC, false).unwrap().integer("limit"), Some(5));
    }

    #[test]
    fn an_unknown_name_is_refused_only_when_strict() {
        let failure = Params::read(text("limits", "5"), SPEC, true).unwrap_err();
        assert!(failure.description.contains("\"limits\""), "{failure:?}");
        assert!(Params::read(text("limits", "5"), SPEC, false).unwrap().0.is_empty());
    }
}
