//! *Refresh hook* that comes as an event. It stays in Odoo until its answer is safe in the store: else the form would say *Checking…* for ever.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::calls;
use super::run::Shared;
use crate::domain::{ChannelId, EventId};

/// The looks that events have asked for.
pub struct Looks {
    under_way: HashSet<EventId>,
    reports: mpsc::UnboundedSender<Look>,
    reported: mpsc::UnboundedReceiver<Look>,
}

/// One that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// What asked for it.
    pub event: EventId,
    /// Its answer is in the store; where not, the event is to come again.
    pub safe: bool,
}

impl Looks {
    /// None is under way.
    pub fn new() -> Self {
        let (reports, reported) = mpsc::unbounded_channel();
        Self { under_way: HashSet::new(), reports, reported }
    }

    /// What asked for those that are under way.
    pub fn under_way(&self) -> &HashSet<EventId> {
        &self.under_way
    }

    /// Has the channel looked at, unless that is under way.
    pub fn begin(&mut self, shared: &Arc<Shared>, event: EventId, channel: ChannelId) {
        if !self.under_way.insert(event) {
            return;
        }
        let (owned, reports) = (shared.clone(), self.reports.clone());
        shared.spawn(async move {
            let outcome = calls::look_and_report(&owned, channel).await;
            if let Err(failure) = &outcome {
                tracing::error!(channel.id = %channel, %failure, "what Refresh hook found could not be kept; trying again");
            }
            // Where nobody listens any more, the lease is lost: the event comes again.
            let _ = reports.send(Look { event, safe: outcome.is_ok() });
        });
    }

    /// Waits until one has ended.
    pub async fn ended(&mut self) -> Look {
        let look = self.reported.recv().await.expect("this holds a sender itself");
        self.under_way.remove(&look.event);
        look
    }
}
