//! The floors of the house: each part imports only from those below it, and each secret is known in one place.

use std::path::{Path, PathBuf};

/// Each folder of `src/`, and the ones that it may import from.
const FLOORS: [(&str, &[&str]); 12] = [
    ("domain", &[]),
    ("text", &["domain"]),
    ("dialog", &["domain", "text"]),
    ("ports", &["domain"]),
    ("http", &["ports"]),
    ("telegram", &["domain", "ports", "http"]),
    ("odoo", &["domain", "ports", "http"]),
    ("store", &["domain", "ports"]),
    ("bridge", &["domain", "text", "dialog", "ports"]),
    ("web", &["bridge"]),
    ("cli", &["domain", "ports", "http", "telegram", "odoo", "store", "bridge", "web", "sandbox"]),
    ("sandbox", &[]),
];

/// Crates that one folder alone may use.
const KNOWN_IN_ONE_PLACE: [(&str, &[&str]); 9] = [
    ("frankenstein", &["telegram"]),
    ("warp", &["web", "sandbox"]),
    ("redb", &["store"]),
    ("handlebars", &["text"]),
    ("html5ever", &["text", "sandbox"]),
    ("reqwest", &["http", "telegram", "odoo", "sandbox"]),
    ("clap", &["cli", "sandbox"]),
    ("prometheus_client", &["bridge"]),
    ("hmac", &["web", "bridge"]),
];

/// No I/O, no clock, no chance, no async on the lower floors.
const PURE: [&str; 3] = ["domain", "text", "dialog"];
const IMPURE: [&str; 10] =
    ["tokio", "std::fs", "std::net", "std::time::Instant", "SystemTime", "Timestamp::now", "Ulid::generate", "async fn", "std::env", "println!"];

fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let floor = path.strip_prefix(&root).expect("below").components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
                let text = std::fs::read_to_string(&path).expect("readable");
                found.push((floor, path, text));
            }
        }
    }
    found
}

/// The code of a file, without its tests and its comments.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]\nmod tests").next().expect("a first part");
    body.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_floor_imports_only_from_those_below() {
    let mut wrong = Vec::new();
    for (floor, path, text) in sources() {
        let Some((_, allowed)) = FLOORS.iter().find(|(name, _)| *name == floor) else {
            assert!(["lib.rs", "main.rs"].contains(&floor.as_str()), "{} stands on no floor: add it to FLOORS", path.display());
            continue;
        };
        for part in code(&text).split("crate::").skip(1) {
            let target: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if target != floor && !allowed.contains(&target.as_str()) && FLOORS.iter().any(|(name, _)| *name == target) {
                wrong.push(format!("{} imports {target}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_secret_is_known_in_one_place() {
    let mut wrong = Vec::new();
    for (floor, path, text) in sources() {
        for (name, places) in KNOWN_IN_ONE_PLACE {
            let code = code(&text);
            let used = code.contains(&format!("use {name}")) || code.contains(&format!("{name}::"));
            if used && !places.contains(&floor.as_str()) {
                wrong.push(format!("{} uses {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_lower_floors_are_pure() {
    let mut wrong = Vec::new();
    for (floor, path, text) in sources() {
        if !PURE.contains(&floor.as_str()) {
            continue;
        }
        let code = code(&text);
        for word in IMPURE {
            // Drawing a key is a convenience of the id types for the runtime above; the engine is given its keys.
            let drawn = word == "Ulid::generate" && path.ends_with("domain/ids.rs");
            if code.contains(word) && !drawn {
                wrong.push(format!("{} uses {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_file_outgrows_its_noun() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter(|(_, _, text)| text.lines().count() > 400)
        .map(|(_, path, text)| format!("{}: {}", path.display(), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "over 400 lines, look for the second noun: {long:#?}");
}
