//! What holds for every script and every conversation, whatever a customer does.

use std::collections::HashMap;

use chatbridge::dialog::{Effect, Given, advance};
use chatbridge::domain::{
    Author, BotId, Button, ButtonId, Channel, ChannelId, ChatId, ChatRecord, ConsultationKey, Content, ConversationKey, DiscussMessageId, FromOdoo,
    Incoming, InlineAction, Localized, Markup, MessageId, OdooEvent, OperationBody, Profile, Script, Step, StepId, StepKind, Target, TelegramBotId,
    Texts, ToOperator, UserId,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![(1i64..8).prop_map(|id| Target::Step(StepId(id))), Just(Target::Nothing), Just(Target::Url("https://a.b".to_owned()))]
}

fn rows() -> impl Strategy<Value = Vec<Vec<(String, Target)>>> {
    prop::collection::vec(prop::collection::vec(("[a-c ]{0,2}", target()), 0..3), 0..3)
}

/// Steps 1..7 of which some are missing, with texts that may be empty, long, or broken templates.
fn script() -> impl Strategy<Value = Script> {
    let text = prop_oneof!["[a-z<>& {}]{0,30}", Just("x".repeat(9000)), Just("<p><br></p>".to_owned()), Just("{{ partner.name }}".to_owned())];
    let kind = prop_oneof![Just(StepKind::Text), Just(StepKind::Buttons), Just(StepKind::Operator)];
    let operator = (prop::option::weighted(0.8, Just(BotId(2))), prop::option::of(1i64..8))
        .prop_map(|(bot, otherwise)| ToOperator { bot, otherwise: otherwise.map(StepId) });
    let step = (text, kind, operator, prop::option::of(1i64..8), rows(), rows());
    let channel = (any::<bool>(), any::<bool>(), any::<bool>());
    (prop::collection::vec(prop::option::of(step), 7), any::<bool>(), prop::option::of(1i64..8), any::<bool>(), channel).prop_map(
        |(steps, wait, first, client, (send_operator_name, join_message, end_message))| {
            let mut script = Script {
                bot: BotId(1),
                hash: String::new(),
                name: String::new(),
                client,
                language: "en_US".to_owned(),
                wait_for_start: wait,
                odoo_operators_only: join_message,
                texts: Texts {
                    not_started: Localized::single("en_US", "Press /start"),
                    operator_connected: Localized::single("en_US", "connected"),
                    how_to_end: Localized::single("en_US", "Press /end"),
                    moderation: Localized::single("en_US", "Wait"),
                    ..Texts::default()
                },
                channels: vec![Channel {
                    id: ChannelId(7),
                    telegram_bot: TelegramBotId(1),
                    token: "1:A".to_owned().into(),
                    send_operator_name,
                    join_message,
                    end_message,
                    webhook_url: None,
                }],
                steps: HashMap::new(),
                first: first.map(StepId),
                aliases: HashMap::from([("a".to_owned(), StepId(2)), ("/b".to_owned(), StepId(3))]),
                inline: HashMap::new(),
            };
            let mut ids = 0;
            for (at, parts) in steps.into_iter().enumerate() {
                let Some((text, kind, operator, next, keyboard, inline)) = parts else { continue };
                let id = StepId(i64::try_from(at).expect("small") + 1);
                let mut make = |rows: Vec<Vec<(String, Target)>>| -> Vec<Vec<Button>> {
                    let mut button = |(label, target): (String, Target)| {
                        ids += 1;
                        Button { id: ButtonId(ids), text: Localized::single("en_US", &label), target }
                    };
                    rows.into_iter().map(|row| row.into_iter().map(&mut button).collect()).collect()
                };
                let (keyboard, inline) = (make(keyboard), make(inline));
                script.inline.extend(inline.iter().flatten().map(|button| (button.id, button.target.clone())));
                let text = Localized::single("en_US", &text);
                script.steps.insert(id, Step { id, kind, text, next: next.map(StepId), operator, keyboard, buttons: inline });
            }
            script
        },
    )
}

/// Something that happens: a person's doing, or an event of Odoo's, of the running consultation or of another.
#[derive(Clone, Debug)]
enum Move {
    Person(Content),
    Odoo { what: u8, running: bool, place: Place },
}

/// The conversation that Odoo speaks of.
#[derive(Clone, Debug)]
enum Place {
    Nowhere,
    Ours,
    Fresh,
}

fn happening() -> impl Strategy<Value = Move> {
    let place = prop_oneof![Just(Place::Nowhere), Just(Place::Ours), Just(Place::Fresh)];
    prop_oneof![
        3 => content().prop_map(Move::Person),
        2 => (0u8..8, prop::bool::weighted(0.7), place).prop_map(|(what, running, place)| Move::Odoo { what, running, place }),
    ]
}

