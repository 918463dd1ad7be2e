//! Looks at a channel from end to end: who the token belongs to, where updates go, what waits. *Refresh hook* (SET-3).

use super::bell::Checked;
use super::webhook::{self, Hook};
use crate::ports::{Class, Failure, Messenger};

/// Asks Telegram who the token belongs to, sets or removes the webhook, and asks how it stands. The failure, where there is one, is told to the form as well.
pub async fn check(messenger: &dyn Messenger, hook: Option<&Hook>) -> (Checked, Result<(), Failure>) {
    let mut username = None;
    match answer(messenger, hook, &mut username).await {
        Ok(answer) => (Checked { ok: true, answer, username }, Ok(())),
        Err(failure) => (Checked { ok: false, answer: sentence(&failure), username }, Err(failure)),
    }
}

async fn answer(messenger: &dyn Messenger, hook: Option<&Hook>, username: &mut Option<String>) -> Result<String, Failure> {
    *username = messenger.me().await?.username;
    let mut answer = match hook {
        Some(hook) => hook.set(messenger).await?,
        None => webhook::delete(messenger).await?,
    };
    let stands = messenger.webhook().await?;
    if stands.waiting > 0 {
        answer.push_str(&format!(". Updates waiting: {}", stands.waiting));
    }
    if let (Some(_), Some((at, words))) = (hook, &stands.last_error) {
        answer.push_str(&format!(". Telegram's last error with the webhook, {at}: {words}"));
    }
    Ok(answer)
}

/// What is wrong and what to do: for the state of a channel, and for the form.
pub fn sentence(failure: &Failure) -> String {
    match failure.class {
        Class::Denied => format!("Telegram refuses the token: {failure}. Ask @BotFather for the current one (/mybots, the bot, API Token)."),
        Class::Bug => format!("Telegram refuses the webhook: {failure}. Correct its address on the form of the chat."),
        _ => failure.to_string(),
    }
}
