//! What is known of a chat: from the store; and, where the store was lost or the database restored, from Odoo.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::timeout;

use super::run::Shared;
use crate::domain::{BotId, ChatKey, ChatRecord, Consultation, Content, Conversation, Incoming, OdooEvent, UserId};
use crate::ports::{Class, Failure, OpenConsultation, OpenConversation};

/// How long a customer waits for what Odoo remembers; then the talk goes on without it, unless an operator has it or is awaited.
const PATIENCE: Duration = Duration::from_secs(3);

/// The record of a chat. One of an earlier era is brought in line with Odoo first: store and database may have lost different things. One that cannot be
/// read counts as lost: else the updates of this chat would come again for ever, in front of everybody else's.
pub async fn record(shared: &Shared, chat: ChatKey, bot: BotId, event: &Incoming) -> Result<ChatRecord, Failure> {
    let era = shared.era.load(Ordering::Relaxed);
    let stored = match shared.store.chat(chat) {
        Err(failure) if !failure.is_temporary() => {
            tracing::error!(channel.id = %chat.channel, %failure, "what is known of a chat cannot be read; Odoo is asked for it");
            ChatRecord::default()
        }
        read => match read?.unwrap_or_default() {
            stored if stored.era == era => return Ok(stored),
            stored => stored,
        },
    };
    let remembered = match ask(shared, chat, event.profile.user).await {
        // «Odoo knows nothing» would end it for good: what happened comes again.
        Err(failure) if stored.consultation().is_some() => return Err(Failure::new(Class::Transient, failure.reason)),
        // Anybody else goes on without.
        answer => answer.ok().flatten().map(|known| before(known, event)),
    };
    Ok(join(stored, remembered, bot, era))
}

async fn ask(shared: &Shared, chat: ChatKey, user: UserId) -> Result<Option<OpenConversation>, Failure> {
    let asked = async {
        let claim = shared.lease.claim(None).await;
        shared.backend.open_conversation(&claim, chat.channel, user).await
    };
    let late = || Failure::new(Class::Transient, "Odoo did not tell of an earlier conversation in time");
    let answer = timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(late()));
    answer.inspect_err(|failure| tracing::warn!(channel.id = %chat.channel, %failure, "nothing is known of an earlier conversation"))
}

/// What Odoo remembers, as it was before the event: that a consultation has just been assigned is news still.
fn before(known: OpenConversation, event: &Incoming) -> OpenConversation {
    let news = |open: &OpenConsultation| match &event.content {
        Content::Odoo(told) => matches!(&told.what, OdooEvent::Assigned { consultation, .. } if *consultation == open.consultation),
        _ => false,
    };
    OpenConversation { consultation: known.consultation.filter(|open| !news(open)), ..known }
}

/// Joins both memories: the newer one wins. A conversation of ours that Odoo does not know goes on in a new one, at the same place; the person is
/// introduced to Odoo again in any case. Of a consultation Odoo alone knows.
fn join(stored: ChatRecord, remembered: Option<OpenConversation>, bot: BotId, era: u32) -> ChatRecord {
    let conversation = match (stored.conversation, remembered) {
        // The same conversation: who has the later line.
        (Some(ours), Some(known)) if ours.key == known.conversation && ours.sequence >= known.sequence => {
            Some(Conversation { consultation: consultation(known.consultation), ..ours })
        }
        // Keys are drawn in the order of time.
        (Some(ours), Some(known)) if ours.key > known.conversation => Some(forgotten(ours)),
        (Some(ours), Some(known)) => restored(known, bot).or(Some(forgotten(ours))),
        (Some(ours), None) => Some(forgotten(ours)),
        (None, Some(known)) => restored(known, bot),
        (None, None) => None,
    };
    ChatRecord { profile: None, conversation, era, blocked: stored.blocked }
}

/// A conversation that Odoo does not know (any more).
fn forgotten(ours: Conversation) -> Conversation {
    Conversation { over: true, consultation: None, ..ours }
}

/// A conversation from Odoo's copy; from none where Odoo itself began it, for a consultation.
fn restored(known: OpenConversation, bot: BotId) -> Option<Conversation> {
    let copy: Option<Conversation> = serde_json::from_value(known.state).ok();
    let begun_there = || known.consultation.as_ref().map(|_| Conversation::open(known.conversation, bot, known.at));
    let copy = copy.or_else(begun_there)?;
    let sequence = copy.sequence.max(known.sequence);
    Some(Conversation { key: known.conversation, step: known.step, sequence, consultation: consultation(known.consultation), over: false, ..copy })
}

