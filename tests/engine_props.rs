//! What holds for every script and every conversation, whatever a customer does.

use std::collections::HashMap;

use chatbridge::dialog::{Effect, Given, advance};
use chatbridge::domain::{
    Author, BotId, Button, ButtonId, ChannelId, ChatId, ChatRecord, Content, ConversationKey, Incoming, InlineAction, Localized, Markup, MessageId,
    OperationBody, Profile, Script, Step, StepId, StepKind, Target, UserId,
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
    let step = (text, any::<bool>(), prop::option::of(1i64..8), rows(), rows());
    (prop::collection::vec(prop::option::of(step), 7), any::<bool>(), prop::option::of(1i64..8), any::<bool>()).prop_map(
        |(steps, wait, first, client)| {
            let mut script = Script {
                bot: BotId(1),
                hash: String::new(),
                name: String::new(),
                client,
                language: "en_US".to_owned(),
                wait_for_start: wait,
                not_started: Localized::single("en_US", "Press /start"),
                channels: Vec::new(),
                steps: HashMap::new(),
                first: first.map(StepId),
                aliases: HashMap::from([("a".to_owned(), StepId(2)), ("/b".to_owned(), StepId(3))]),
                inline: HashMap::new(),
            };
            let mut ids = 0;
            for (at, parts) in steps.into_iter().enumerate() {
                let Some((text, buttons, next, keyboard, inline)) = parts else { continue };
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
                let kind = if buttons { StepKind::Buttons } else { StepKind::Text };
                script
                    .steps
                    .insert(id, Step { id, kind, text: Localized::single("en_US", &text), next: next.map(StepId), keyboard, buttons: inline });
            }
            script
        },
    )
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        3 => "[a-c ]{0,2}".prop_map(Content::Text),
        2 => Just(Content::Command { name: "start".to_owned(), payload: String::new(), text: "/start".to_owned() }),
        1 => Just(Content::Command { name: "b".to_owned(), payload: String::new(), text: "/b".to_owned() }),
        2 => (0i64..30).prop_map(|id| Content::Tap { callback: "c".to_owned(), data: format!("b:{id}") }),
        1 => ".{0,80}".prop_map(|data| Content::Tap { callback: "c".to_owned(), data }),
        1 => Just(Content::Other("sticker")),
        1 => Just(Content::Blocked),
        1 => Just(Content::Unblocked),
    ]
}

fn play(script: &Script, moves: &[(Content, i64)]) -> Vec<(ChatRecord, Vec<Effect>)> {
    let mut record = ChatRecord::default();
    let mut now: Timestamp = "2026-03-02T10:00:00Z".parse().expect("an instant");
    let profile = Profile { user: UserId(5), first_name: "A".to_owned(), last_name: None, username: None, language_code: None };
    let mut turns = Vec::new();
    for (at, (content, pause)) in moves.iter().enumerate() {
        now += SignedDuration::from_secs(*pause);
        let event = Incoming { chat: ChatId(5), profile: profile.clone(), at: now, message: Some(MessageId(1)), content: content.clone() };
        let given = Given { channel: ChannelId(7), now, fresh: ConversationKey(ulid::Ulid::from_parts(1, at as u128)) };
        let (next, effects) = advance(script, record, &event, given);
        record = next.clone();
        turns.push((next, effects));
    }
    turns
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Total, deterministic, its record survives the store, and every message is one that Telegram takes.
    #[test]
    fn any_conversation_has_an_answer_that_telegram_takes(script in script(), moves in prop::collection::vec((content(), 0i64..100_000), 1..12)) {
        let turns = play(&script, &moves);
        prop_assert_eq!(&turns, &play(&script, &moves));
        let mut lines: HashMap<ConversationKey, u32> = HashMap::new();
        for ((record, effects), (content, _)) in turns.iter().zip(&moves) {
            let json = serde_json::to_string(record).expect("plain data");
            prop_assert_eq!(&serde_json::from_str::<ChatRecord>(&json).expect("round trip"), record);
            let mut said = 0;
            for effect in effects {
                match effect {
                    Effect::Record(OperationBody::Message { conversation, sequence, author, .. }) => {
                        let last = lines.entry(*conversation).or_default();
                        prop_assert_eq!(*sequence, *last + 1, "lines are numbered without a gap");
                        *last = *sequence;
                        said += usize::from(*author == Author::Bot);
                    }
                    Effect::Say { text, markup, sequence, conversation } => {
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
            prop_assert!(said <= 40, "nobody is flooded");
            if matches!(content, Content::Tap { .. }) {
                prop_assert!(matches!(effects.first(), Some(Effect::AnswerTap { .. })), "a tap is answered before all else");
            }
        }
    }

    /// From wherever a conversation stands, /start leads to the first step (ST-7).
    #[test]
    fn start_always_works(mut script in script(), moves in prop::collection::vec((content(), 0i64..1000), 0..10)) {
        script.client = true;
        script.first = Some(StepId(1));
        script.steps.insert(StepId(1), Step { id: StepId(1), kind: StepKind::Buttons, text: Localized::single("en_US", "Home"), next: None, keyboard: Vec::new(), buttons: Vec::new() });
        let mut moves = moves;
        moves.push((Content::Command { name: "start".to_owned(), payload: String::new(), text: "/start".to_owned() }, 1));
        let (record, effects) = play(&script, &moves).pop().expect("one move at least");
        let conversation = record.conversation.expect("open");
        prop_assert!(conversation.started && conversation.step == Some(StepId(1)));
        let home = effects.iter().any(|effect| matches!(effect, Effect::Say { text, .. } if text.text == "Home"));
        prop_assert!(home);
    }
}
