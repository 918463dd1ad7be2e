//! The bot of a transcript, from its `@` lines.

use std::collections::HashMap;

use chatbridge::domain::script::fold;
use chatbridge::domain::{
    BotId, Button, ButtonId, Channel, ChannelId, Localized, Script, Step, StepId, StepKind, Target, TelegramBotId, Texts, ToOperator,
};

/// A bot without steps that waits for /start.
pub fn empty() -> Script {
    Script {
        bot: BotId(3),
        hash: String::new(),
        name: "Client Chat".to_owned(),
        client: true,
        language: "en_US".to_owned(),
        wait_for_start: true,
        odoo_operators_only: false,
        texts: texts(),
        channels: vec![channel()],
        steps: HashMap::new(),
        first: None,
        aliases: HashMap::new(),
        inline: HashMap::new(),
    }
}

/// The texts that a new bot has (B-SET-4..8, B-SET-11).
fn texts() -> Texts {
    Texts {
        not_started: Localized::single("en_US", "Press /start to talk."),
        operator_connected: localized("connected to chat. Please start messaging! // uk_UA: у чаті. Можна писати!"),
        no_operator: localized("Sorry, no operator available // uk_UA: На жаль, вільних операторів немає"),
        how_to_end: localized("If you would like to end your consultation Press: /end // uk_UA: Щоб завершити консультацію, натисніть: /end"),
        moderation: localized("Please wait for approval you as consultant"),
        consultation_ended: localized("Consultation completed // uk_UA: Консультацію завершено"),
    }
}

/// A channel as it is made: without names, with both messages (SET-3).
fn channel() -> Channel {
    Channel {
        id: ChannelId(7),
        telegram_bot: TelegramBotId(1),
        token: "1:A".to_owned().into(),
        send_operator_name: false,
        join_message: true,
        end_message: true,
        webhook_url: None,
    }
}

/// Reads one line: `bot wait=off language=uk_UA desk`, `step 1 text "Hello" /start,hi -> 2`, `keys 2: Prices -> 3 | Contacts -> 4`, `buttons 2: Site = https://a.b | More -> 3`,
/// `operator 4: 9 -> 5` (step 4 asks desk 9, step 5 follows where nobody is there), `channel name=on join=off end=off`, `text no_operator ""`.
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
        "operator" => {
            let (id, rest) = rest.split_once(':').expect("the step's id, then a colon");
            let (bot, otherwise) = rest.split_once("->").unwrap_or((rest, ""));
            let operator = ToOperator { bot: bot.trim().parse().ok().map(BotId), otherwise: otherwise.trim().parse().ok().map(StepId) };
            step_of(script, StepId(id.trim().parse().expect("the step's id"))).operator = operator;
        }
        "channel" => channel_settings(&mut script.channels[0], rest),
        "text" => text(&mut script.texts, rest),
        other => panic!("unknown line @{other}"),
    }
}

fn settings(script: &mut Script, rest: &str) {
    for word in rest.split_whitespace() {
        match word.split_once('=') {
            Some(("wait", value)) => script.wait_for_start = value == "on",
            Some(("language", code)) => script.language = code.to_owned(),
            Some(("greeting", words)) => script.texts.not_started = Localized::single("en_US", &words.replace('_', " ").replace('⏎', "\n")),
            Some(("odoo_only", value)) => script.odoo_operators_only = value == "on",
            None if word == "desk" => script.client = false,
            _ => panic!("unknown setting {word}"),
        }
    }
}

fn channel_settings(channel: &mut Channel, rest: &str) {
    for word in rest.split_whitespace() {
        let (setting, value) = word.split_once('=').expect("setting=on");
        let setting = match setting {
            "name" => &mut channel.send_operator_name,
            "join" => &mut channel.join_message,
            "end" => &mut channel.end_message,
            other => panic!("unknown setting {other}"),
        };
        *setting = value == "on";
    }
}

fn text(texts: &mut Texts, rest: &str) {
    let (which, words) = rest.split_once(' ').expect("which, and the words in quotes");
    let words = words.trim_matches('"');
    let text = match which {
        "connected" => &mut texts.operator_connected,
        "no_operator" => &mut texts.no_operator,
        "how_to_end" => &mut texts.how_to_end,
        "ended" => &mut texts.consultation_ended,
        other => panic!("unknown text {other}"),
    };
    *text = if words.is_empty() { Localized::default() } else { localized(words) };
}

fn step(script: &mut Script, rest: &str) {
    let mut quoted = rest.splitn(3, '"');
    let head: Vec<&str> = quoted.next().expect("id and kind").split_whitespace().collect();
    let text = quoted.next().expect("a text in quotes");
    let tail = quoted.next().unwrap_or("");
    let id = StepId(head[0].parse().expect("the step's id"));
    let kind = match head[1] {
        "text" => StepKind::Text,
        "buttons" => StepKind::Buttons,
        "operator" => StepKind::Operator,
        other => panic!("unknown kind {other}"),
    };
    let (aliases, next) = tail.split_once("->").unwrap_or((tail, ""));
    for alias in aliases.split(',').map(str::trim).filter(|alias| !alias.is_empty()) {
        if alias == "/start" {
            script.first = Some(id);
        }
        script.aliases.insert(fold(alias), id);
    }
    let next = next.trim().parse().ok().map(StepId);
    let operator = ToOperator::default();
    script.steps.insert(id, Step { id, kind, text: localized(text), next, operator, keyboard: Vec::new(), buttons: Vec::new() });
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
