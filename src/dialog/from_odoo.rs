//! What Odoo tells of a chat: consultations that are queued, assigned, refused and ended there, and what operators write.
//!
//! An event may have crossed something that the person did. It is then one of a consultation that is not the running one: nothing is changed by it, and an
//! operator's words are said with their author before them.

use super::effect::Effect;
use super::navigate::LONGEST;
use super::turn::Turn;
use crate::domain::{
    Author, Consultation, ConsultationKey, ConsultationState, Conversation, DiscussMessageId, EndReason, Formatted, FromOdoo, Localized, Markup,
    MessageKind, OdooEvent, OperationBody,
};
use crate::text::{self, Notice, notices};

/// Why an operator's words were not tried. Operators read it.
const BLOCKED: &str = "The customer has blocked the bot";
const NO_WORDS: &str = "There are no words in it that Telegram could show";

impl Turn<'_> {
    /// Takes what Odoo tells.
    pub fn told(&mut self, event: &FromOdoo) {
        // Odoo knows them: they need not be introduced.
        self.record.profile.get_or_insert_with(|| self.profile.clone());
        match &event.what {
            OdooEvent::Queued { consultation, place } => self.queued(event, *consultation, *place),
            OdooEvent::Assigned { consultation, operator, started } => self.assigned(event, *consultation, operator, *started),
            OdooEvent::Refused { consultation } => self.refused(*consultation),
            OdooEvent::Said { consultation, message, operator, html } => self.said(*consultation, *message, operator, html),
            OdooEvent::Ended { consultation } => self.ended(event, *consultation),
            OdooEvent::Say { text } => self.say_for_odoo(text),
        }
    }

    /// The consultation that runs here, if it is this one.
    fn running(&mut self, key: ConsultationKey) -> Option<&mut Consultation> {
        self.record.conversation.as_mut()?.consultation.as_mut().filter(|running| running.key == key)
    }

    /// What we asked for was there already in this conversation of ours: Odoo tells of it under its own key.
    fn take_key(&mut self, event: &FromOdoo, key: ConsultationKey) {
        let ours = self.record.conversation.as_mut().filter(|ours| event.conversation == Some(ours.key) && !ours.over);
        let asked = ours.and_then(|ours| ours.consultation.as_mut()).filter(|asked| asked.state == ConsultationState::Requested);
        if let Some(asked) = asked {
            asked.key = key;
        }
    }

    /// No operator is free, or none is there (OP-2).
    fn queued(&mut self, event: &FromOdoo, key: ConsultationKey, place: u32) {
        self.take_key(event, key);
        let Some(consultation) = self.running(key) else { return };
        *consultation = Consultation { key, state: ConsultationState::Queued, operator: None };
        self.say_notice(Notice::Queued(place));
        self.note_position();
    }

    /// An operator has the chat (OP-6), or another one has it now (OP-12).
    fn assigned(&mut self, event: &FromOdoo, key: ConsultationKey, operator: &str, started: bool) {
        self.take_key(event, key);
        let known = self.running(key).map(|running| std::mem::replace(running, Consultation::assigned(key, operator)));
        let before = match known {
            Some(before) => before,
            None if self.record.blocked => return self.turn_away(event, key),
            None if started || self.is_for_us(event) => {
                self.adopt(event);
                self.conversation().consultation = Some(Consultation::assigned(key, operator));
                Consultation::requested(key)
            }
            None => return,
        };
        if !before.is_assigned() {
            let conversation = self.conversation().key;
            self.note(OperationBody::ConsultationJoined { conversation, consultation: key });
            self.say_joined(operator);
        } else if before.operator.as_deref() != Some(operator) && self.tells_names() {
            self.say_name(operator);
        }
        self.note_position();
    }

    /// Odoo gave an operator to the conversation that we have, or to a chat of which we know nothing: our memory is the shorter one.
    fn is_for_us(&self, event: &FromOdoo) -> bool {
        match &self.record.conversation {
            Some(ours) => event.conversation == Some(ours.key) && !ours.over && ours.consultation.is_none(),
            None => true,
        }
    }

    /// The conversation in which the consultation is from now on: the open one; else the one that Odoo made for it, at the same place of the dialog.
    fn adopt(&mut self, event: &FromOdoo) {
        if self.record.conversation.as_ref().is_some_and(|ours| !ours.over) {
            return;
        }
        let Some(key) = event.conversation else {
            self.reopen();
            self.conversation();
            return;
        };
        let old = self.record.conversation.take();
        if let Some(same) = old.as_ref().filter(|old| old.key == key) {
            self.record.conversation = Some(Conversation { over: false, ..same.clone() });
            return;
        }
        let mut adopted = Conversation::open(key, self.script.bot, self.given.now);
        if let Some(old) = old {
            adopted.stand_where(&old);
        }
        self.record.conversation = Some(adopted);
    }

    /// An operator was given to somebody who has blocked the bot.
    fn turn_away(&mut self, event: &FromOdoo, consultation: ConsultationKey) {
        if let Some(conversation) = event.conversation {
            self.note_end(conversation, consultation, EndReason::Blocked);
        }
    }

    /// What a customer reads when an operator has come: B-SET-5, 7, 17, 18.
    fn say_joined(&mut self, operator: &str) {
        let channel = self.script.channel(self.given.channel);
        if channel.is_some_and(|channel| !channel.join_message) {
            return if self.tells_names() {
                self.say_name(operator)
            };
        }
        let texts = &self.script.texts;
        let connected = self.own_text(&texts.operator_connected);
        let subject = if self.tells_names() { operator } else { notices::operator(self.language()) };
        let connected = if connected.is_empty() { connected } else { format!("{} {connected}", text::template::plain_to_html(subject)) };
        let lines: Vec<String> = [connected, self.own_text(&texts.how_to_end)].into_iter().filter(|line| !line.is_empty()).collect();
        self.say_without_keyboard(&lines.join("<br>"));
    }

    fn say_name(&mut self, operator: &str) {
        let sentence = notices::joined(operator, self.language());
        self.say_without_keyboard(&text::template::plain_to_html(&sentence));
    }

    fn tells_names(&self) -> bool {
        self.script.channel(self.given.channel).is_some_and(|channel| channel.send_operator_name)
    }

    /// Nobody is there (OP-2): the dialog goes on at the step for that, or rests.
    fn refused(&mut self, key: ConsultationKey) {
        if self.running(key).is_none() {
            return;
        }
        let conversation = self.conversation();
        conversation.consultation = None;
        // Not asked again before the next word: else two such steps could lead to each other without end.
        conversation.refused.extend(conversation.step);
        self.say_text(&self.script.texts.no_operator);
        if let Some(otherwise) = self.step().and_then(|step| step.operator.otherwise) {
            self.enter(otherwise);
        }
        self.note_position();
    }

    /// It was ended in Odoo (OP-11), and its conversation with it.
    fn ended(&mut self, event: &FromOdoo, key: ConsultationKey) {
        let Some(consultation) = self.running(key).cloned() else {
            // We did not know of it, but it was in our conversation.
            let ours = self.record.conversation.as_mut().filter(|ours| event.conversation == Some(ours.key) && ours.consultation.is_none());
            return ours.into_iter().for_each(|ours| ours.over = true);
        };
        self.conversation().consultation = None;
        if consultation.is_assigned() {
            self.say_ended();
        } else {
            self.say_text(&self.script.texts.no_operator);
        }
        self.go_on();
        self.note_position();
    }

    /// An operator's words.
    fn said(&mut self, key: ConsultationKey, message: DiscussMessageId, operator: &str, html: &str) {
        if self.record.blocked {
            return self.note(OperationBody::DiscussFailed { discuss_message: message, reason: BLOCKED.to_owned() });
        }
        let words = text::formatted(html);
        if words.text.is_empty() {
            return self.note(OperationBody::DiscussFailed { discuss_message: message, reason: NO_WORDS.to_owned() });
        }
        if self.running(key).is_some() {
            let markup = self.no_keyboard();
            return self.pass_on(message, html, words, markup);
        }
        self.reopen();
        let author = if self.tells_names() { operator } else { notices::operator(self.language()) };
        let words = text::author::by(author, words);
        self.pass_on(message, html, words, Markup::Nothing);
    }

    /// Says an operator's words: one line, in as many messages as it takes. Odoo hears when the last has been taken.
    fn pass_on(&mut self, message: DiscussMessageId, html: &str, words: Formatted, markup: Markup) {
        let conversation = self.conversation();
        if markup == Markup::Remove {
            conversation.keyboard = None;
        }
        let sequence = conversation.next_sequence();
        let (conversation, step) = (conversation.key, conversation.step);
        self.note(OperationBody::Message {
            conversation,
            sequence,
            author: Author::Operator,
            kind: MessageKind::Text,
            body: html.to_owned(),
            step,
            telegram_message: None,
            consultation: None,
            discuss_message: Some(message),
        });
        let mut pieces = text::split(words, LONGEST).into_iter().peekable();
        while let Some(text) = pieces.next() {
            let confirm = pieces.peek().is_none();
            let markup = if confirm { markup.clone() } else { Markup::Nothing };
            self.effects.push(Effect::Say { conversation, sequence, text, markup, confirm });
        }
    }

    /// Something that Odoo says in the bot's name.
    fn say_for_odoo(&mut self, text: &Localized) {
        let html = self.own_text(text);
        if self.record.blocked || html.is_empty() {
            return;
        }
        self.reopen();
        self.say(&html, Markup::Nothing);
    }
}