/// What Odoo tells a chat that is in this state.
fn told(record: &ChatRecord, at: usize, what: u8, running: bool, place: &Place) -> FromOdoo {
    let ours = record.conversation.as_ref();
    let known = ours.and_then(|open| open.consultation.as_ref()).filter(|_| running).map(|open| open.key);
    let consultation = known.unwrap_or(ConsultationKey(ulid::Ulid::from_parts(4, at as u128)));
    let conversation = match place {
        Place::Nowhere => None,
        Place::Ours => ours.map(|open| open.key),
        Place::Fresh => Some(ConversationKey(ulid::Ulid::from_parts(3, at as u128))),
    };
    let operator = if at.is_multiple_of(2) { "Julia" } else { "<Oleh>" }.to_owned();
    let message = DiscussMessageId(1);
    let said = |html: String| OdooEvent::Said { consultation, message, operator: operator.clone(), html };
    let what = match what {
        0 => OdooEvent::Queued { consultation, place: 2 },
        1 => OdooEvent::Assigned { consultation, operator, started: false },
        2 => OdooEvent::Assigned { consultation, operator, started: true },
        3 => OdooEvent::Refused { consultation },
        4 => said("<p>Hello</p>".to_owned()),
        5 => said(if at.is_multiple_of(2) { "<p>".to_owned() } else { "word ".repeat(3000) }),
        6 => OdooEvent::Ended { consultation },
        _ => OdooEvent::Say { text: Localized::single("en_US", "You Approved") },
    };
    FromOdoo { conversation, what }
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        3 => "[a-c ]{0,2}".prop_map(Content::Text),
        2 => Just(Content::Command { name: "start".to_owned(), payload: String::new(), text: "/start".to_owned() }),
        2 => Just(Content::Command { name: "end".to_owned(), payload: String::new(), text: "/end".to_owned() }),
        1 => Just(Content::Command { name: "b".to_owned(), payload: String::new(), text: "/b".to_owned() }),
        2 => (0i64..30).prop_map(|id| Content::Tap { callback: "c".to_owned(), data: format!("b:{id}") }),
        1 => ".{0,80}".prop_map(|data| Content::Tap { callback: "c".to_owned(), data }),
        1 => Just(Content::Other("sticker")),
        1 => Just(Content::Blocked),
        1 => Just(Content::Unblocked),
    ]
}

/// A chat over time.
struct Chat<'a> {
    script: &'a Script,
    record: ChatRecord,
    now: Timestamp,
    turns: usize,
}

impl<'a> Chat<'a> {
    fn new(script: &'a Script) -> Self {
        Self { script, record: ChatRecord::default(), now: "2026-03-02T10:00:00Z".parse().expect("an instant"), turns: 0 }
    }

    fn go(&mut self, happening: &Move, pause: i64) -> Vec<Effect> {
        self.turns += 1;
        self.now += SignedDuration::from_secs(pause);
        let content = match happening {
            Move::Person(content) => content.clone(),
            Move::Odoo { what, running, place } => Content::Odoo(told(&self.record, self.turns, *what, *running, place)),
        };
        let profile = Profile { user: UserId(5), first_name: "A".to_owned(), last_name: None, username: None, language_code: None };
        let event = Incoming { chat: ChatId(5), profile, at: self.now, message: Some(MessageId(1)), content };
        let given = Given {
            channel: ChannelId(7),
            now: self.now,
            fresh: ConversationKey(ulid::Ulid::from_parts(1, self.turns as u128)),
            consultation: ConsultationKey(ulid::Ulid::from_parts(2, self.turns as u128)),
            backend_away: self.turns.is_multiple_of(3),
        };
        let (next, effects) = advance(self.script, std::mem::take(&mut self.record), &event, given);
        self.record = next;
        effects
    }

    fn consultation(&self) -> Option<ConsultationKey> {
        self.record.conversation.as_ref()?.consultation.as_ref().map(|running| running.key)
    }
}

fn play(script: &Script, moves: &[(Move, i64)]) -> Vec<(ChatRecord, Vec<Effect>)> {
    let mut chat = Chat::new(script);
    moves
        .iter()
        .map(|(happening, pause)| {
            let effects = chat.go(happening, *pause);
            (chat.record.clone(), effects)
        })
        .collect()
}

fn command(name: &str) -> Move {
    Move::Person(Content::Command { name: name.to_owned(), payload: String::new(), text: format!("/{name}") })
}

/// The script's first step says «Home», and waits.
fn at_home(script: &mut Script) {
    script.client = true;
    script.first = Some(StepId(1));
    let (text, operator) = (Localized::single("en_US", "Home"), ToOperator::default());
    let home = Step { id: StepId(1), kind: StepKind::Buttons, text, next: None, operator, keyboard: Vec::new(), buttons: Vec::new() };
    script.steps.insert(StepId(1), home);
}

