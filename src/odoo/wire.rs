//! Writes requests as the protocol wants them.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// Fields that hold instants.
const INSTANTS: [&str; 4] = ["at", "clock", "since", "last_update"];

/// A field that is kept as it is.
const OPAQUE: &str = "state";

/// The JSON of a request. Our clocks know nanoseconds, the protocol microseconds.
pub fn to_json<T: Serialize + ?Sized>(data: &T) -> Value {
    let mut json = serde_json::to_value(data).expect("requests are plain data with text keys");
    round_instants(&mut json);
    json
}

fn round_instants(json: &mut Value) {
    match json {
        Value::Array(items) => items.iter_mut().for_each(round_instants),
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut().filter(|(name, _)| *name != OPAQUE) {
                match value {
                    Value::String(text) if INSTANTS.contains(&name.as_str()) => round(text),
                    other => round_instants(other),
                }
            }
        }
        _ => {}
    }
}

fn round(text: &mut String) {
    if let Ok(instant) = text.parse::<Timestamp>()
        && let Ok(rounded) = Timestamp::from_microsecond(instant.as_microsecond())
    {
        *text = rounded.to_string();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn instants_have_microseconds() {
        let long = "2026-11-22T19:00:00.123456789Z";
        let short = "2026-11-22T19:00:00.123456Z";
        let given = json!([{"at": long, "body": long, "state": {"at": long}}, {"channels": [{"since": long, "last_update": null}], "clock": "noon"}]);
        let expected =
            json!([{"at": short, "body": long, "state": {"at": long}}, {"channels": [{"since": short, "last_update": null}], "clock": "noon"}]);
        assert_eq!(to_json(&given), expected);
    }
}
