//! Plays a transcript through the real engine.

use std::fmt::Write;

use chatbridge::dialog::{Effect, Given, advance};
use chatbridge::domain::{
    ChannelId, ChatId, ChatRecord, Content, ConversationKey, Incoming, InlineAction, Markup, MessageId, OperationBody, Profile, Script, UserId,
};
use jiff::{SignedDuration, Timestamp};

use crate::bot;

/// The whole file again, with what really follows.
pub fn play(written: &str) -> String {
    let mut stage = Stage::new();
    for line in written.lines() {
        stage.line(line);
    }
    stage.out
}

struct Stage {
    script: Script,
    record: ChatRecord,
    now: Timestamp,
    profile: Profile,
    conversations: u64,
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
            "step" => bot::describe(&mut self.script, what),
            other => panic!("unknown change {other}"),
        }
    }

    fn act(&mut self, what: &str) {
        self.messages += 1;
        let event = Incoming {
            chat: ChatId(5),
            profile: self.profile.clone(),
            at: self.now,
            message: Some(MessageId(self.messages)),
            content: self.content(what),
        };
        let given =
            Given { channel: ChannelId(7), now: self.now, fresh: ConversationKey(ulid::Ulid::from_parts(1, u128::from(self.conversations + 1))) };
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
            Effect::Say { text, markup, .. } => {
                let styles: Vec<String> = text.entities.iter().map(|entity| format!("{:?}", entity.style).to_lowercase()).collect();
                let looks = if styles.is_empty() { String::new() } else { format!("  ({})", styles.join(", ")) };
                writeln!(self.out, "< {}{looks}", text.text.replace('\n', "⏎")).expect("a string");
                self.keyboard(markup);
            }
            Effect::Record(body) => self.written(body),
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

    fn written(&mut self, body: OperationBody) {
        let line = match body {
            OperationBody::Sender { first_name, last_name, language_code, .. } => {
                format!("sender {first_name} {} ({})", last_name.unwrap_or_default(), language_code.unwrap_or_default())
            }
            OperationBody::Open { .. } => {
                self.conversations += 1;
                format!("open conversation {}", self.conversations)
            }
            OperationBody::Message { sequence, author, kind, body, step, .. } => {
                let at = step.map(|id| format!(" at {id}")).unwrap_or_default();
                format!("{sequence} {author:?} {kind:?}{at}: {}", shorten(&body))
            }
            OperationBody::MessageFailed { sequence, reason, .. } => format!("{sequence} failed: {reason}"),
            OperationBody::State { step, .. } => format!("now at {}", step.map_or("no step".to_owned(), |id| id.to_string())),
            OperationBody::Close { reason, .. } => format!("close: {reason:?}"),
            OperationBody::Membership { blocked, .. } => format!("blocked: {blocked}"),
            OperationBody::Refreshed { answer, .. } => format!("refreshed: {answer}"),
        };
        writeln!(self.out, "= {line}").expect("a string");
    }
}

fn shorten(body: &str) -> String {
    let short: String = body.chars().take(60).collect();
    if short.len() < body.len() { format!("{short}…") } else { short }
}
