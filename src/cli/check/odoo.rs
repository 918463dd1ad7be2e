//! Odoo: address, database, login, rights, addon, clocks, and what it sees itself.

use jiff::Timestamp;

use super::machine::Machine;
use super::report::Report;
use crate::bridge::{PROTOCOL, check_series};
use crate::cli::config::Config;
use crate::odoo::{OdooBackend, Probe};
use crate::ports::{Class, Configuration, Failure, Hello, Readiness, StoreIdentity};

/// How far clocks may differ, in seconds.
const APART: i64 = 60;

/// Asks Odoo; what is configured, where it can be read.
pub async fn check(config: &Config, machine: &Machine, report: &mut Report<'_>) -> Option<Configuration> {
    let backend = OdooBackend::new(&config.odoo_url, config.odoo_database.clone(), &config.odoo_login, config.odoo_password.clone());
    let backend = backend.map_err(|failure| fault(&failure, report)).ok()?;
    let asked = Timestamp::now();
    let probe = backend.probe(&hello(machine, asked)).await.map_err(|failure| fault(&failure, report)).ok()?;
    let answered = Timestamp::now();
    if let Err(failure) = check_series(&probe.welcome) {
        fault(&failure, report);
    }
    let welcome = &probe.welcome;
    report.right(&format!("Odoo {} lets «{}» in, with the addon {}", welcome.series, config.odoo_login, welcome.addon_version));
    clocks(probe.clock, asked, answered, report);
    readiness(&probe, machine, report);
    for finding in &probe.findings {
        report.wrong(&format!("{}: {}", finding.place, finding.sentence), &finding.remedy);
    }
    backend.read_configuration().await.map_err(|failure| fault(&failure, report)).ok()
}

/// What a bridge with this store would say; a store that can't be read counts as a new one.
fn hello(machine: &Machine, now: Timestamp) -> Hello {
    let draw = || ulid::Ulid::generate().to_string();
    let identity = machine.identity.clone().unwrap_or_else(|| StoreIdentity::new(draw()));
    Hello {
        protocol: PROTOCOL,
        bridge_version: env!("CARGO_PKG_VERSION").to_owned(),
        instance: draw(),
        store_id: identity.store_id,
        database_uuid: identity.database_uuid,
        nonce: identity.nonce,
        nudge_url: None,
        nudge_secret: "00".to_owned(),
        clock: now,
    }
}

/// The adapter's sentences say what to do, but for those of a network.
fn fault(failure: &Failure, report: &mut Report<'_>) {
    let remedy = match failure.class {
        Class::Transient | Class::RateLimited => "see whether Odoo runs, and whether CHATBRIDGE_ODOO_URL is its address as seen from this machine",
        _ => "",
    };
    report.wrong(&failure.reason, remedy);
}

fn clocks(odoo: Timestamp, asked: Timestamp, answered: Timestamp, report: &mut Report<'_>) {
    let ahead = odoo.as_second() - answered.as_second();
    let behind = asked.as_second() - odoo.as_second();
    let apart = ahead.max(behind);
    if apart > APART {
        let which = if ahead > 0 { "ahead of" } else { "behind" };
        report.wrong(&format!("Odoo's clock is {apart} s {which} this machine's"), "set both by NTP: each signs and dates what it sends");
    } else {
        report.right("the clocks agree");
    }
}

/// Would a bridge with this store be let work? Of one that runs its own page has told.
fn readiness(probe: &Probe, machine: &Machine, report: &mut Report<'_>) {
    if machine.running {
        return;
    }
    match probe.welcome.status {
        Readiness::Ready => report.right("Odoo takes this bridge"),
        Readiness::Standby => report.wrong("another bridge serves this database", "let it; or stop it, and start this one half a minute later"),
        Readiness::Confirm => {
            report.wrong(&probe.welcome.sentence, "start the bridge, then press Confirm in Odoo: Chatbot, Settings, Bridge");
        }
    }
}
