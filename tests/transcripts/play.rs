//! Plays a transcript through the real engine.

use std::collections::HashMap;
use std::fmt::Write;

use chatbridge::dialog::{Effect, Given, advance};
use chatbridge::domain::{
    ChannelId, ChatId, ChatRecord, ConsultationKey, Content, ConversationKey, Incoming, InlineAction, Markup, MessageId, OperationBody, Profile,
    Script, UserId,
};
use jiff::{SignedDuration, Timestamp};

use crate::bot;
use crate::show::shown;
use crate::told::told;

/// The whole file again, with what really follows.
pub fn play(written: &str) -> String {
    let mut stage = Stage::new();
    for line in written.lines() {
        stage.line(line);
    }
    stage.out
}

pub fn conversation(number: u64) -> ConversationKey {
    ConversationKey(ulid::Ulid::from_parts(1, number.into()))
}

pub fn consultation(number: u64) -> ConsultationKey {
    ConsultationKey(ulid::Ulid::from_parts(2, number.into()))
}

/// The number of a consultation.
pub fn number(key: ConsultationKey) -> u64 {
    u64::try_from(key.0.random()).expect("ours are small")
}

struct Stage {
    script: Script,
    record: ChatRecord,
    now: Timestamp,
    profile: Profile,
    /// Conversations and consultations by the order in which they began.
    conversations: u64,
    consultations: u64,
    /// In which conversation each consultation is, as Odoo knows it.
    places: HashMap<u64, ConversationKey>,
    odoo_away: bool,
    messages: i64,
    buttons: Vec<(String, String)>,
    out: String,
}

impl Stage {
    fn new() -> Self {
        let profile = Profile {
            user: UserId(5),
            first_name: "Anna".to_owned(),
            last_name: Some("Koval".to_owned()),
            username: None,
            language_code: Some("en".to_owned()),
        };
        Self {
            script: bot::empty(),
            record: ChatRecord::default(),
            now: "2026-03-02T10:00:00Z".parse().expect("an instant"),
            profile,
            conversations: 0,
            consultations: 0,
            places: HashMap::new(),
            odoo_away: false,
            messages: 0,
            buttons: Vec::new(),
            out: String::new(),
        }
    }

    fn line(&mut self, line: &str) {
        let Some((mark, rest)) = line.split_at_checked(1) else {
            return self.copy(line);
        };
        match mark {
            "<" | "=" | "?" | " " => {}
            ">" => {
                self.copy(line);
                self.act(rest.trim());
            }
            "*" => {
                self.copy(line);
                self.tell(rest.trim());
            }
            "@" => {
                self.copy(line);
                bot::describe(&mut self.script, rest);
            }
            "~" => {
                self.copy(line);
                self.now += rest.trim().parse::<SignedDuration>().expect("a duration such as 3m");
            }
            "!" => {
                self.copy(line);
                self.change(rest.trim());
            }
            _ => self.copy(line),
        }
    }

