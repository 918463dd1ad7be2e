//! Conversations as people read them: each file in `tests/transcripts/` is a bot, what a customer does, and what comes back.
//!
//! The form: `@…` lines describe the bot, `>` what the customer does (`> text`, `> [label]` a tap on either keyboard, `> (sticker)`, `> {blocked}`), `~ 3m` time passing, `!` a change of the bot
//! under the conversation (`! delete 2`, `! odoo away`), `*` what Odoo tells: `* assigned Julia`, `* said Julia: Hello`, `* queued 2`, `* refused`, `* ended`, each of the last consultation, or
//! of the one named (`* 1 said Julia: Hello`); `* started Julia` a live chat begun in Odoo (`* started Julia elsewhere`: in a conversation that Odoo has made); `* say Words`. Everything else is what follows and is compared as it stands: `<` what the bot says, `  [label]` its keyboard, `  <label>` its buttons, `=` what is written in
//! Odoo, `?` what is reported to the admin. `UPDATE=1 cargo test --test transcripts` writes the files anew; read the difference before you keep it.

#[path = "transcripts/bot.rs"]
mod bot;
#[path = "transcripts/play.rs"]
mod play;
#[path = "transcripts/show.rs"]
mod show;
#[path = "transcripts/told.rs"]
mod told;

use std::path::{Path, PathBuf};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is part of the project")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_conversation_goes_as_it_is_written() {
    let mut wrong = Vec::new();
    let files = files();
    assert!(files.len() >= 8, "only {} transcripts found", files.len());
    for file in files {
        let written = std::fs::read_to_string(&file).expect("readable");
        let played = play::play(&written);
        if played == written {
            continue;
        }
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, &played).expect("writable");
        } else {
            wrong.push(format!("--- {}\n{}", file.display(), difference(&written, &played)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The first lines that differ, with what stands around them.
fn difference(written: &str, played: &str) -> String {
    let (written, played): (Vec<_>, Vec<_>) = (written.lines().collect(), played.lines().collect());
    let at = written.iter().zip(&played).position(|(a, b)| a != b).unwrap_or(written.len().min(played.len()));
    let part = |lines: &[&str]| lines.iter().skip(at.saturating_sub(2)).take(9).map(|line| format!("    {line}\n")).collect::<String>();
    format!("  written, from line {}:\n{}  played:\n{}", at.saturating_sub(2) + 1, part(&written), part(&played))
}
