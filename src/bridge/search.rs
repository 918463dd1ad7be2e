//! The search for an operation at which Odoo fails as it should at none, so that it holds up nobody else's for long.

use std::collections::{HashMap, HashSet};

use super::writer::BATCH;
use crate::domain::{ChannelId, ConversationKey, DiscussMessageId, OperationBody, UserId};
use crate::ports::StoredOperation;

/// The search for the operation that makes calls fail: by halves.
#[derive(Default)]
pub struct Search {
    /// It is among so many, the first that wait; none while no call fails.
    suspects: Option<usize>,
    /// How often it failed alone.
    pub tries: u32,
    /// Calls that had gone through, in all lanes, when it failed alone for the first time.
    pub calls: u64,
}

impl Search {
    /// Operations in the next call.
    pub fn size(&self) -> usize {
        self.suspects.map_or(BATCH, |suspects| suspects.div_ceil(2))
    }

    /// The first so many went through.
    pub fn passed(&mut self, sent: usize) {
        let left = self.suspects.map_or(0, |suspects| suspects.saturating_sub(sent));
        *self = Self { suspects: (left > 0).then_some(left), ..Self::default() };
    }

    /// The first so many failed.
    pub fn failed(&mut self, sent: usize, calls: u64) {
        self.suspects = Some(sent);
        if sent == 1 {
            self.calls = if self.tries == 0 { calls } else { self.calls };
            self.tries = self.tries.saturating_add(1);
        }
    }
}

/// Of every other conversation or person than the first's, the first operation: what may be written before the rest without any of them being
/// overtaken by its own.
pub fn firsts_of_others(waiting: &[StoredOperation]) -> Vec<&StoredOperation> {
    let mut person_of = HashMap::new();
    let mut met = HashSet::new();
    let mut firsts = Vec::new();
    for stored in waiting {
        let subject = match &stored.operation.body {
            OperationBody::Open { conversation, channel, user, .. } => {
                let person = Subject::Person(*channel, *user);
                person_of.insert(*conversation, person);
                person
            }
            OperationBody::Sender { channel, user, .. } | OperationBody::Membership { channel, user, .. } => Subject::Person(*channel, *user),
            OperationBody::DiscussFailed { discuss_message, .. } => Subject::Discuss(*discuss_message),
            OperationBody::Refreshed { channel, .. } => Subject::Channel(*channel),
            OperationBody::Message { conversation, .. }
            | OperationBody::MessageSent { conversation, .. }
            | OperationBody::MessageFailed { conversation, .. }
            | OperationBody::ConsultationRequest { conversation, .. }
            | OperationBody::ConsultationJoined { conversation, .. }
            | OperationBody::ConsultationEnd { conversation, .. }
            | OperationBody::State { conversation, .. }
            | OperationBody::Close { conversation, .. } => person_of.get(conversation).copied().unwrap_or(Subject::Conversation(*conversation)),
        };
        if met.insert(subject) {
            firsts.push(stored);
        }
    }
    firsts.split_off(firsts.len().min(1))
}

/// What an operation is about. The person where they are known, since a person's conversations follow each other.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Subject {
    Channel(ChannelId),
    Person(ChannelId, UserId),
    Conversation(ConversationKey),
    Discuss(DiscussMessageId),
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{ChatId, CloseReason, Operation, OperationKey};

    proptest! {
        /// Whichever operations are bad, calls of the sizes that the search asks for pass all good ones and end at each bad one alone, soon.
        #[test]
        fn the_search_ends_at_each_bad_operation_alone(bad in prop::collection::btree_set(0usize..900, 0..4)) {
            let (mut search, mut at, mut calls) = (Search::default(), 0, 0);
            while at < 900 {
                let sent = search.size().min(900 - at);
                calls += 1;
                if bad.iter().any(|bad| (at..at + sent).contains(bad)) {
                    search.failed(sent, 0);
                    prop_assert_eq!(search.tries > 0, sent == 1);
                    if search.tries > 0 {
                        prop_assert!(bad.contains(&at));
                        (search, at) = (Search::default(), at + 1);
                    }
                } else {
                    search.passed(sent);
                    at += sent;
                }
            }
            prop_assert!(calls <= 4 + bad.len() * 2 * 10, "{} calls", calls);
        }
    }

    #[test]
    fn only_the_first_operation_of_each_other_person_may_go_before() {
        let [mine, other] = [ConversationKey::draw(), ConversationKey::draw()];
        let open = |conversation, user| OperationBody::Open { conversation, channel: ChannelId(7), user: UserId(user), chat: ChatId(user) };
        let close = |conversation| OperationBody::Close { conversation, reason: CloseReason::Silence };
        let back = |user| OperationBody::Membership { channel: ChannelId(7), user: UserId(user), blocked: false };
        let bodies = [open(mine, 1), close(mine), back(2), open(other, 2), close(other), back(1), back(3), close(ConversationKey::draw())];
        let stored: Vec<StoredOperation> = (0..)
            .zip(bodies)
            .map(|(number, body)| StoredOperation { number, operation: Operation { key: OperationKey::draw(), at: Timestamp::UNIX_EPOCH, body } })
            .collect();
        assert_eq!(firsts_of_others(&stored).iter().map(|stored| stored.number).collect::<Vec<_>>(), [2, 6, 7]);
        assert!(firsts_of_others(&[]).is_empty());
    }
}
