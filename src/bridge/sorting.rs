//! What is to be done with events of Odoo's that concern no chat.

use std::collections::HashSet;

use crate::domain::EventId;
use crate::ports::{BackendEvent, Class, EventKind, Failure};

/// Without the lease nothing may go on; any other failure may wait for the rest.
pub fn unless_lost(outcome: Result<(), Failure>) -> Result<Result<(), Failure>, Failure> {
    match outcome {
        Err(failure) if failure.class == Class::Lost => Err(failure),
        other => Ok(other),
    }
}

/// The configuration is to be read anew before this can be carried out.
pub fn wants_configuration(event: &BackendEvent) -> bool {
    matches!(event.kind, EventKind::Configuration { .. } | EventKind::Refresh { .. })
}

/// Of the events, those that concern no chat and don't have to wait: they are acknowledged at once, also where they can't be read.
pub fn ours(events: &[BackendEvent], kept: &HashSet<EventId>) -> Vec<EventId> {
    let mut ids = Vec::new();
    for event in events.iter().filter(|event| !kept.contains(&event.id)) {
        match &event.kind {
            EventKind::Chat { .. } => continue,
            EventKind::Configuration { .. } | EventKind::Refresh { .. } | EventKind::Run { .. } => {}
            EventKind::Unreadable(failure) => tracing::error!(event.id = %event.id, %failure, "an event of Odoo's is put aside"),
            EventKind::Unknown(kind) => tracing::warn!(kind, "Odoo tells of something that this bridge does not know: a newer addon?"),
        }
        ids.push(event.id);
    }
    ids
}
