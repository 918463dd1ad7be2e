//! Writes behind to Odoo: a few lanes, each in order, many operations a call. What waits is in the store, so nothing here needs to be remembered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::pause::Pauses;
use super::run::Shared;
use crate::domain::{ConversationKey, OperationBody};
use crate::ports::{Applied, Change, Claim, Class, Failure, Lane, StoredOperation};

/// The number of lanes; a chat is always in the same one.
pub const LANES: u8 = 2;
/// Operations in one call, at most.
const BATCH: usize = 300;
/// Between tries while Odoo refuses the password.
const PROBE: Duration = Duration::from_secs(30);
/// An operation that makes a call fail as no operation should is given up after so many tries alone.
const TRIES: u32 = 8;

/// Wakes the lanes.
pub struct Writer([Notify; LANES as usize]);

impl Writer {
    /// All asleep.
    pub fn new() -> Self {
        Self(std::array::from_fn(|_| Notify::new()))
    }

    /// Something was committed for this lane.
    pub fn wake(&self, lane: Lane) {
        self.0[usize::from(lane.0)].notify_one();
    }
}

/// Works a lane until the bridge stops and nothing waits, or for ever.
pub async fn work(shared: Arc<Shared>, lane: Lane) {
    let mut worker =
        Worker { shared, lane, claim: None, size: BATCH, failed: 0, pauses: Pauses::new(Duration::from_millis(250), Duration::from_secs(15)) };
    loop {
        match worker.round().await {
            Ok(true) => worker.succeed(),
            Ok(false) => worker.rest().await,
            Err(failure) => worker.fail(&failure).await,
        }
    }
}

struct Worker {
    shared: Arc<Shared>,
    lane: Lane,
    claim: Option<Claim>,
    /// Operations in the next call: 1 while the one that makes calls fail is looked for.
    size: usize,
    failed: u32,
    pauses: Pauses,
}

impl Worker {
    /// One batch. False when nothing waits.
    async fn round(&mut self) -> Result<bool, Failure> {
        let waiting = self.shared.store.operations(self.lane, self.size)?;
        if waiting.is_empty() {
            return Ok(false);
        }
        let claim = match &self.claim {
            Some(claim) => claim.clone(),
            None => self.shared.lease.claim(None).await,
        };
        self.claim = Some(claim.clone());
        let batch = coalesce(&waiting);
        let answers = self.shared.backend.apply(&claim, &batch).await?;
        self.shared.metrics.apply_calls.inc();
        self.confirm(&waiting, &answers).await?;
        Ok(true)
    }

    /// Takes what Odoo has answered out of the store.
    async fn confirm(&self, waiting: &[StoredOperation], answers: &[Applied]) -> Result<(), Failure> {
        for answer in answers {
            if let Some(sentence) = &answer.refused {
                self.shared.metrics.refused.inc();
                tracing::warn!(operation.key = %answer.key, sentence, "Odoo refuses an operation; it is put aside");
            }
        }
        self.shared.metrics.applied.inc_by(u64::try_from(answers.len()).unwrap_or(0));
        let answered = waiting.iter().map(|stored| (self.lane, stored.number)).collect();
        self.shared.store.commit(Change { answered, ..Change::default() }).await.map(|_| ())
    }

    fn succeed(&mut self) {
        self.size = BATCH;
        self.failed = 0;
        self.pauses.reset();
    }

    /// Waits for more.
    async fn rest(&self) {
        self.shared.writer.0[usize::from(self.lane.0)].notified().await;
    }

    async fn fail(&mut self, failure: &Failure) {
        match failure.class {
            Class::Lost => {
                let stale = self.claim.take();
                self.shared.session_bell.notify_one();
                self.claim = Some(self.shared.lease.claim(stale.as_ref()).await);
            }
            Class::Bug | Class::Malformed | Class::Refused | Class::Gone => self.isolate(failure).await,
            Class::Transient | Class::RateLimited | Class::Denied => {
                // A refused password is tried seldom: more would lock the bridge's user out.
                let pause = if failure.class == Class::Denied { PROBE } else { self.pauses.after(failure) };
                tracing::info!(lane = self.lane.0, class = ?failure.class, ?pause, %failure, "writes to Odoo wait");
                tokio::time::sleep(pause).await;
            }
        }
    }

    /// A call failed as none should: the operation that does it is looked for, so that the others go on.
    async fn isolate(&mut self, failure: &Failure) {
        self.failed += 1;
        if self.size > 1 {
            self.size = 1;
        } else if self.failed > TRIES {
            self.give_up(failure).await;
            self.failed = 0;
        }
        tracing::error!(lane = self.lane.0, class = ?failure.class, %failure, "Odoo could not carry out a write");
        let pause = self.pauses.after(failure);
        tokio::time::sleep(pause).await;
    }

    async fn give_up(&self, failure: &Failure) {
        let Ok(waiting) = self.shared.store.operations(self.lane, 1) else { return };
        let answers: Vec<Applied> =
            waiting.iter().map(|stored| Applied { key: stored.operation.key, refused: Some(failure.reason.clone()) }).collect();
        if let Err(failure) = self.confirm(&waiting, &answers).await {
            tracing::error!(%failure, "the store cannot be written");
        }
    }
}

/// The operations to send: of the copies of a dialog's position, only the last of each conversation.
fn coalesce(waiting: &[StoredOperation]) -> Vec<crate::domain::Operation> {
    let mut last: HashMap<ConversationKey, u64> = HashMap::new();
    for stored in waiting {
        if let OperationBody::State { conversation, .. } = &stored.operation.body {
            last.insert(*conversation, stored.number);
        }
    }
    let wanted = |stored: &&StoredOperation| match &stored.operation.body {
        OperationBody::State { conversation, .. } => last.get(conversation) == Some(&stored.number),
        _ => true,
    };
    waiting.iter().filter(wanted).map(|stored| stored.operation.clone()).collect()
}
