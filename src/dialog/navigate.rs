//! Going from step to step, and saying what they say.

use std::collections::HashSet;

use serde_json::json;

use super::effect::{Effect, Flaw};
use super::keyboard;
use super::turn::Turn;
use crate::domain::{Author, Formatted, Markup, MessageKind, OperationBody, Script, Step, StepId, StepKind};
use crate::text::{self, Notice};

/// The longest text of one message, in UTF-16 units.
pub(super) const LONGEST: u32 = 4096;

impl<'a> Turn<'a> {
    /// Begins the dialog at its first step. A bot without one only notifies, and says so (NTF-18).
    pub fn begin(&mut self) {
        let conversation = self.conversation();
        conversation.started = true;
        conversation.step = None;
        conversation.taken = None;
        match self.first() {
            Some(first) => self.enter(first),
            None => self.notice(Notice::Enrolled),
        }
    }

    /// The first step, if it is there.
    fn first(&self) -> Option<StepId> {
        self.script.first.filter(|first| self.script.steps.contains_key(first))
    }

    /// Shows a step, and those after it as long as they wait for nothing.
    pub fn enter(&mut self, first: StepId) {
        let script: &'a Script = self.script;
        let mut passed = HashSet::new();
        let mut next = Some(first);
        while let Some(id) = next {
            if !passed.insert(id) || self.conversation().refused.contains(&id) {
                return self.report(Flaw::Loop(id));
            }
            let Some(step) = script.steps.get(&id) else {
                self.report(Flaw::Missing(id));
                return self.ask_again_unless(passed.len() > 1);
            };
            self.conversation().step = Some(id);
            self.show(step);
            next = match step.kind {
                StepKind::Text => step.next,
                StepKind::Buttons => None,
                StepKind::Operator => self.request(step),
            };
        }
    }

    /// A missing step met at once leaves the person where they are, with the step asked again; met later, the texts before it have answered.
    fn ask_again_unless(&mut self, answered: bool) {
        if !answered {
            self.ask_again(None);
        }
    }

    /// Asks the current step again, after a hint. One that handed over to an operator asks nothing: the dialog begins.
    pub fn ask_again(&mut self, hint: Option<Notice>) {
        if let Some(notice) = hint {
            self.notice(notice);
        }
        let script: &'a Script = self.script;
        match self.step().map(|step| step.id).and_then(|id| script.steps.get(&id)) {
            Some(step) if step.kind != StepKind::Operator => self.show(step),
            _ => self.begin(),
        }
    }

    /// Says a step's text, with its keyboards.
    pub fn show(&mut self, step: &Step) {
        let html = self.words_of(step);
        let inline = keyboard::inline_rows(step, self.script, self.language());
        let reply = keyboard::reply_rows(step, self.script, self.language());
        match (inline.is_empty(), reply.is_empty()) {
            (true, true) => {
                // Where the dialog goes on at once, the step after it decides over the keyboard: it would only flicker.
                let stays = step.kind == StepKind::Text && step.next.is_some();
                let markup = if self.conversation().keyboard.is_some() && !stays { Markup::Remove } else { Markup::Nothing };
                self.say(&html, markup);
            }
            (true, false) => self.say_over(&html, Markup::Keyboard { rows: reply }),
            (false, true) => self.say_over(&html, Markup::Inline { rows: inline }),
            (false, false) => {
                // A message carries one keyboard only: the buttons stay with the text, the keyboard comes behind it.
                self.say_over(&html, Markup::Inline { rows: inline });
                self.say_over("", Markup::Keyboard { rows: reply });
            }
        }
    }

    /// Says something that bears buttons: it must have words.
    fn say_over(&mut self, html: &str, markup: Markup) {
        if text::formatted(html).text.is_empty() {
            let sentence = Notice::Choose.sentence(self.language());
            self.say(&sentence, markup);
        } else {
            self.say(html, markup);
        }
    }

    /// The step's text for this person, as HTML.
    fn words_of(&mut self, step: &Step) -> String {
        let Some(html) = step.text.pick(self.profile.language_code.as_deref(), &self.script.language) else { return String::new() };
        text::render(html, &self.values()).unwrap_or_else(|broken| {
            self.report(Flaw::Template(step.id));
            broken.text
        })
    }

    /// What placeholders may name.
    fn values(&self) -> serde_json::Value {
        let profile = &self.profile;
        json!({"partner": {"name": profile.full_name()}, "sender": {"first_name": profile.first_name, "username": profile.username}})
    }

    /// Says HTML, in as many messages as it takes, the keyboard with the last; an empty text says nothing. Each message is recorded.
    pub fn say(&mut self, html: &str, markup: Markup) {
        let words = text::formatted(html);
        if words.text.is_empty() {
            return;
        }
        let whole = text::utf16_len(&words.text) <= LONGEST;
        let mut pieces = text::split(words, LONGEST).into_iter().peekable();
        while let Some(piece) = pieces.next() {
            let body = if whole { html.to_owned() } else { text::template::plain_to_html(&piece.text) };
            let markup = if pieces.peek().is_none() { markup.clone() } else { Markup::Nothing };
            self.say_one(piece, body, markup);
        }
    }

    fn say_one(&mut self, text: Formatted, body: String, markup: Markup) {
        let conversation = self.conversation();
        match markup {
            Markup::Keyboard { .. } => conversation.keyboard = conversation.step,
            Markup::Remove => conversation.keyboard = None,
            Markup::Nothing | Markup::Inline { .. } => {}
        }
        let sequence = conversation.next_sequence();
        let (conversation, step) = (conversation.key, conversation.step);
        self.effects.push(Effect::Record(OperationBody::Message {
            conversation,
            sequence,
            author: Author::Bot,
            kind: MessageKind::Text,
            body,
            step,
            telegram_message: None,
            consultation: None,
            discuss_message: None,
        }));
        self.effects.push(Effect::Say { conversation, sequence, text, markup, confirm: false });
    }
}
