//! This machine: the data folder, the disk, the port, the address for nudges.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use super::report::Report;
use crate::cli::config::{Config, Nudge};
use crate::ports::StoreIdentity;
use crate::store::{Found, look};
use crate::{http, web};

/// Below this, commits will soon fail: in bytes.
const SCARCE: u64 = 200 * 1024 * 1024;
/// How long the bridge itself may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(3);

/// What matters for the rest of the check.
pub struct Machine {
    /// A bridge runs on the data folder.
    pub running: bool,
    /// Whom the store belongs to, where that can be read.
    pub identity: Option<StoreIdentity>,
}

impl Machine {
    /// Looks at everything here.
    pub async fn look(config: &Config, report: &mut Report<'_>) -> Self {
        let machine = folder(&config.data, report);
        disk(&config.data, report);
        if machine.running {
            itself(config.listen, report).await;
        } else {
            port(config.listen, report).await;
        }
        nudges(&config.nudge_base, machine.running, report).await;
        machine
    }
}

/// The data folder: missing is fine, as long as it can be made.
fn folder(path: &Path, report: &mut Report<'_>) -> Machine {
    let (mut running, mut identity) = (false, None);
    let shown = path.display();
    match look(path) {
        Ok(Found::InUse) => {
            running = true;
            report.right(&format!("the data folder {shown} is in use: a bridge runs"));
        }
        Ok(Found::Store(found)) => {
            identity = Some(*found);
            writable(path, &format!("the data folder {shown} holds a store"), report);
        }
        Ok(Found::Unfinished) => {
            writable(path, &format!("the data folder {shown} holds a store that was not closed well; it is put in order at the next start"), report);
        }
        Ok(Found::Nothing) if path.is_dir() => writable(path, &format!("the data folder {shown} is empty: the bridge begins anew"), report),
        Ok(Found::Nothing) => writable(existing(path), &format!("the data folder {shown} is made at the first start"), report),
        // The error says what to do.
        Err(error) => report.wrong(&error.to_string(), ""),
    }
    Machine { running, identity }
}

/// The nearest folder above that is there.
fn existing(path: &Path) -> &Path {
    let above = path.ancestors().find(|above| above.is_dir());
    above.filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Permissions alone don't tell (a file system may be read-only): a file is made, and taken away at once.
fn writable(folder: &Path, what: &str, report: &mut Report<'_>) {
    let trial = folder.join(format!(".chatbridge-check-{}", ulid::Ulid::generate()));
    match std::fs::File::create_new(&trial).and_then(|_| std::fs::remove_file(&trial)) {
        Ok(()) => report.right(what),
        Err(error) => {
            let sentence = format!("nothing can be written in {} ({error})", folder.display());
            report.wrong(&sentence, "give the bridge's user that folder, or set CHATBRIDGE_DATA to another one");
        }
    }
}

fn disk(path: &Path, report: &mut Report<'_>) {
    let Ok(room) = rustix::fs::statvfs(existing(path)) else { return };
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    // Not every file system is on a disk.
    if room.f_blocks > 0 && free < SCARCE {
        let sentence = format!("the disk of the data folder has {} MB left", free / (1024 * 1024));
        report.wrong(&sentence, "make room: where the bridge can't write, it takes nothing in");
    }
}

/// A bridge that runs says how it is.
async fn itself(listen: SocketAddr, report: &mut Report<'_>) {
    match http::get(&format!("http://{}/readyz", reachable(listen)), PATIENCE).await {
        Ok((200, line)) => report.right(&format!("the bridge says: {line}")),
        Ok((503, line)) => report.wrong(&format!("the bridge runs, but does not work: {line}"), "do what its line says"),
        Ok((status, _)) => other(listen, &format!("HTTP {status}"), report),
        Err(why) => other(listen, &why, report),
    }
}

fn other(listen: SocketAddr, why: &str, report: &mut Report<'_>) {
    let sentence = format!("the bridge that runs does not answer at {listen} ({why})");
    report.wrong(&sentence, "check with the settings that it was started with: CHATBRIDGE_LISTEN differs");
}

async fn port(listen: SocketAddr, report: &mut Report<'_>) {
    match web::listen(listen).await {
        Ok(_) => report.right(&format!("{listen} is free to listen on; no bridge runs on this data folder")),
        Err(error) => {
            report.wrong(&format!("the bridge can't listen on {listen} ({error})"), "set CHATBRIDGE_LISTEN to a free port, or stop what uses it")
        }
    }
}

async fn nudges(nudge: &Nudge, running: bool, report: &mut Report<'_>) {
    match nudge {
        Nudge::Off => report.right("Odoo does not call the bridge (CHATBRIDGE_NUDGE_URL is none): it is asked every second"),
        // That is the listening address, looked at already.
        Nudge::Listening => {}
        Nudge::At(base) => match http::get(&format!("{base}/healthz"), PATIENCE).await {
            Ok((200, line)) if line == "alive" => report.right(&format!("a bridge answers at {base}, where Odoo is to call it")),
            Ok((status, _)) => report.wrong(
                &format!("what answers at {base} is not the bridge (HTTP {status})"),
                "set CHATBRIDGE_NUDGE_URL to the address under which Odoo reaches the bridge, or let the proxy there lead to it",
            ),
            Err(why) if running => report.wrong(
                &format!("nobody answers at {base}, where Odoo is to call the bridge ({why})"),
                "correct CHATBRIDGE_NUDGE_URL, or the proxy and the firewall on the way; «none» if there is no way",
            ),
            Err(_) => report.right(&format!("whether Odoo can call {base} shows when the bridge runs")),
        },
    }
}

/// The address to call where one listens everywhere.
fn reachable(listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() { SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), listen.port()) } else { listen }
}
