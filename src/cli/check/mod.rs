//! `chatbridge check`: looks at the whole set-up and says in words what is wrong with it and what to do. It changes nothing anywhere.

mod machine;
mod odoo;
mod report;
mod telegram;

use std::io::Write;

use super::config::Raw;
use super::exit;
use machine::Machine;
use report::Report;

/// Checks everything, prints a line for each thing looked at, and gives the exit code: 0 where all is right.
pub async fn check(raw: Raw, out: &mut (dyn Write + Send)) -> u8 {
    let mut report = Report::new(out);
    let config = match raw.resolve() {
        Ok(config) => config,
        Err(faults) => {
            for fault in faults {
                // The settings' own sentences say what to do.
                report.wrong(&fault, "");
            }
            return exit::CONFIG;
        }
    };
    report.right("the settings can be read");
    let machine = Machine::look(&config, &mut report).await;
    if let Some(configuration) = odoo::check(&config, &machine, &mut report).await {
        telegram::check(&config, &machine, &configuration, &mut report).await;
    }
    if report.faults() == 0 { 0 } else { exit::FAULT }
}
