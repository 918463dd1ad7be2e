//! Writes behind to Odoo: a few lanes, each in order, many operations a call. What waits is in the store, so nothing here needs to be remembered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::pause::Pauses;
use super::refusals;
use super::run::Shared;
use super::search::{Search, firsts_of_others};
use crate::domain::{ConversationKey, OperationBody};
use crate::ports::{Applied, Change, Claim, Class, Failure, Lane, Parked, StoredOperation};

/// The number of lanes; a chat is always in the same one.
pub const LANES: u8 = 2;
/// Operations in one call, at most.
pub const BATCH: usize = 300;
/// The longest call, in bytes of JSON: a web server before Odoo often takes no more than a megabyte.
const LONGEST: usize = 500_000;
/// Operations of one call that post in Discuss, at most.
const POSTS: usize = 5;
/// Between tries while Odoo refuses the password.
const PROBE: Duration = Duration::from_secs(30);
/// Between two calls while the operation that makes them fail is looked for.
const NARROWING: Duration = Duration::from_millis(250);
/// An operation that makes a call fail as no operation should is given up after so many tries alone, if others go through.
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

/// Works a lane for ever.
pub async fn work(shared: Arc<Shared>, lane: Lane) {
    let pauses = Pauses::new(Duration::from_millis(250), Duration::from_secs(15));
    let mut worker = Worker { shared, lane, claim: None, sent: 0, search: Search::default(), pauses };
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
    /// The claim of the last call.
    claim: Option<Claim>,
    /// Operations in the last call.
    sent: usize,
    search: Search,
    pauses: Pauses,
}

impl Worker {
    /// One batch. False when nothing waits.
    async fn round(&mut self) -> Result<bool, Failure> {
        // Never a claim remembered from before: without the lease nothing may be written.
        let claim = self.shared.lease.claim(None).await;
        let mut waiting = self.shared.store.operations(self.lane, self.search.size())?;
        waiting.truncate(that_fit(&waiting));
        if waiting.is_empty() {
            return Ok(false);
        }
        self.claim = Some(claim.clone());
        self.sent = waiting.len();
        self.apply(&claim, &waiting).await?;
        Ok(true)
    }

    /// Writes operations, and takes them out of the store.
    async fn apply(&self, claim: &Claim, waiting: &[StoredOperation]) -> Result<(), Failure> {
        let answers = self.shared.backend.apply(claim, &coalesce(waiting)).await?;
        self.shared.metrics.apply_calls.inc();
        self.confirm(waiting, &answers).await
    }

    /// Takes what Odoo has answered out of the store.
    async fn confirm(&self, waiting: &[StoredOperation], answers: &[Applied]) -> Result<(), Failure> {
        let answered = waiting.iter().map(|stored| (self.lane, stored.number)).collect();
        let refused = |answer: &Applied| {
            let stored = waiting.iter().find(|stored| stored.operation.key == answer.key)?;
            Some(Parked { operation: stored.operation.clone(), reason: answer.refused.clone()? })
        };
        let parked: Vec<Parked> = answers.iter().filter_map(refused).collect();
        self.shared.store.commit(Change { answered, parked: parked.clone(), ..Change::default() }).await?;
        refusals::tell(&self.shared, &parked);
        // Counted now: where the commit fails, the same answers come again.
        for answer in answers {
            if answer.refused.is_none() {
                self.shared.metrics.applied.inc();
            } else {
                // The sentence stays in the store: another module's may quote a name or a number.
                tracing::warn!(operation.key = %answer.key, "Odoo refuses an operation; it is kept aside");
                self.shared.metrics.refused.inc();
            }
        }
        Ok(())
    }

    fn succeed(&mut self) {
        self.search.passed(self.sent);
        self.pauses.reset();
    }

    /// Waits for more.
    async fn rest(&self) {
        self.shared.writer.0[usize::from(self.lane.0)].notified().await;
    }

