//! Takes in what Telegram delivers to a webhook. It is told that it was taken only when everything that follows from it is safe in the store.

use std::sync::{Arc, Weak};

use super::intake::take_in;
use super::run::Shared;
use super::webhook;
use crate::domain::ChannelId;
use crate::ports::ChannelState;

/// The door for deliveries. It holds nothing open: when the bridge has ended, its store is free.
#[derive(Clone)]
pub struct Deliveries(Weak<Shared>);

/// What to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It is safe, or can't be read and never will.
    Taken,
    /// The bridge may not work now, or could not keep it: Telegram is to bring it again.
    NotNow,
    /// Not from Telegram.
    WrongSecret,
    /// There is no such channel.
    NoSuchChannel,
}

impl Deliveries {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::downgrade(shared))
    }

    /// Takes an update in. Also while the channel is being switched to polling: what comes twice has one effect.
    pub async fn take(&self, channel: i64, secret: &str, update: &[u8]) -> Delivered {
        let Some(shared) = &self.0.upgrade() else { return Delivered::NotNow };
        // A stop waits for whoever holds this; taken before looking whether one has begun.
        let _busy = shared.busy.token();
        if !shared.lease.working() || shared.intake_stop.is_cancelled() {
            return Delivered::NotNow;
        }
        let Some((_, running)) = shared.registry.channel(ChannelId(channel)) else { return Delivered::NoSuchChannel };
        if !webhook::is_secret(&running.channel, &shared.store_id(), secret) {
            tracing::warn!(channel.id = channel, "somebody delivered an update without the right secret");
            return Delivered::WrongSecret;
        }
        let Some(update) = running.messenger.read_update(update) else {
            shared.metrics.undecodable.inc();
            tracing::warn!(channel.id = channel, "a delivery could not be read; it is put aside");
            return Delivered::Taken;
        };
        match take_in(shared, &running, vec![update]).await {
            Ok(()) => {
                if running.status().state == ChannelState::Webhook {
                    shared.registry.set_state(&running, ChannelState::Webhook, None);
                }
                Delivered::Taken
            }
            Err(failure) => {
                tracing::warn!(channel.id = channel, %failure, "an update could not be taken in; Telegram will bring it again");
                Delivered::NotNow
            }
        }
    }
}
