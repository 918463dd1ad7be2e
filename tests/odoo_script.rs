//! Reading a bot's configuration.
#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod scripted;

use chatbridge::domain::{BotId, ButtonId, ChannelId, StepId, StepKind, Target, TelegramBotId, Texts, ToOperator};
use chatbridge::odoo::script_from_json;
use chatbridge::ports::Class;
use scripted::bot::{TOKEN, bot};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const WORDS: &str = "what-a-person-wrote";

#[test]
fn a_bot_is_read_as_documented() {
    let script = script_from_json(&bot()).unwrap();
    assert_eq!((script.bot, script.hash.as_str(), script.language.as_str()), (BotId(3), "h1", "uk_UA"));
    assert!(script.client && script.wait_for_start);
    assert_eq!(script.texts.not_started.pick(Some("uk_UA"), "uk_UA"), Some("Press /start"), "an empty text is absent");
    assert_eq!((script.channels[0].id, script.channels[0].telegram_bot), (ChannelId(7), TelegramBotId(123_456)));
    assert_eq!(script.channels[0].token.expose_secret(), TOKEN);
    assert_eq!(script.first, Some(StepId(11)));
    assert_eq!(script.alias("PRICE"), Some(StepId(12)), "the upper step has a shared alias");
    assert_eq!(script.alias("/price"), Some(StepId(12)));
    assert_eq!(script.alias(" /Start"), Some(StepId(11)));
    let step = &script.steps[&StepId(11)];
    assert_eq!((step.kind, step.next), (StepKind::Buttons, Some(StepId(12))));
    assert_eq!(step.keyboard[0].iter().map(|button| button.target.clone()).collect::<Vec<_>>(), [Target::Step(StepId(12)), Target::Nothing]);
    assert_eq!(step.buttons.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(script.inline[&ButtonId(41)], Target::Step(StepId(12)));
    assert_eq!(script.inline[&ButtonId(42)], Target::Url("https://x.example".to_owned()));
    assert_eq!(script.inline[&ButtonId(43)], Target::Nothing);
    assert_eq!(script.inline.len(), 3);
}

/// ST-OP, B-SET-2, B-SET-5..8, B-SET-11, B-SET-17..19, SET-4
#[test]
fn what_a_consultation_needs_is_read() {
    let script = script_from_json(&bot()).unwrap();
    assert!(script.odoo_operators_only);
    let texts = &script.texts;
    let all = [&texts.operator_connected, &texts.no_operator, &texts.how_to_end, &texts.consultation_ended, &texts.moderation];
    assert_eq!(all.map(|text| text.pick(None, "en_US").unwrap()), ["connected", "nobody", "/end", "done", "wait"]);
    let channel = script.channel(ChannelId(7)).unwrap();
    assert!(channel.send_operator_name && !channel.join_message && !channel.end_message);
    let step = &script.steps[&StepId(13)];
    assert_eq!((step.kind, step.operator), (StepKind::Operator, ToOperator { bot: Some(BotId(4)), otherwise: Some(StepId(12)) }));
    assert_eq!(script.steps[&StepId(11)].operator, ToOperator::default());
}

/// A configuration that was kept by a bridge before consultations.
#[test]
fn what_is_left_out_is_as_a_new_channel_has_it() {
    let mut bot = bot();
    bot["channels"][0] = json!({"id": 7, "messenger": "telegram", "token": TOKEN});
    bot["texts"] = json!({});
    bot.as_object_mut().unwrap().remove("odoo_operators_only");
    let script = script_from_json(&bot).unwrap();
    let channel = script.channel(ChannelId(7)).unwrap();
    assert!(!channel.send_operator_name && channel.join_message && channel.end_message && channel.webhook_url.is_none());
    assert!(!script.odoo_operators_only);
    assert_eq!(script.texts, Texts::default());
}

/// A newer addon's step: one line that says what to do.
#[test]
fn a_kind_of_step_that_is_not_known_asks_for_a_newer_bridge() {
    let mut bot = bot();
    bot["steps"][1]["kind"] = json!("condition");
    let failure = script_from_json(&bot).unwrap_err();
    assert_eq!(failure.reason, "Odoo has a step of a kind that this bridge does not know (bot 3, steps[1], kind): update the bridge");
}

#[test]
fn a_channel_is_polled_unless_it_names_a_webhook() {
    for (given, read) in [(json!(null), None), (json!(""), None), (json!("https://x.example/bots"), Some("https://x.example/bots"))] {
        let mut bot = bot();
        bot["channels"][0]["webhook_url"] = given;
        assert_eq!(script_from_json(&bot).unwrap().channels[0].webhook_url.as_deref(), read);
    }
    assert_eq!(script_from_json(&bot()).unwrap().channels[0].webhook_url, None, "left out");
}

#[test]
fn a_bot_that_cannot_be_read_is_named_with_its_field() {
    let rows: [(&str, Value, &str); 8] = [
        ("/id", json!("x"), "a bot, id"),
        ("/hash", json!(null), "bot 3, hash"),
        ("/kind", json!(WORDS), "bot 3, kind"),
        ("/steps", json!(WORDS), "bot 3, steps"),
        ("/steps/1/kind", json!("condition"), "bot 3, steps[1], kind"),
        ("/steps/1/keyboard/0/1/id", json!(TOKEN), "bot 3, steps[1], keyboard[0][1], id"),
        ("/steps/0/text/en_US", json!([WORDS]), "bot 3, steps[0], text, en_US"),
        ("/channels/0/id", json!(TOKEN), "bot 3, channels[0], id"),
    ];
    for (pointer, value, place) in rows {
        let mut bot = bot();
        *bot.pointer_mut(pointer).unwrap() = value;
        let failure = script_from_json(&bot).unwrap_err();
        assert_eq!(failure.class, Class::Malformed);
        assert!(failure.reason.contains(&format!("({place})")), "{failure}");
    }
}

#[test]
fn a_channel_without_a_good_token_is_left_out() {
    for token in
        [json!(null), json!(false), json!(""), json!("123456"), json!("x:AAA"), json!(":AAA"), json!("1:"), json!("1:a/../b"), json!("1:a b")]
    {
        let mut bot = bot();
        bot["channels"][0]["token"] = token.clone();
        assert!(script_from_json(&bot).unwrap().channels.is_empty(), "{token}");
    }
}
