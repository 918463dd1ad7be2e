//! What is known of a chat: from the store; and, where the store was lost or the database restored, from Odoo.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::timeout;

use super::run::Shared;
use crate::domain::{ChatKey, ChatRecord, Conversation, UserId};
use crate::ports::{Failure, OpenConversation};

/// How long a customer waits for what Odoo remembers; then the talk goes on without it.
const PATIENCE: Duration = Duration::from_secs(3);

/// The record of a chat. One of an earlier era is brought in line with Odoo first: store and database may have lost different things. One that cannot be
/// read counts as lost: else the updates of this chat would come again for ever, in front of everybody else's.
pub async fn record(shared: &Shared, chat: ChatKey, user: UserId) -> Result<ChatRecord, Failure> {
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
    let remembered = ask(shared, chat, user).await;
    Ok(join(stored, remembered, era))
}

async fn ask(shared: &Shared, chat: ChatKey, user: UserId) -> Option<OpenConversation> {
    let asked = async {
        let claim = shared.lease.claim(None).await;
        shared.backend.open_conversation(&claim, chat.channel, user).await
    };
    match timeout(PATIENCE, asked).await {
        Ok(Ok(found)) => found,
        Ok(Err(failure)) => {
            tracing::warn!(channel.id = %chat.channel, %failure, "Odoo could not tell of an earlier conversation");
            None
        }
        Err(_) => {
            tracing::warn!(channel.id = %chat.channel, "Odoo did not tell of an earlier conversation in time");
            None
        }
    }
}

/// Joins both memories: the newer one wins. A conversation of ours that Odoo does not know goes on in a new one, at the same place; the person is
/// introduced to Odoo again in any case.
fn join(stored: ChatRecord, remembered: Option<OpenConversation>, era: u32) -> ChatRecord {
    let conversation = match (stored.conversation, remembered) {
        // The same conversation: who has the later line.
        (Some(ours), Some(known)) if ours.key == known.conversation && ours.sequence >= known.sequence => Some(ours),
        // Keys are drawn in the order of time.
        (Some(ours), Some(known)) if ours.key > known.conversation => Some(forgotten(ours)),
        (Some(ours), Some(known)) => restored(known).or(Some(forgotten(ours))),
        (Some(ours), None) => Some(forgotten(ours)),
        (None, Some(known)) => restored(known),
        (None, None) => None,
    };
    ChatRecord { profile: None, conversation, era, blocked: stored.blocked }
}

/// A conversation that Odoo does not know (any more).
fn forgotten(ours: Conversation) -> Conversation {
    Conversation { forgotten: true, ..ours }
}

/// A conversation from Odoo's copy.
fn restored(known: OpenConversation) -> Option<Conversation> {
    let copy: Conversation = serde_json::from_value(known.state).ok()?;
    Some(Conversation { key: known.conversation, step: known.step, sequence: copy.sequence.max(known.sequence), ..copy })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BotId, ConversationKey, Profile, StepId};
    use jiff::Timestamp;

    fn conversation(sequence: u32) -> Conversation {
        let open = Conversation::open(ConversationKey(ulid::Ulid::from_parts(1, 1)), BotId(1), Timestamp::UNIX_EPOCH);
        Conversation { step: Some(StepId(2)), started: true, keyboard: Some(StepId(2)), sequence, ..open }
    }

    fn known(conversation: &Conversation, sequence: u32) -> OpenConversation {
        let state = serde_json::to_value(conversation).expect("plain data");
        OpenConversation { conversation: conversation.key, step: conversation.step, state, sequence }
    }

    fn stored(conversation: Option<Conversation>) -> ChatRecord {
        let profile = Profile { user: UserId(5), first_name: "Anna".to_owned(), last_name: None, username: None, language_code: None };
        ChatRecord { profile: Some(profile), conversation, era: 0, blocked: false }
    }

    #[test]
    fn a_lost_store_gets_the_conversation_back_from_odoo() {
        let before = conversation(4);
        let joined = join(ChatRecord::default(), Some(known(&before, 6)), 1);
        assert_eq!(joined, ChatRecord { conversation: Some(Conversation { sequence: 6, ..before }), era: 1, ..ChatRecord::default() });
    }

    #[test]
    fn a_store_that_is_ahead_of_odoo_keeps_its_place_in_a_conversation_that_odoo_knows() {
        let ours = conversation(9);
        let joined = join(stored(Some(ours.clone())), Some(known(&conversation(4), 4)), 2);
        assert_eq!(joined.conversation, Some(ours));
        assert_eq!(joined.profile, None, "introduced again: the sender may be gone, too");
    }

    #[test]
    fn a_store_that_is_behind_takes_odoos_place() {
        let joined = join(stored(Some(conversation(4))), Some(known(&Conversation { step: Some(StepId(8)), ..conversation(9) }, 9)), 2);
        assert_eq!(joined.conversation, Some(Conversation { step: Some(StepId(8)), ..conversation(9) }));
    }

    #[test]
    fn of_two_conversations_the_newer_one_goes_on() {
        let older = conversation(9);
        let newer = Conversation { key: ConversationKey(ulid::Ulid::from_parts(2, 1)), step: Some(StepId(5)), ..conversation(2) };
        let ahead = join(stored(Some(newer.clone())), Some(known(&older, 9)), 1).conversation;
        assert_eq!(ahead, Some(Conversation { forgotten: true, ..newer.clone() }));
        let behind = join(stored(Some(older.clone())), Some(known(&newer, 2)), 1).conversation;
        assert_eq!(behind, Some(newer.clone()));
        let unreadable = OpenConversation { state: serde_json::Value::Null, ..known(&newer, 2) };
        assert_eq!(join(stored(Some(older.clone())), Some(unreadable), 1).conversation, Some(Conversation { forgotten: true, ..older }));
    }

    #[test]
    fn a_conversation_that_odoo_does_not_know_is_marked_so() {
        let ours = conversation(9);
        assert_eq!(join(stored(Some(ours.clone())), None, 1).conversation, Some(Conversation { forgotten: true, ..ours }));
    }
}