    fn copy(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// A change of the bot, or of the customer's profile, in the middle of the talk.
    fn change(&mut self, what: &str) {
        let (verb, rest) = what.split_once(' ').expect("what, and to what");
        match verb {
            "delete" => {
                let id = chatbridge::domain::StepId(rest.parse().expect("a step's id"));
                self.script.steps.remove(&id);
            }
            "name" => self.profile.first_name = rest.to_owned(),
            "language" => self.profile.language_code = Some(rest.to_owned()),
            "odoo" => self.odoo_away = rest == "away",
            "step" | "channel" | "operator" => bot::describe(&mut self.script, what),
            other => panic!("unknown change {other}"),
        }
    }

    fn act(&mut self, what: &str) {
        self.messages += 1;
        let content = self.content(what);
        self.happen(content, Some(MessageId(self.messages)));
    }

    /// Something happens in Odoo.
    fn tell(&mut self, what: &str) {
        let ours = self.record.conversation.as_ref().filter(|open| !open.over).map(|open| open.key);
        let (event, new) = told(what, self.consultations, &self.places, ours, conversation(self.conversations + 1));
        self.consultations += u64::from(new.consultation);
        self.conversations += u64::from(new.conversation);
        self.happen(Content::Odoo(event), None);
    }

    fn happen(&mut self, content: Content, message: Option<MessageId>) {
        let event = Incoming { chat: ChatId(5), profile: self.profile.clone(), at: self.now, message, content };
        let given = Given {
            channel: ChannelId(7),
            now: self.now,
            fresh: conversation(self.conversations + 1),
            consultation: consultation(self.consultations + 1),
            backend_away: self.odoo_away,
        };
        let (record, effects) = advance(&self.script, std::mem::take(&mut self.record), &event, given);
        self.record = record;
        for effect in effects {
            self.show(effect);
        }
    }

    fn content(&self, what: &str) -> Content {
        if let Some(kind) = what.strip_prefix('(') {
            return Content::Other(if kind == "sticker)" { "sticker" } else { "photo" });
        }
        match what {
            "{blocked}" => return Content::Blocked,
            "{unblocked}" => return Content::Unblocked,
            _ => {}
        }
        if let Some(label) = what.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let under = self.buttons.iter().rev().find(|(text, _)| text == label);
            return match under {
                Some((_, data)) => Content::Tap { callback: "c".to_owned(), data: data.clone() },
                None => Content::Text(label.to_owned()),
            };
        }
        if let Some(data) = what.strip_prefix("data ") {
            return Content::Tap { callback: "c".to_owned(), data: data.to_owned() };
        }
        match what.strip_prefix('/') {
            Some(command) => {
                let (name, payload) = command.split_once(' ').unwrap_or((command, ""));
                Content::Command { name: name.to_lowercase(), payload: payload.to_owned(), text: what.to_owned() }
            }
            None => Content::Text(what.replace('⏎', "\n")),
        }
    }

    fn show(&mut self, effect: Effect) {
        match effect {
            Effect::Say { text, markup, confirm, .. } => {
                let styles: Vec<String> = text.entities.iter().map(|entity| format!("{:?}", entity.style).to_lowercase()).collect();
                let looks = if styles.is_empty() { String::new() } else { format!("  ({})", styles.join(", ")) };
                let confirm = if confirm { "  (to be confirmed)" } else { "" };
                writeln!(self.out, "< {}{looks}{confirm}", text.text.replace('\n', "⏎")).expect("a string");
                self.keyboard(markup);
            }
            Effect::Record(body) => {
                self.conversations += u64::from(matches!(body, OperationBody::Open { .. }));
                match &body {
                    OperationBody::ConsultationRequest { consultation, conversation, .. } => {
                        self.consultations += 1;
                        self.places.insert(number(*consultation), *conversation);
                    }
                    OperationBody::ConsultationJoined { consultation, conversation } => {
                        self.places.insert(number(*consultation), *conversation);
                    }
                    _ => {}
                }
                writeln!(self.out, "= {}", shown(body)).expect("a string");
            }
            Effect::AnswerTap { .. } => self.out.push_str("< (tap answered)\n"),
            Effect::Report(flaw) => writeln!(self.out, "? {flaw:?}").expect("a string"),
        }
    }

    fn keyboard(&mut self, markup: Markup) {
        match markup {
            Markup::Nothing => {}
            Markup::Remove => self.out.push_str("  (keyboard gone)\n"),
            Markup::Keyboard { rows } => {
                for row in rows {
                    let labels: Vec<String> = row.iter().map(|label| format!("[{label}]")).collect();
                    writeln!(self.out, "  {}", labels.join(" ")).expect("a string");
                }
            }
            Markup::Inline { rows } => {
                for row in rows {
                    let shown: Vec<String> = row
                        .iter()
                        .map(|button| match &button.action {
                            InlineAction::Url(url) => format!("<{} {url}>", button.text),
                            InlineAction::Data(data) => {
                                assert!(data.len() <= 64, "Telegram allows 64 bytes");
                                self.buttons.push((button.text.clone(), data.clone()));
                                format!("<{}>", button.text)
                            }
                        })
                        .collect();
                    writeln!(self.out, "  {}", shown.join(" ")).expect("a string");
                }
            }
        }
    }
}
