//! The keyboards that come with a step.

use crate::domain::{Button, ButtonId, InlineAction, InlineButton, Script, Step, Target};

/// What stands before the id in a button's data, so that other kinds of data can be told apart.
const BUTTON: &str = "b:";

/// The data of a button (at most 64 bytes in Telegram; ours is at most 22).
fn data_of(button: ButtonId) -> String {
    format!("{BUTTON}{button}")
}

/// The button that this data names. It may come from anybody: an id that is not the script's leads nowhere.
pub fn button_of(data: &str) -> Option<ButtonId> {
    data.strip_prefix(BUTTON)?.parse().ok().map(ButtonId)
}

/// The labels of a step's reply keyboard, by rows.
pub fn reply_rows(step: &Step, script: &Script, language: &str) -> Vec<Vec<String>> {
    rows(&step.keyboard, |button| label(button, script, language))
}

/// The buttons under a step's message, by rows. A button that leads nowhere is shown nevertheless: its tap is answered and reported.
pub fn inline_rows(step: &Step, script: &Script, language: &str) -> Vec<Vec<InlineButton>> {
    rows(&step.buttons, |button| {
        let text = label(button, script, language)?;
        let action = match &button.target {
            Target::Url(url) => InlineAction::Url(url.clone()),
            Target::Step(_) | Target::Nothing => InlineAction::Data(data_of(button.id)),
        };
        Some(InlineButton { text, action })
    })
}

fn label(button: &Button, script: &Script, language: &str) -> Option<String> {
    button.text.pick(Some(language), &script.language).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn rows<T>(buttons: &[Vec<Button>], show: impl Fn(&Button) -> Option<T>) -> Vec<Vec<T>> {
    buttons.iter().map(|row| row.iter().filter_map(&show).collect::<Vec<T>>()).filter(|row| !row.is_empty()).collect()
}
