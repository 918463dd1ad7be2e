//! What a person's words or tap mean at the step where they stand.

use jiff::SignedDuration;

use super::effect::Flaw;
use super::keyboard;
use super::turn::Turn;
use crate::domain::{Button, Content, Conversation, Markup, StepKind, Target};
use crate::text::Notice;

/// Two taps on the same label within this time, by Telegram's clock, are one tap.
const SAME_TAP: SignedDuration = SignedDuration::from_secs(3);

/// What is to happen next.
enum Meaning {
    /// Do what the button says.
    Follow(Target),
    /// The button's step is gone.
    Gone,
    /// It was said already: nothing.
    Again,
    /// /end, but there is no consultation (ST-7).
    NothingToEnd,
    /// Nothing fits.
    Nothing,
}

impl Turn<'_> {
    /// Answers what the person did in the dialog.
    pub fn answer(&mut self) {
        if self.is_start() {
            return self.restart();
        }
        self.conversation();
        if !self.started() {
            return self.not_started();
        }
        if self.step_is_gone() {
            self.hear();
            self.notice(Notice::Restarted);
            return self.begin();
        }
        let meaning = self.meaning();
        self.hear();
        self.take(meaning);
    }

    pub fn is_start(&self) -> bool {
        self.is_command("start")
    }

    pub fn is_command(&self, wanted: &str) -> bool {
        matches!(&self.event.content, Content::Command { name, .. } if name == wanted)
    }

    /// /start opens a new conversation, unless the open one has only been waiting for it.
    fn restart(&mut self) {
        if self.record.conversation.as_ref().is_none_or(|open| open.started || open.over) {
            let keyboard = self.record.conversation.as_ref().and_then(|old| old.keyboard);
            self.open();
            self.conversation().keyboard = keyboard;
        }
        self.hear();
        self.begin();
    }

    fn started(&mut self) -> bool {
        self.conversation().started
    }

    /// Before /start: the bot's own sentence (B-SET-4), or, where it does not wait, the dialog (B-SET-15).
    fn not_started(&mut self) {
        self.hear();
        if self.script.wait_for_start {
            let html = self.own_text(&self.script.texts.not_started);
            return self.say(&html, Markup::Nothing);
        }
        match self.alias() {
            Some(step) => {
                self.conversation().started = true;
                self.enter(step);
            }
            None => self.begin(),
        }
    }

    /// The step where the person stands has been deleted.
    fn step_is_gone(&mut self) -> bool {
        let steps = &self.script.steps;
        self.record.conversation.as_ref().and_then(|open| open.step).is_some_and(|step| !steps.contains_key(&step))
    }

    fn meaning(&self) -> Meaning {
        match &self.event.content {
            Content::Tap { data, .. } => match keyboard::button_of(data).and_then(|id| self.script.inline.get(&id)) {
                Some(target) => Meaning::Follow(target.clone()),
                None => Meaning::Gone,
            },
            Content::Text(text) if self.just_taken(text) => Meaning::Again,
            Content::Text(text) => match self.keyboard_button(text) {
                Some(button) => Meaning::Follow(button.target.clone()),
                None => self.alias().map_or(Meaning::Nothing, |step| Meaning::Follow(Target::Step(step))),
            },
            Content::Command { name, .. } if name == "end" && self.alias().is_none() => Meaning::NothingToEnd,
            Content::Command { .. } => self.alias().map_or(Meaning::Nothing, |step| Meaning::Follow(Target::Step(step))),
            _ => Meaning::Nothing,
        }
    }

    fn take(&mut self, meaning: Meaning) {
        match meaning {
            Meaning::Follow(Target::Step(step)) => {
                self.remember_tap();
                self.enter(step);
            }
            Meaning::Follow(Target::Nothing) => {
                if let Some(step) = self.conversation().step {
                    self.report(Flaw::NoTarget(step));
                }
                self.ask_again(None);
            }
            Meaning::Follow(Target::Url(_)) | Meaning::Again => {}
            Meaning::Gone => self.ask_again(Some(Notice::ButtonGone)),
            Meaning::NothingToEnd => self.notice(Notice::NoConsultation),
            // Where a consultation was, or nobody was there for one, the next word begins the dialog.
            Meaning::Nothing if self.at_operator() => self.begin(),
            Meaning::Nothing => self.ask_again(Some(Notice::NotUnderstood)),
        }
    }

    /// The step that the words lead to: commands from anywhere, plain words only where the step waits for nothing (ST-3).
    fn alias(&self) -> Option<crate::domain::StepId> {
        match &self.event.content {
            Content::Command { name, .. } => self.script.alias(&format!("/{name}")).or_else(|| self.script.alias(name)),
            Content::Text(text) if self.at_rest() => self.script.alias(text),
            _ => None,
        }
    }

    /// The step waits for nothing.
    fn at_rest(&self) -> bool {
        self.step().is_none_or(|step| step.kind != StepKind::Buttons)
    }

    /// The step handed over to an operator, and that is past.
    pub fn at_operator(&self) -> bool {
        self.step().is_some_and(|step| step.kind == StepKind::Operator)
    }

    /// The step where the person stands.
    pub fn step(&self) -> Option<&crate::domain::Step> {
        self.record.conversation.as_ref().and_then(|open| open.step).and_then(|id| self.script.steps.get(&id))
    }

    /// The button that bears these words, in whatever language they were shown: of the step's keyboard, else of an earlier step's that is still on the
    /// screen.
    pub fn keyboard_button(&self, text: &str) -> Option<&Button> {
        let text = text.trim();
        let shown = self.record.conversation.as_ref().and_then(|open| open.keyboard).and_then(|id| self.script.steps.get(&id));
        let mut buttons = self.step().into_iter().chain(shown).flat_map(|step| step.keyboard.iter().flatten());
        buttons.find(|button| button.text.0.values().any(|label| label.trim() == text))
    }

    /// The words on a tapped button, for the record.
    pub fn label_of(&self, data: &str) -> String {
        let Some(id) = keyboard::button_of(data) else { return String::new() };
        let found = |button: &&Button| button.id == id;
        let mut buttons = self.script.steps.values().flat_map(|step| step.buttons.iter().flatten());
        let label = buttons.find(found).and_then(|button| button.text.pick(Some(self.language()), &self.script.language));
        label.unwrap_or_default().to_owned()
    }

    /// The same label, consumed a moment ago: a double tap.
    fn just_taken(&self, text: &str) -> bool {
        let taken = self.record.conversation.as_ref().and_then(|open| open.taken.as_ref());
        taken.is_some_and(|(label, at)| label == text && self.event.at.duration_since(*at).abs() <= SAME_TAP)
    }

    fn remember_tap(&mut self) {
        let taken = match &self.event.content {
            Content::Text(text) if self.keyboard_button(text).is_some() => Some((text.clone(), self.event.at)),
            _ => None,
        };
        let conversation: &mut Conversation = self.conversation();
        conversation.taken = taken;
    }
}