fn says(effects: &[Effect], words: &str) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Say { text, .. } if text.text.contains(words)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Total, deterministic, its record survives the store, and every message is one that Telegram takes.
    #[test]
    fn any_conversation_has_an_answer_that_telegram_takes(script in script(), moves in prop::collection::vec((happening(), 0i64..100_000), 1..14)) {
        let turns = play(&script, &moves);
        prop_assert_eq!(&turns, &play(&script, &moves));
        let mut lines: HashMap<ConversationKey, u32> = HashMap::new();
        for ((record, effects), (happening, _)) in turns.iter().zip(&moves) {
            let json = serde_json::to_string(record).expect("plain data");
            prop_assert_eq!(&serde_json::from_str::<ChatRecord>(&json).expect("round trip"), record);
            let mut said = 0;
            for effect in effects {
                match effect {
                    Effect::Record(OperationBody::Message { conversation, sequence, author, .. }) => {
                        let last = lines.entry(*conversation).or_default();
                        prop_assert_eq!(*sequence, *last + 1, "lines are numbered without a gap");
                        *last = *sequence;
                        said += usize::from(*author != Author::Customer);
                    }
                    Effect::Say { text, markup, sequence, conversation, .. } => {
                        prop_assert_eq!(lines.get(conversation), Some(sequence), "what is said is recorded before");
                        let units = chatbridge::text::utf16_len(&text.text);
                        prop_assert!((1..=4096).contains(&units) && !text.text.trim().is_empty());
                        if let Markup::Inline { rows } = markup {
                            for button in rows.iter().flatten() {
                                if let InlineAction::Data(data) = &button.action {
                                    prop_assert!((1..=64).contains(&data.len()));
                                }
                            }
                        }
                    }
                    _ => {}
                }
            }
            prop_assert!(said <= 40 && effects.len() <= 120, "nobody is flooded");
            let open = record.conversation.as_ref();
            prop_assert!(open.is_none_or(|open| !open.over || open.consultation.is_none()), "what is over has no consultation");
            if matches!(happening, Move::Person(Content::Tap { .. })) {
                prop_assert!(matches!(effects.first(), Some(Effect::AnswerTap { .. })), "a tap is answered before all else");
            }
        }
    }

    /// From wherever a conversation stands, /start leads to the first step (ST-7).
    #[test]
    fn start_always_works(mut script in script(), moves in prop::collection::vec((happening(), 0i64..1000), 0..12)) {
        at_home(&mut script);
        let mut moves = moves;
        moves.push((command("start"), 1));
        let (record, effects) = play(&script, &moves).pop().expect("one move at least");
        let conversation = record.conversation.expect("open");
        prop_assert!(conversation.started && conversation.step == Some(StepId(1)) && conversation.consultation.is_none());
        prop_assert!(says(&effects, "Home"));
    }

    /// OP-11: whatever came before, a consultation that ends leaves nobody in it: the next word is the dialog's, unless the dialog itself has asked anew.
    #[test]
    fn no_consultation_sticks(mut script in script(), moves in prop::collection::vec((happening(), 0i64..1000), 0..12), end in 0u8..3, asks in any::<bool>()) {
        at_home(&mut script);
        let mut chat = Chat::new(&script);
        chat.go(&command("start"), 1);
        for (happening, pause) in &moves {
            chat.go(happening, *pause);
        }
        if chat.consultation().is_none() && !chat.record.blocked && asks {
            chat.go(&Move::Odoo { what: 2, running: false, place: Place::Fresh }, 1);
        }
        let Some(before) = chat.consultation() else { return Ok(()) };
        chat.go(&match end {
            0 => command("end"),
            1 => Move::Odoo { what: 6, running: true, place: Place::Ours },
            _ => Move::Odoo { what: 3, running: true, place: Place::Ours },
        }, 1);
        prop_assert!(chat.consultation() != Some(before));
        if chat.consultation().is_none() {
            let effects = chat.go(&Move::Person(Content::Text("zzz".to_owned())), 1);
            prop_assert!(says(&effects, ""), "the dialog answers: {effects:?}");
        }
    }

    /// OP-7: what is said to an operator reaches one: in a consultation each word is for its operator, and the bot is silent.
    #[test]
    fn in_a_consultation_words_are_the_operators(mut script in script(), moves in prop::collection::vec((happening(), 0i64..100_000), 0..12), word in "[a-c ]{1,3}") {
        at_home(&mut script);
        let mut chat = Chat::new(&script);
        for (happening, pause) in &moves {
            chat.go(happening, *pause);
        }
        let Some(running) = chat.consultation() else { return Ok(()) };
        let effects = chat.go(&Move::Person(Content::Text(word)), 100_000);
        let heard = effects.iter().any(|effect| matches!(effect, Effect::Record(OperationBody::Message { consultation, .. }) if *consultation == Some(running)));
        prop_assert!(heard && !says(&effects, ""));
    }
}
