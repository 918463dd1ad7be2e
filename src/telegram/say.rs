//! `Request::Say` in Telegram's words.

use frankenstein::methods::SendMessageParams;
use frankenstein::types::{
    InlineKeyboardButton, InlineKeyboardMarkup, KeyboardButton, MessageEntity, MessageEntityType, ReplyKeyboardMarkup, ReplyKeyboardRemove,
    ReplyMarkup,
};

use crate::domain::{ChatId, Entity, Formatted, InlineAction, InlineButton, Markup, Style};

/// The parameters of `sendMessage`. Formatting travels as entities beside the text: nothing a person wrote can be taken for markup.
pub fn params(chat: ChatId, text: &Formatted, markup: &Markup) -> SendMessageParams {
    let entities: Vec<_> = text.entities.iter().filter_map(entity).collect();
    SendMessageParams::builder()
        .chat_id(chat.0)
        .text(text.text.clone())
        .maybe_entities((!entities.is_empty()).then_some(entities))
        .maybe_reply_markup(reply_markup(markup))
        .build()
}

/// One that lies beyond what a message can hold is left out: better plain than not sent.
fn entity(entity: &Entity) -> Option<MessageEntity> {
    let built = MessageEntity::builder()
        .type_field(entity_type(&entity.style))
        .offset(u16::try_from(entity.offset).ok()?)
        .length(u16::try_from(entity.length).ok()?);
    Some(match &entity.style {
        Style::Link(address) => built.url(address.clone()).build(),
        _ => built.build(),
    })
}

fn entity_type(style: &Style) -> MessageEntityType {
    match style {
        Style::Bold => MessageEntityType::Bold,
        Style::Italic => MessageEntityType::Italic,
        Style::Underline => MessageEntityType::Underline,
        Style::Strikethrough => MessageEntityType::Strikethrough,
        Style::Code => MessageEntityType::Code,
        Style::Pre => MessageEntityType::Pre,
        Style::Blockquote => MessageEntityType::Blockquote,
        Style::Link(_) => MessageEntityType::TextLink,
    }
}

/// A keyboard without buttons is none: Telegram refuses an empty one, and the words matter more.
fn reply_markup(markup: &Markup) -> Option<ReplyMarkup> {
    match markup {
        Markup::Nothing => None,
        Markup::Remove => Some(ReplyMarkup::ReplyKeyboardRemove(ReplyKeyboardRemove::builder().remove_keyboard(true).build())),
        Markup::Keyboard { rows } => Some(keyboard(filled(rows, |label| KeyboardButton::builder().text(label.clone()).build())?)),
        Markup::Inline { rows } => {
            let rows = filled(rows, inline_button)?;
            Some(ReplyMarkup::InlineKeyboardMarkup(InlineKeyboardMarkup::builder().inline_keyboard(rows).build()))
        }
    }
}

fn keyboard(rows: Vec<Vec<KeyboardButton>>) -> ReplyMarkup {
    ReplyMarkup::ReplyKeyboardMarkup(ReplyKeyboardMarkup::builder().keyboard(rows).resize_keyboard(true).build())
}

/// The rows that have buttons; `None` when there is none.
fn filled<From, To>(rows: &[Vec<From>], make: impl Fn(&From) -> To) -> Option<Vec<Vec<To>>> {
    let rows: Vec<Vec<To>> = rows.iter().filter(|row| !row.is_empty()).map(|row| row.iter().map(&make).collect()).collect();
    (!rows.is_empty()).then_some(rows)
}

fn inline_button(button: &InlineButton) -> InlineKeyboardButton {
    let built = InlineKeyboardButton::builder().text(button.text.clone());
    match &button.action {
        InlineAction::Data(data) => built.callback_data(data.clone()).build(),
        InlineAction::Url(url) => built.url(url.clone()).build(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn sent(text: &Formatted, markup: &Markup) -> Value {
        serde_json::to_value(params(ChatId(5), text, markup)).expect("plain data")
    }

    fn plain(text: &str) -> Formatted {
        Formatted { text: text.to_owned(), entities: vec![] }
    }

    #[test]
    fn plain_words_need_nothing_else() {
        assert_eq!(sent(&plain("<b>5 < 6"), &Markup::Nothing), json!({"chat_id": 5, "text": "<b>5 < 6"}));
    }

    #[test]
    fn formatting_travels_beside_the_text() {
        let entity = |offset, length, style| Entity { offset, length, style };
        let text = Formatted {
            text: "bold link".to_owned(),
            entities: vec![entity(0, 4, Style::Bold), entity(5, 4, Style::Link("https://example.com".to_owned())), entity(70_000, 1, Style::Italic)],
        };
        assert_eq!(
            sent(&text, &Markup::Nothing)["entities"],
            json!([
                {"type": "bold", "offset": 0, "length": 4},
                {"type": "text_link", "offset": 5, "length": 4, "url": "https://example.com"},
            ])
        );
    }

    #[test]
    fn each_keyboard_has_its_form() {
        let labels = Markup::Keyboard { rows: vec![vec!["Yes".to_owned(), "No".to_owned()], vec![]] };
        assert_eq!(sent(&plain("?"), &labels)["reply_markup"], json!({"keyboard": [[{"text": "Yes"}, {"text": "No"}]], "resize_keyboard": true}));
        assert_eq!(sent(&plain("?"), &Markup::Remove)["reply_markup"], json!({"remove_keyboard": true}));
        let inline = Markup::Inline {
            rows: vec![vec![
                InlineButton { text: "Buy".to_owned(), action: InlineAction::Data("b:41".to_owned()) },
                InlineButton { text: "Shop".to_owned(), action: InlineAction::Url("https://example.com".to_owned()) },
            ]],
        };
        assert_eq!(
            sent(&plain("?"), &inline)["reply_markup"],
            json!({"inline_keyboard": [[{"text": "Buy", "callback_data": "b:41"}, {"text": "Shop", "url": "https://example.com"}]]})
        );
    }

    #[test]
    fn an_empty_keyboard_is_none() {
        assert_eq!(sent(&plain("?"), &Markup::Inline { rows: vec![vec![]] }).get("reply_markup"), None);
    }
}