fn consultation(known: Option<OpenConsultation>) -> Option<Consultation> {
    known.map(|open| Consultation { key: open.consultation, state: open.state, operator: open.operator })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BotId, ConsultationKey, ConsultationState, ConversationKey, Profile, StepId};
    use jiff::Timestamp;

    const BOT: BotId = BotId(1);

    fn conversation(sequence: u32) -> Conversation {
        let open = Conversation::open(ConversationKey(ulid::Ulid::from_parts(1, 1)), BOT, Timestamp::UNIX_EPOCH);
        Conversation { step: Some(StepId(2)), started: true, keyboard: Some(StepId(2)), sequence, ..open }
    }

    fn known(conversation: &Conversation, sequence: u32) -> OpenConversation {
        let state = serde_json::to_value(conversation).expect("plain data");
        OpenConversation { conversation: conversation.key, step: conversation.step, state, sequence, at: Timestamp::UNIX_EPOCH, consultation: None }
    }

    fn stored(conversation: Option<Conversation>) -> ChatRecord {
        let profile = Profile { user: UserId(5), first_name: "Anna".to_owned(), last_name: None, username: None, language_code: None };
        ChatRecord { profile: Some(profile), conversation, era: 0, blocked: false }
    }

    #[test]
    fn a_lost_store_gets_the_conversation_back_from_odoo() {
        let before = conversation(4);
        let joined = join(ChatRecord::default(), Some(known(&before, 6)), BOT, 1);
        assert_eq!(joined, ChatRecord { conversation: Some(Conversation { sequence: 6, ..before }), era: 1, ..ChatRecord::default() });
    }

    #[test]
    fn a_store_that_is_ahead_of_odoo_keeps_its_place_in_a_conversation_that_odoo_knows() {
        let ours = conversation(9);
        let joined = join(stored(Some(ours.clone())), Some(known(&conversation(4), 4)), BOT, 2);
        assert_eq!(joined.conversation, Some(ours));
        assert_eq!(joined.profile, None, "introduced again: the sender may be gone, too");
    }

    #[test]
    fn a_store_that_is_behind_takes_odoos_place() {
        let joined = join(stored(Some(conversation(4))), Some(known(&Conversation { step: Some(StepId(8)), ..conversation(9) }, 9)), BOT, 2);
        assert_eq!(joined.conversation, Some(Conversation { step: Some(StepId(8)), ..conversation(9) }));
    }

    #[test]
    fn of_two_conversations_the_newer_one_goes_on() {
        let older = conversation(9);
        let newer = Conversation { key: ConversationKey(ulid::Ulid::from_parts(2, 1)), step: Some(StepId(5)), ..conversation(2) };
        let ahead = join(stored(Some(newer.clone())), Some(known(&older, 9)), BOT, 1).conversation;
        assert_eq!(ahead, Some(Conversation { over: true, ..newer.clone() }));
        let behind = join(stored(Some(older.clone())), Some(known(&newer, 2)), BOT, 1).conversation;
        assert_eq!(behind, Some(newer.clone()));
        let unreadable = OpenConversation { state: serde_json::Value::Null, ..known(&newer, 2) };
        assert_eq!(join(stored(Some(older.clone())), Some(unreadable), BOT, 1).conversation, Some(Conversation { over: true, ..older }));
    }

    #[test]
    fn a_conversation_that_odoo_does_not_know_is_marked_so() {
        let ours = conversation(9);
        assert_eq!(join(stored(Some(ours.clone())), None, BOT, 1).conversation, Some(Conversation { over: true, ..ours }));
    }

    fn open(state: ConsultationState) -> OpenConsultation {
        OpenConsultation { consultation: ConsultationKey(ulid::Ulid::from_parts(9, 9)), state, operator: Some("Julia".to_owned()) }
    }

    /// OP-11: a consultation that Odoo has ended, or lost, holds nobody; one that it has goes on.
    #[test]
    fn of_a_consultation_odoo_alone_knows() {
        let asked = Consultation::requested(ConsultationKey(ulid::Ulid::from_parts(8, 8)));
        let ours = Conversation { consultation: Some(asked), ..conversation(9) };
        for odoo_has in [None, Some(open(ConsultationState::Assigned))] {
            let remembered = OpenConversation { consultation: odoo_has.clone(), ..known(&ours, 9) };
            for stored in [stored(Some(ours.clone())), ChatRecord::default()] {
                let joined = join(stored, Some(remembered.clone()), BOT, 1).conversation.expect("it goes on");
                assert_eq!(joined.consultation.map(|running| running.key), odoo_has.as_ref().map(|open| open.consultation));
                assert!(!joined.over);
            }
        }
        let lost = join(stored(Some(ours)), None, BOT, 1).conversation.expect("it goes on in a new one");
        assert!(lost.over && lost.consultation.is_none());
    }

    #[test]
    fn a_conversation_that_odoo_began_has_no_copy_and_is_known_by_its_consultation() {
        let begun =
            OpenConversation { state: serde_json::json!({}), consultation: Some(open(ConsultationState::Assigned)), ..known(&conversation(3), 3) };
        let joined = join(ChatRecord::default(), Some(begun.clone()), BOT, 1).conversation.expect("it runs");
        assert_eq!((joined.sequence, joined.consultation.is_some()), (3, true));
        let without = OpenConversation { consultation: None, ..begun };
        assert_eq!(join(ChatRecord::default(), Some(without), BOT, 1).conversation, None);
    }

    /// B-SET-5: who is given an operator at this very moment is told so, though Odoo's answer knows of it already.
    #[test]
    fn what_an_event_is_about_to_tell_is_not_known_before_it() {
        let remembered = OpenConversation { consultation: Some(open(ConsultationState::Assigned)), ..known(&conversation(3), 3) };
        let event = |what| Incoming {
            chat: crate::domain::ChatId(5),
            profile: stored(None).profile.expect("given"),
            at: Timestamp::UNIX_EPOCH,
            message: None,
            content: Content::Odoo(crate::domain::FromOdoo { conversation: None, what }),
        };
        let consultation = open(ConsultationState::Assigned).consultation;
        let assigned = event(OdooEvent::Assigned { consultation, operator: "Julia".to_owned(), started: true });
        assert_eq!(before(remembered.clone(), &assigned).consultation, None);
        assert!(before(remembered, &event(OdooEvent::Ended { consultation })).consultation.is_some());
    }
}
