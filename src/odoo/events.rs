//! Reads the events of the protocol.

use jiff::Timestamp;
use serde_json::Value;

use super::node::Node;
use crate::domain::{
    BotId, ChannelId, ConsultationKey, Content, ConversationKey, DiscussMessageId, EventId, EventKey, FromOdoo, Incoming, OdooEvent, Profile,
};
use crate::ports::{BackendEvent, EventKind, Failure};

/// Events. One without an id can't be acknowledged: the whole answer is refused then, so that somebody looks at it. Any other that can't be read is
/// given as such: it stops nothing.
pub fn events(answer: &Value) -> Result<Vec<BackendEvent>, Failure> {
    Node::root(answer, "events").items()?.iter().map(event).collect()
}

fn event(node: &Node) -> Result<BackendEvent, Failure> {
    let id = EventId(node.field("id").number()?);
    Ok(BackendEvent { id, kind: kind(node).unwrap_or_else(EventKind::Unreadable) })
}

fn kind(node: &Node) -> Result<EventKind, Failure> {
    let name = node.field("kind").text()?;
    let payload = node.field("payload");
    if name == "configuration" {
        return Ok(EventKind::Configuration { bots: bots(&payload.field("bots")) });
    }
    if let Some(pressed) = button(name, &payload)? {
        return Ok(pressed);
    }
    let Some(what) = what(name, &payload)? else { return Ok(EventKind::Unknown(name.to_owned())) };
    let conversation = payload.field("conversation").optional(Node::key)?.map(ConversationKey);
    let event = Incoming {
        chat: payload.field("chat").telegram_id()?,
        profile: profile(&payload.field("sender"))?,
        at: node.field("at").optional(Node::text)?.and_then(|at| at.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH),
        message: None,
        content: Content::Odoo(FromOdoo { conversation, what }),
    };
    let channel = ChannelId(payload.field("channel").number()?);
    Ok(EventKind::Chat { key: EventKey(node.field("key").key()?), channel, event: Box::new(event) })
}

/// A button of a channel's form that was pressed; none where it is something else.
fn button(name: &str, payload: &Node) -> Result<Option<EventKind>, Failure> {
    let channel = || payload.field("channel").number().map(ChannelId);
    Ok(match name {
        "channel.refresh" => Some(EventKind::Refresh { channel: channel()? }),
        "channel.run" => Some(EventKind::Run { channel: channel()? }),
        _ => None,
    })
}

/// What happened in a chat; none where that is of a kind that this bridge does not know.
fn what(name: &str, payload: &Node) -> Result<Option<OdooEvent>, Failure> {
    let consultation = || payload.field("consultation").key().map(ConsultationKey);
    let operator = || payload.field("operator").text().map(str::to_owned);
    Ok(Some(match name {
        "consultation.queued" => OdooEvent::Queued { consultation: consultation()?, place: place(&payload.field("place"))? },
        "consultation.assigned" => {
            OdooEvent::Assigned { consultation: consultation()?, operator: operator()?, started: payload.field("started").flag()? }
        }
        "consultation.refused" => OdooEvent::Refused { consultation: consultation()? },
        "consultation.said" => OdooEvent::Said {
            consultation: consultation()?,
            message: DiscussMessageId(payload.field("message").number()?),
            operator: operator()?,
            html: payload.field("body").text()?.to_owned(),
        },
        "consultation.ended" => OdooEvent::Ended { consultation: consultation()? },
        "say" => OdooEvent::Say { text: payload.field("text").localized()? },
        _ => return Ok(None),
    }))
}

fn place(node: &Node) -> Result<u32, Failure> {
    node.number()?.try_into().map_err(|_| node.unreadable())
}

/// The person as Odoo knows them; one of whom it knows the number alone has no name.
fn profile(node: &Node) -> Result<Profile, Failure> {
    let text = |name| Ok(node.field(name).optional(Node::text)?.filter(|text| !text.is_empty()).map(str::to_owned));
    Ok(Profile {
        user: node.field("user").telegram_id()?,
        first_name: text("first_name")?.unwrap_or_default(),
        last_name: text("last_name")?,
        username: text("username")?,
        language_code: text("language_code")?,
    })
}

/// That something has changed matters more than where: the hashes tell.
fn bots(node: &Node) -> Vec<BotId> {
    node.items().unwrap_or_default().iter().filter_map(|id| id.number().ok().map(BotId)).collect()
}
