//! What a person at a form of Odoo asks of the bridge, and waits for: `docs/protocol.md`, «The call».

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::timeout;

use super::bell::Checked;
use super::run::Shared;
use crate::domain::{ChannelId, Operation, OperationBody, OperationKey};
use crate::ports::{Change, Failure, Lane};

/// How long a person at a form waits; Odoo gives up after five seconds.
const PATIENCE: Duration = Duration::from_millis(4500);
/// How long the same may take where nobody waits.
const LONGEST: Duration = Duration::from_secs(60);
/// The lane of what concerns no chat.
const LANE: Lane = Lane(0);

/// The door for calls. It holds nothing open: when the bridge has ended, its store is free.
#[derive(Clone)]
pub struct Calls(Weak<Shared>);

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// *Refresh hook*.
    Refresh,
    /// *Run now*.
    Run,
}

impl Calls {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::downgrade(shared))
    }

    /// Does what is asked, within the time that a person waits. `database` is the caller's: a copy of the database has the key of the original.
    pub async fn answer(&self, database: &str, call: Call, channel: i64) -> Checked {
        let Some(shared) = &self.0.upgrade() else { return Checked::wrong("The bridge has ended.") };
        let ours = shared.store.identity().ok().and_then(|identity| identity.database_uuid);
        if ours.as_deref() != Some(database) {
            return Checked::wrong("This bridge serves another database: is this one a copy?");
        }
        let (channel, asked) = (ChannelId(channel), tokio::time::Instant::now());
        match call {
            Call::Run => {
                shared.nudges.ring();
                run(shared, channel)
            }
            Call::Refresh => timeout(PATIENCE, refresh(shared, channel)).await.unwrap_or_else(|_| {
                tracing::info!(channel.id = %channel, waited = ?asked.elapsed(), "a form got no answer in time");
                Checked::wrong(unanswered(shared, channel))
            }),
        }
    }
}

/// Fetches and sends at once, whatever pause there is; but where Telegram said how long to wait, that is waited.
pub fn run(shared: &Arc<Shared>, channel: ChannelId) -> Checked {
    let Some((_, running)) = shared.registry.channel(channel) else { return Checked::wrong(not_served()) };
    running.bell.hurry();
    if let Err(failure) = shared.outbox.wake_channels(shared, &[channel].into()) {
        tracing::error!(%failure, "what waits to be sent could not be read");
    }
    let status = running.status();
    match status.last_error {
        Some(line) => Checked { ok: false, answer: format!("{line} It is being tried again now."), username: status.username },
        None => Checked { ok: true, answer: "Fetching and sending now.".to_owned(), username: status.username },
    }
}

/// Reads the configuration anew, and has the channel looked at.
async fn refresh(shared: &Arc<Shared>, channel: ChannelId) -> Checked {
    if !shared.lease.held() {
        return Checked::wrong(format!("The bridge can't work now: {}.", shared.ready.get().1));
    }
    match shared.refreshes.ask().await {
        Ok(()) => look(shared, channel).await,
        Err(failure) => Checked::wrong(format!("The configuration could not be read: {failure}")),
    }
}

/// Has a channel looked at.
async fn look(shared: &Arc<Shared>, channel: ChannelId) -> Checked {
    let Some((_, running)) = shared.registry.channel(channel) else { return Checked::wrong(not_served()) };
    running.bell.ask().await.unwrap_or_else(|_| Checked::wrong("The chat was switched off meanwhile."))
}

/// What an event asks for: the configuration has been read already, and nobody waits. The answer goes to Odoo as an operation.
pub async fn look_and_report(shared: &Arc<Shared>, channel: ChannelId) -> Result<(), Failure> {
    let checked = timeout(LONGEST, look(shared, channel)).await.unwrap_or_else(|_| Checked::wrong(unanswered(shared, channel)));
    report(shared, channel, checked).await
}

async fn report(shared: &Shared, channel: ChannelId, checked: Checked) -> Result<(), Failure> {
    let Checked { ok, answer, username } = checked;
    let body = OperationBody::Refreshed { channel, ok, answer, username };
    let operation = Operation { key: OperationKey::draw(), at: shared.clock.now(), body };
    shared.store.commit(Change { operations: vec![(LANE, operation)], ..Change::default() }).await?;
    shared.writer.wake(LANE);
    Ok(())
}

fn not_served() -> String {
    "The bridge does not serve this chat: it is archived, has no token, or its messenger is switched off.".to_owned()
}

/// What is known where no answer came in time.
fn unanswered(shared: &Shared, channel: ChannelId) -> String {
    let known = shared.registry.channel(channel).and_then(|(_, running)| running.status().last_error);
    known.unwrap_or_else(|| "Telegram has not answered in time. The bridge goes on trying; look at the status in a minute.".to_owned())
}
