//! What Odoo tells, from a `*` line.

use std::collections::HashMap;

use chatbridge::domain::{ConversationKey, DiscussMessageId, FromOdoo, Localized, OdooEvent};

use crate::play::consultation;

/// What the line begins.
#[derive(Default)]
pub struct New {
    pub consultation: bool,
    pub conversation: bool,
}

/// Reads one line. `last`: the number of the last consultation; `places`: the conversations of all; `ours`: the open conversation; `fresh`: the key that Odoo draws for one of its own.
pub fn told(line: &str, last: u64, places: &HashMap<u64, ConversationKey>, ours: Option<ConversationKey>, fresh: ConversationKey) -> (FromOdoo, New) {
    let (number, line) = match line.split_once(' ') {
        Some((number, rest)) if number.parse::<u64>().is_ok() => (number.parse().expect("just tried"), rest),
        _ => (last, line),
    };
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let key = consultation(number);
    let mut new = New::default();
    // One that nobody asked for in this play is Odoo's own, in the conversation that is open.
    let mut conversation = places.get(&number).copied().or(ours);
    let what = match verb {
        "queued" => OdooEvent::Queued { consultation: key, place: rest.parse().expect("a place") },
        "assigned" => OdooEvent::Assigned { consultation: key, operator: rest.to_owned(), started: false },
        "started" => {
            let elsewhere = rest.ends_with(" elsewhere");
            let operator = rest.trim_end_matches(" elsewhere").to_owned();
            new = New { consultation: number == last, conversation: elsewhere || ours.is_none() };
            conversation = if new.conversation { Some(fresh) } else { ours };
            OdooEvent::Assigned { consultation: if new.consultation { consultation(last + 1) } else { key }, operator, started: true }
        }
        "refused" => OdooEvent::Refused { consultation: key },
        "said" => {
            let (operator, html) = rest.split_once(": ").expect("who, and what");
            OdooEvent::Said { consultation: key, message: DiscussMessageId(90), operator: operator.to_owned(), html: html.to_owned() }
        }
        "ended" => OdooEvent::Ended { consultation: key },
        "say" => OdooEvent::Say { text: Localized::single("en_US", rest) },
        other => panic!("unknown event {other}"),
    };
    (FromOdoo { conversation, what }, new)
}