    async fn fail(&mut self, failure: &Failure) {
        match failure.class {
            Class::Lost => {
                self.shared.session_bell.notify_one();
                // Should the heartbeat find that nothing is lost, the same claim is tried again after a while.
                let _ = timeout(PROBE, self.shared.lease.claim(self.claim.as_ref())).await;
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
        tracing::error!(lane = self.lane.0, operations = self.sent, class = ?failure.class, %failure, "Odoo could not carry out a write");
        self.search.failed(self.sent, self.shared.metrics.apply_calls.get());
        if self.search.tries == 0 {
            return tokio::time::sleep(NARROWING).await;
        }
        if self.search.tries > TRIES && self.another_goes_through().await {
            self.give_up(failure).await;
        }
        let pause = self.pauses.after(failure);
        tokio::time::sleep(pause).await;
    }

    /// Does a write of something else go through? If none does, the fault is Odoo's, and nothing may be given up for it.
    async fn another_goes_through(&self) -> bool {
        if self.shared.metrics.apply_calls.get() > self.search.calls {
            return true;
        }
        let Ok(waiting) = self.shared.store.operations(self.lane, BATCH) else { return false };
        let others = firsts_of_others(&waiting);
        // Each in its turn: another may be as bad as this one.
        let turn = usize::try_from(self.search.tries - TRIES - 1).unwrap_or(0);
        let Some(other) = turn.checked_rem(others.len()).map(|at| others[at]) else { return false };
        let claim = self.shared.lease.claim(None).await;
        self.apply(&claim, std::slice::from_ref(other)).await.is_ok()
    }

    /// Puts the first operation aside, as if Odoo had refused it.
    async fn give_up(&mut self, failure: &Failure) {
        let Ok(waiting) = self.shared.store.operations(self.lane, 1) else { return };
        let answers: Vec<Applied> =
            waiting.iter().map(|stored| Applied { key: stored.operation.key, refused: Some(failure.reason.clone()) }).collect();
        match self.confirm(&waiting, &answers).await {
            Ok(()) => self.search = Search::default(),
            Err(failure) => tracing::error!(%failure, "the store cannot be written"),
        }
    }
}

/// How many of the first operations fit into one call; at least one.
fn that_fit(waiting: &[StoredOperation]) -> usize {
    let (mut length, mut posts) = (0, 0);
    let fits = |stored: &&StoredOperation| {
        length += serde_json::to_vec(&stored.operation).map_or(0, |json| json.len());
        posts += usize::from(stored.operation.body.posts_in_discuss());
        length <= LONGEST && posts <= POSTS
    };
    waiting.iter().take_while(fits).count().max(1)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Author, ConsultationKey, MessageKind, Operation, OperationKey};

    fn message(length: usize) -> StoredOperation {
        let body = OperationBody::Message {
            conversation: ConversationKey::draw(),
            sequence: 1,
            author: Author::Customer,
            kind: MessageKind::Text,
            body: "x".repeat(length),
            step: None,
            telegram_message: None,
            consultation: None,
            discuss_message: None,
        };
        StoredOperation { number: 1, operation: Operation { key: OperationKey::draw(), at: jiff::Timestamp::UNIX_EPOCH, body } }
    }

    #[test]
    fn a_call_is_bounded_by_its_length_and_never_empty() {
        assert_eq!(that_fit(&(0..300).map(|_| message(100)).collect::<Vec<_>>()), 300);
        let long: Vec<_> = (0..300).map(|_| message(9_000)).collect();
        assert!((30..60).contains(&that_fit(&long)));
        assert_eq!(that_fit(&[message(LONGEST + 1), message(1)]), 1);
    }

    #[test]
    fn a_call_posts_little_in_discuss_and_ends_before_the_next_post() {
        let for_operator = |mut stored: StoredOperation| {
            if let OperationBody::Message { consultation, .. } = &mut stored.operation.body {
                *consultation = Some(ConsultationKey::draw());
            }
            stored
        };
        let waiting: Vec<_> = (0..40).map(|number| if number % 4 == 3 { for_operator(message(10)) } else { message(10) }).collect();
        assert_eq!(that_fit(&waiting), 23, "five posts, and the rows before the sixth");
        assert_eq!(that_fit(&waiting[19..]), 20, "at 0, 4, 8, 12, 16");
    }

    #[test]
    fn what_tells_operators_of_a_consultation_is_a_post() {
        let (conversation, consultation) = (ConversationKey::draw(), ConsultationKey::draw());
        let joined = || StoredOperation {
            operation: Operation { body: OperationBody::ConsultationJoined { conversation, consultation }, ..message(1).operation },
            number: 1,
        };
        assert_eq!(that_fit(&(0..12).map(|_| joined()).collect::<Vec<_>>()), POSTS);
    }
}
