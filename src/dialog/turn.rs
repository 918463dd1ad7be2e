//! One turn: an event, the effects it has, and what is known afterwards.

use jiff::{SignedDuration, Timestamp};

use super::effect::{Effect, Flaw};
use crate::domain::{
    Author, ChannelId, ChatRecord, CloseReason, ConsultationKey, Content, Conversation, ConversationKey, EndReason, Incoming, Localized, Markup,
    MessageKind, OperationBody, Profile, Script,
};
use crate::text::Notice;
use crate::text::template::plain_to_html;

/// A conversation in which nobody says anything for so long has ended; the next word opens a new one at the same place.
const SILENCE: SignedDuration = SignedDuration::from_hours(24);

/// What the caller gives to a turn, so that the engine needs neither clock nor chance.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// Through which channel.
    pub channel: ChannelId,
    /// The time.
    pub now: Timestamp,
    /// The key for a conversation, should one be opened.
    pub fresh: ConversationKey,
    /// The key for a consultation, should an operator be asked for.
    pub consultation: ConsultationKey,
    /// Odoo does not answer at the moment.
    pub backend_away: bool,
}

/// Takes one event. Gives back the chat's record afterwards and what is to be done, in order.
pub fn advance(script: &Script, record: ChatRecord, event: &Incoming, given: Given) -> (ChatRecord, Vec<Effect>) {
    // Of what the person says of themselves, the chat knows the latest.
    let known = record.profile.clone().filter(|_| matches!(event.content, Content::Odoo(_)));
    let profile = known.unwrap_or_else(|| event.profile.clone());
    let mut turn = Turn { script, record, event, profile, given, effects: Vec::new() };
    turn.run();
    (turn.record, turn.effects)
}

pub(super) struct Turn<'a> {
    pub script: &'a Script,
    pub record: ChatRecord,
    pub event: &'a Incoming,
    /// The person.
    pub profile: Profile,
    pub given: Given,
    pub effects: Vec<Effect>,
}

