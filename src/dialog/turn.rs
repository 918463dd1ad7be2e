//! One turn: an event, the effects it has, and what is known afterwards.

use jiff::{SignedDuration, Timestamp};

use super::effect::{Effect, Flaw};
use crate::domain::{
    Author, ChannelId, ChatRecord, CloseReason, Content, Conversation, ConversationKey, Incoming, MessageKind, OperationBody, Script,
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
}

/// Takes one event. Gives back the chat's record afterwards and what is to be done, in order.
pub fn advance(script: &Script, record: ChatRecord, event: &Incoming, given: Given) -> (ChatRecord, Vec<Effect>) {
    let mut turn = Turn { script, record, event, given, effects: Vec::new() };
    turn.run();
    (turn.record, turn.effects)
}

pub(super) struct Turn<'a> {
    pub script: &'a Script,
    pub record: ChatRecord,
    pub event: &'a Incoming,
    pub given: Given,
    pub effects: Vec<Effect>,
}

impl Turn<'_> {
    fn run(&mut self) {
        match &self.event.content {
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
        self.renew();
        if !self.script.client {
            return self.record_only();
        }
        self.answer();
        self.note_position();
    }

    /// Tells Odoo of a person who is new or describes themselves anew.
    fn meet(&mut self) {
        let profile = &self.event.profile;
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
            self.effects.push(Effect::Record(OperationBody::Close { conversation: conversation.key, reason: CloseReason::Blocked }));
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
        self.effects.push(Effect::Record(OperationBody::Membership { channel: self.given.channel, user: self.event.profile.user, blocked }));
    }

    /// A consultation desk's own token: what is written there is kept, and answered by people.
    fn record_only(&mut self) {
        self.conversation();
        self.hear();
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
        self.effects.push(Effect::Record(OperationBody::Open {
            conversation: key,
            channel: self.given.channel,
            user: self.event.profile.user,
            chat: self.event.chat,
        }));
        self.record.conversation = Some(Conversation::open(key, self.script.bot, self.given.now));
    }

    /// After a day of silence, or where Odoo has lost the conversation, the talk goes on where it was, in a conversation of its own.
    fn renew(&mut self) {
        let Some(old) = self.record.conversation.clone() else { return };
        if !old.forgotten && self.given.now.duration_since(old.active) < SILENCE {
            return;
        }
        if !old.forgotten {
            self.effects.push(Effect::Record(OperationBody::Close { conversation: old.key, reason: CloseReason::Silence }));
        }
        self.open();
        let new = self.conversation();
        new.step = old.step;
        new.started = old.started;
        new.keyboard = old.keyboard;
    }

    /// Records what the person said, as the next line of the conversation.
    pub fn hear(&mut self) {
        let (kind, body) = self.heard();
        let telegram_message = self.event.message;
        let now = self.given.now;
        let conversation = self.conversation();
        conversation.active = now;
        let body = OperationBody::Message {
            conversation: conversation.key,
            sequence: conversation.next_sequence(),
            author: Author::Customer,
            kind,
            body,
            step: conversation.step,
            telegram_message,
        };
        self.effects.push(Effect::Record(body));
    }

    /// What kind of line it is, and its words as HTML.
    fn heard(&self) -> (MessageKind, String) {
        match &self.event.content {
            Content::Text(text) if self.keyboard_button(text).is_some() => (MessageKind::Button, plain_to_html(text)),
            Content::Text(text) => (MessageKind::Text, plain_to_html(text)),
            Content::Command { text, .. } => (MessageKind::Command, plain_to_html(text)),
            Content::Tap { data, .. } => (MessageKind::Button, plain_to_html(&self.label_of(data))),
            Content::Other(kind) => (MessageKind::Media, format!("[{}]", plain_to_html(kind))),
            Content::Blocked | Content::Unblocked => (MessageKind::Other, String::new()),
        }
    }

    /// Copies the dialog's position to Odoo.
    fn note_position(&mut self) {
        let Some(conversation) = &self.record.conversation else { return };
        let state = serde_json::to_value(conversation).expect("a conversation is plain data");
        self.effects.push(Effect::Record(OperationBody::State { conversation: conversation.key, step: conversation.step, state }));
    }

    /// Says one of the bridge's own sentences.
    pub fn notice(&mut self, notice: Notice) {
        let sentence = notice.sentence(self.language());
        self.say(sentence, crate::domain::Markup::Nothing);
    }

    /// The language of the person's app, else the bot's.
    pub fn language(&self) -> &str {
        self.event.profile.language_code.as_deref().unwrap_or(&self.script.language)
    }

    pub fn report(&mut self, flaw: Flaw) {
        self.effects.push(Effect::Report(flaw));
    }
}
