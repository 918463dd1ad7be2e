//! A consultation as the customer has it: asked for, waited for, talked in, left.

use super::effect::Flaw;
use super::turn::Turn;
use crate::domain::{Consultation, ConsultationKey, ConversationKey, EndReason, Localized, Markup, OperationBody, Script, Step, StepId, StepKind};
use crate::text::Notice;

impl<'a> Turn<'a> {
    /// Asks Odoo for an operator (ST-OP), and waits. Where the step names no desk nobody can be asked: the step to go on with.
    pub fn request(&mut self, step: &Step) -> Option<StepId> {
        let Some(operator_bot) = step.operator.bot else {
            self.report(Flaw::NoDesk(step.id));
            self.say_text(&self.script.texts.no_operator);
            return step.operator.otherwise.or(step.next);
        };
        let consultation = self.given.consultation;
        let conversation = self.conversation();
        conversation.consultation = Some(Consultation::requested(consultation));
        let conversation = conversation.key;
        let wait = step.operator.otherwise.is_none();
        self.note(OperationBody::ConsultationRequest { conversation, consultation, operator_bot, step: Some(step.id), wait });
        if self.given.backend_away {
            self.say_notice(Notice::OperatorLater);
        }
        None
    }

    /// An operator has the chat, or is awaited.
    pub fn consulting(&self) -> bool {
        self.record.conversation.as_ref().is_some_and(|open| open.consultation.is_some())
    }

    /// In a consultation only /start and /end are commands: everything else is said to the operator, also while one is awaited.
    pub fn consult(&mut self) {
        if self.is_command("end") {
            self.leave();
            return self.note_position();
        }
        let consultation = self.record.conversation.as_ref().and_then(|open| open.consultation.as_ref()).map(|running| running.key);
        // A button that nobody knows any more has no words.
        let mute = self.heard().1.is_empty();
        self.hear_for(consultation.filter(|_| !mute));
        self.note_position();
    }

    /// /end (OP-11).
    fn leave(&mut self) {
        self.hear();
        let conversation = self.conversation();
        let key = conversation.key;
        let Some(consultation) = conversation.consultation.take() else { return };
        self.note_end(key, consultation.key, EndReason::Customer);
        if consultation.is_assigned() {
            self.say_ended();
        } else {
            self.say_notice(Notice::LeftQueue);
        }
        self.go_on();
    }

    /// /start in a consultation: it ends, and its conversation with it.
    pub fn break_off(&mut self) {
        let conversation = self.conversation();
        let key = conversation.key;
        let Some(consultation) = conversation.consultation.take() else { return };
        conversation.over = true;
        self.note_end(key, consultation.key, EndReason::Restart);
    }

    /// The consultation has ended, and its conversation in Odoo with it: the dialog goes on in a new one. After a step that handed over, at its next; in the
    /// middle of a dialog, at the step that waits for an answer; where neither is, at the next word.
    pub fn go_on(&mut self) {
        self.conversation().over = true;
        let script: &'a Script = self.script;
        let Some(step) = self.step().and_then(|step| script.steps.get(&step.id)) else { return };
        match step.kind {
            StepKind::Operator => {
                if let Some(next) = step.next {
                    self.reopen();
                    self.enter(next);
                }
            }
            StepKind::Buttons => {
                self.reopen();
                self.show(step);
            }
            StepKind::Text => {}
        }
    }

    /// The consultation has ended: the customer is told, where the channel does so (B-SET-11, B-SET-19).
    pub fn say_ended(&mut self) {
        if self.script.channel(self.given.channel).is_none_or(|channel| channel.end_message) {
            self.say_text(&self.script.texts.consultation_ended);
        }
    }

    /// Says one of the bot's plain texts; the dialog's keyboard, should it still be on the screen, goes.
    pub fn say_text(&mut self, text: &Localized) {
        let html = self.own_text(text);
        self.say_without_keyboard(&html);
    }

    /// The same with one of the bridge's sentences.
    pub fn say_notice(&mut self, notice: Notice) {
        let sentence = notice.sentence(self.language());
        self.say_without_keyboard(&sentence);
    }

    /// The same with HTML.
    pub fn say_without_keyboard(&mut self, html: &str) {
        let markup = self.no_keyboard();
        self.say(html, markup);
    }

    /// Takes the dialog's keyboard away, where one is on the screen: in a consultation its buttons would mean nothing.
    pub fn no_keyboard(&mut self) -> Markup {
        if self.conversation().keyboard.is_some() { Markup::Remove } else { Markup::Nothing }
    }

    /// Odoo is to end a consultation.
    pub fn note_end(&mut self, conversation: ConversationKey, consultation: ConsultationKey, reason: EndReason) {
        self.note(OperationBody::ConsultationEnd { conversation, consultation, reason });
    }
}