impl Turn<'_> {
    fn run(&mut self) {
        let event = self.event;
        match &event.content {
            Content::Odoo(told) => return self.told(told),
            Content::Blocked => return self.blocked(),
            Content::Unblocked => return self.unblocked(),
            Content::Tap { callback, .. } => self.effects.push(Effect::AnswerTap { callback: callback.clone() }),
            _ => {}
        }
        if self.record.blocked {
            // Who writes has unblocked the bot, whether or not we were told.
            self.unblocked();
        }
        self.meet();
        if self.consulting() {
            if !self.is_start() {
                return self.consult();
            }
            self.break_off();
        }
        let before = self.record.conversation.as_ref().map(|open| open.key);
        self.renew();
        if !self.script.client {
            return self.answer_at_desk(before);
        }
        self.answer();
        self.note_position();
    }

    /// Tells Odoo of a person who is new or describes themselves anew.
    fn meet(&mut self) {
        let profile = &self.profile;
        if self.record.profile.as_ref() == Some(profile) {
            return;
        }
        self.effects.push(Effect::Record(OperationBody::Sender {
            channel: self.given.channel,
            user: profile.user,
            chat: self.event.chat,
            first_name: profile.first_name.clone(),
            last_name: profile.last_name.clone(),
            username: profile.username.clone(),
            language_code: profile.language_code.clone(),
        }));
        self.record.profile = Some(profile.clone());
    }

    fn blocked(&mut self) {
        if let Some(conversation) = self.record.conversation.take() {
            if let Some(consultation) = &conversation.consultation {
                self.note_end(conversation.key, consultation.key, EndReason::Blocked);
            }
            if !conversation.over {
                self.note(OperationBody::Close { conversation: conversation.key, reason: CloseReason::Blocked });
            }
        }
        self.meet();
        self.set_blocked(true);
    }

    fn unblocked(&mut self) {
        self.meet();
        self.set_blocked(false);
    }

    fn set_blocked(&mut self, blocked: bool) {
        self.record.blocked = blocked;
        self.note(OperationBody::Membership { channel: self.given.channel, user: self.profile.user, blocked });
    }

    /// The open conversation; opened when there is none.
    pub fn conversation(&mut self) -> &mut Conversation {
        if self.record.conversation.is_none() {
            self.open();
        }
        self.record.conversation.as_mut().expect("just opened")
    }

    /// Opens a conversation; Odoo ends the one before it.
    pub fn open(&mut self) {
        let key = self.given.fresh;
        self.note(OperationBody::Open { conversation: key, channel: self.given.channel, user: self.profile.user, chat: self.event.chat });
        self.record.conversation = Some(Conversation::open(key, self.script.bot, self.given.now));
    }

    /// After a day of silence, or where the conversation is over in Odoo, the talk goes on where it was, in a conversation of its own.
    fn renew(&mut self) {
        let Some(old) = &mut self.record.conversation else { return };
        if !old.over && self.given.now.duration_since(old.active) < SILENCE {
            return;
        }
        let (key, over) = (old.key, std::mem::replace(&mut old.over, true));
        if !over {
            self.note(OperationBody::Close { conversation: key, reason: CloseReason::Silence });
        }
        // /start opens one by itself.
        if !(self.script.client && self.is_start()) {
            self.reopen();
        }
    }

    /// Goes on in a conversation of its own where one that is over stood.
    pub fn reopen(&mut self) {
        let Some(old) = self.record.conversation.take_if(|old| old.over) else { return };
        self.open();
        self.conversation().stand_where(&old);
    }

    /// Records what the person said, as the next line of the conversation.
    pub fn hear(&mut self) {
        self.hear_for(None);
    }

    /// The same, for the operator of a consultation to read.
    pub fn hear_for(&mut self, consultation: Option<ConsultationKey>) {
        let (kind, body) = self.heard();
        let telegram_message = self.event.message;
        let now = self.given.now;
        let conversation = self.conversation();
        conversation.active = now;
        conversation.refused.clear();
        let body = OperationBody::Message {
            conversation: conversation.key,
            sequence: conversation.next_sequence(),
            author: Author::Customer,
            kind,
            body,
            step: conversation.step,
            telegram_message,
            consultation,
            discuss_message: None,
        };
        self.note(body);
    }

    /// What kind of line it is, and its words as HTML.
    pub fn heard(&self) -> (MessageKind, String) {
        match &self.event.content {
            Content::Text(text) if self.keyboard_button(text).is_some() => (MessageKind::Button, plain_to_html(text)),
            Content::Text(text) => (MessageKind::Text, plain_to_html(text)),
            Content::Command { text, .. } => (MessageKind::Command, plain_to_html(text)),
            Content::Tap { data, .. } => (MessageKind::Button, plain_to_html(&self.label_of(data))),
            Content::Other(kind) => (MessageKind::Media, format!("[{}]", plain_to_html(kind))),
            Content::Blocked | Content::Unblocked | Content::Odoo(_) => (MessageKind::Other, String::new()),
        }
    }

    /// Copies the dialog's position to Odoo.
    pub fn note_position(&mut self) {
        let Some(conversation) = self.record.conversation.as_ref().filter(|open| !open.over) else { return };
        let state = serde_json::to_value(conversation).expect("a conversation is plain data");
        self.note(OperationBody::State { conversation: conversation.key, step: conversation.step, state });
    }

    /// Says one of the bridge's own sentences.
    pub fn notice(&mut self, notice: Notice) {
        let sentence = notice.sentence(self.language());
        self.say(&sentence, Markup::Nothing);
    }

    /// One of the bot's plain texts for this person, as HTML; empty where it has none.
    pub fn own_text(&self, text: &Localized) -> String {
        plain_to_html(text.pick(self.profile.language_code.as_deref(), &self.script.language).unwrap_or_default())
    }

    /// The language of the person's app, else the bot's.
    pub fn language(&self) -> &str {
        self.profile.language_code.as_deref().unwrap_or(&self.script.language)
    }

    /// Something is to be written in Odoo.
    pub fn note(&mut self, body: OperationBody) {
        self.effects.push(Effect::Record(body));
    }

    pub fn report(&mut self, flaw: Flaw) {
        self.effects.push(Effect::Report(flaw));
    }
}
