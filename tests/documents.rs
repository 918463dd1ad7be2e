//! The documents tell the truth: each line of `docs/coverage.md` names tests that are there and that name the line's ID.

use std::path::Path;

fn read(path: &str) -> String {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&full).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rows of the coverage table: ID and the tests named in backticks, as `file` or `file::test`.
fn rows() -> Vec<(String, Vec<String>)> {
    let text = read("docs/coverage.md");
    let cells = |line: &str| line.trim().trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let table = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ID"));
    table
        .map(cells)
        .filter(|row| row.len() == 3)
        .map(|row| (row[0].clone(), row[2].split('`').skip(1).step_by(2).map(str::to_owned).collect()))
        .collect()
}

#[test]
fn each_line_of_the_coverage_names_a_test_that_names_it() {
    let rows = rows();
    assert!(rows.len() >= 17, "only {} rows", rows.len());
    let mut wrong = Vec::new();
    for (id, tests) in rows {
        if tests.is_empty() {
            wrong.push(format!("{id}: no test"));
        }
        for test in tests {
            let (file, name) = test.split_once("::").unwrap_or((&test, ""));
            let text = read(file);
            if !text.contains(&id) {
                wrong.push(format!("{id}: {file} does not name it"));
            }
            if !text.contains(name) {
                wrong.push(format!("{id}: {file} has no {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The README's table of settings and the settings themselves.
#[test]
fn the_readme_names_every_setting() {
    let readme = read("README.md");
    for line in read("src/cli/config.rs").lines() {
        if let Some(name) = line.split("env = \"").nth(1).and_then(|rest| rest.split('"').next()) {
            let short = name.trim_start_matches("CHATBRIDGE_ODOO");
            assert!(readme.contains(name) || readme.contains(&format!("…{short}")), "README.md does not name {name}");
        }
    }
}

/// Every link within the documents leads to a file that is there.
#[test]
fn every_link_leads_somewhere() {
    for document in ["README.md", "docs/architecture.md", "docs/protocol.md", "docs/sandbox.md", "docs/coverage.md"] {
        let folder = Path::new(document).parent().expect("a folder");
        for link in read(document).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.contains("://") && !link.starts_with('#') {
                let target = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(link);
                assert!(target.exists(), "{document} links to {link}");
            }
        }
    }
}
