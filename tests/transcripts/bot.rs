//! The bot of a transcript, from its `@` lines.

use std::collections::HashMap;

use chatbridge::domain::script::fold;
use chatbridge::domain::{BotId, Button, ButtonId, Localized, Script, Step, StepId, StepKind, Target};

/// A bot without steps that waits for /start.
pub fn empty() -> Script {
    Script {
        bot: BotId(3),
        hash: String::new(),
        name: "Client Chat".to_owned(),
        client: true,
        language: "en_US".to_owned(),
        wait_for_start: true,
        not_started: Localized::single("en_US", "Press /start to talk."),
        channels: Vec::new(),
        steps: HashMap::new(),
        first: None,
        aliases: HashMap::new(),
        inline: HashMap::new(),
    }
}

/// Reads one line: `bot wait=off language=uk_UA desk`, `step 1 text "Hello" /start,hi -> 2`, `keys 2: Prices -> 3 | Contacts -> 4`, `buttons 2: Site = https://a.b | More -> 3`.
pub fn describe(script: &mut Script, line: &str) {
    let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
    match what {
        "bot" => settings(script, rest),
        "step" => step(script, rest),
        "keys" => {
            let (id, row) = row(script, rest);
            step_of(script, id).keyboard.push(row);
        }
        "buttons" => {
            let (id, row) = row(script, rest);
            script.inline.extend(row.iter().map(|button| (button.id, button.target.clone())));
            step_of(script, id).buttons.push(row);
        }
        other => panic!("unknown line @{other}"),
    }
}

fn settings(script: &mut Script, rest: &str) {
    for word in rest.split_whitespace() {
        match word.split_once('=') {
            Some(("wait", value)) => script.wait_for_start = value == "on",
            Some(("language", code)) => script.language = code.to_owned(),
            Some(("greeting", words)) => script.not_started = Localized::single("en_US", &words.replace('_', " ").replace('⏎', "\n")),
            None if word == "desk" => script.client = false,
            _ => panic!("unknown setting {word}"),
        }
    }
}

fn step(script: &mut Script, rest: &str) {
    let mut quoted = rest.splitn(3, '"');
    let head: Vec<&str> = quoted.next().expect("id and kind").split_whitespace().collect();
    let text = quoted.next().expect("a text in quotes");
    let tail = quoted.next().unwrap_or("");
    let id = StepId(head[0].parse().expect("the step's id"));
    let kind = if head[1] == "buttons" { StepKind::Buttons } else { StepKind::Text };
    let (aliases, next) = tail.split_once("->").unwrap_or((tail, ""));
    for alias in aliases.split(',').map(str::trim).filter(|alias| !alias.is_empty()) {
        if alias == "/start" {
            script.first = Some(id);
        }
        script.aliases.insert(fold(alias), id);
    }
    let next = next.trim().parse().ok().map(StepId);
    script.steps.insert(id, Step { id, kind, text: localized(text), next, keyboard: Vec::new(), buttons: Vec::new() });
}

/// `Hello // uk_UA: Вітаємо`
fn localized(text: &str) -> Localized {
    let mut parts = text.split(" // ");
    let mut localized = Localized::single("en_US", parts.next().expect("a first part"));
    for part in parts {
        let (code, words) = part.split_once(": ").expect("language and words");
        localized.0.insert(code.to_owned(), words.to_owned());
    }
    localized
}

fn row(script: &Script, rest: &str) -> (StepId, Vec<Button>) {
    let (id, buttons) = rest.split_once(':').expect("the step's id, then a colon");
    let known: usize = script.steps.values().map(|step| step.keyboard.concat().len() + step.buttons.concat().len()).sum();
    let row = buttons.split('|').enumerate().map(|(at, text)| button(i64::try_from(known + at + 1).expect("small"), text)).collect();
    (StepId(id.trim().parse().expect("the step's id")), row)
}

fn button(id: i64, text: &str) -> Button {
    let (label, target) = if let Some((label, step)) = text.split_once("->") {
        (label, Target::Step(StepId(step.trim().parse().expect("a step's id"))))
    } else if let Some((label, url)) = text.split_once(" = ") {
        (label, Target::Url(url.trim().to_owned()))
    } else {
        (text, Target::Nothing)
    };
    Button { id: ButtonId(id), text: localized(label.trim()), target }
}

fn step_of(script: &mut Script, id: StepId) -> &mut Step {
    script.steps.get_mut(&id).expect("described before its keyboard")
}
