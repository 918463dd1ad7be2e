//! `chatbridge run`: makes the parts, lets them run, and turns what came of it into an exit code.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::config::{Config, Nudge, Raw};
use super::exit;
use crate::bridge::{Bridge, Ended, Parts, Settings};
use crate::odoo::{OdooBackend, script_from_json};
use crate::ports::SystemClock;
use crate::store::RedbStore;
use crate::telegram::Telegram;
use crate::web::{self, Pages, Secret};

/// Runs the bridge until it is told to stop.
pub async fn run(raw: Raw) -> u8 {
    let config = match raw.resolve() {
        Ok(config) => config,
        Err(faults) => {
            for fault in faults {
                tracing::error!("{fault}");
            }
            return exit::CONFIG;
        }
    };
    match start(config).await {
        Ok(Ended::Drained) => 0,
        Ok(Ended::CutShort) => exit::CUT_SHORT,
        Ok(Ended::Refused) => exit::UNAVAILABLE,
        Err(line) => {
            tracing::error!("{line}");
            exit::UNAVAILABLE
        }
    }
}

/// Opens what is needed, and runs. An error is one line that says what to do.
async fn start(config: Config) -> Result<Ended, String> {
    let listener = web::listen(config.listen).await.map_err(|error| port_taken(config.listen, &error))?;
    let store = RedbStore::open(&config.data).map_err(|error| error.to_string())?;
    let secret = Secret::draw();
    let settings = Settings { instance: ulid::Ulid::generate().to_string(), nudge_url: nudge_url(&config, &listener), nudge_secret: secret.to_hex() };
    let backend = OdooBackend::new(&config.odoo_url, config.odoo_database.clone(), &config.odoo_login, config.odoo_password.clone())
        .map_err(|failure| failure.to_string())?;
    let connect = Telegram::new(&config.telegram_url).map_err(|failure| failure.to_string())?;
    let parts = Parts {
        store: Arc::new(store),
        backend: Arc::new(backend),
        connect: Arc::new(connect),
        clock: Arc::new(SystemClock),
        read_script: script_from_json,
    };
    let bridge = Bridge::new(parts, settings);
    let pages = Pages {
        ready: bridge.ready(),
        metrics: bridge.metrics(),
        nudges: bridge.nudges(),
        calls: bridge.calls(),
        deliveries: bridge.deliveries(),
        secret,
    };
    let stop = CancellationToken::new();
    let serving = tokio::spawn(web::serve(listener, pages, stop.clone().cancelled_owned()));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), listen = %config.listen, data = %config.data.display(), "chatbridge runs");
    let ended = bridge.run(asked_to_stop()).await;
    stop.cancel();
    let _ = tokio::time::timeout(std::time::Duration::from_secs(1), serving).await;
    Ok(ended)
}

fn port_taken(address: SocketAddr, error: &std::io::Error) -> String {
    format!("cannot listen on {address}: {error}. Set CHATBRIDGE_LISTEN to a free port, or stop what uses this one.")
}

fn nudge_url(config: &Config, listener: &TcpListener) -> Option<String> {
    let base = match &config.nudge_base {
        Nudge::Off => return None,
        Nudge::At(base) => base.clone(),
        Nudge::Listening => {
            let address = listener.local_addr().ok()?;
            if address.ip().is_unspecified() { format!("http://127.0.0.1:{}", address.port()) } else { format!("http://{address}") }
        }
    };
    Some(format!("{base}/odoo/nudge"))
}

/// SIGTERM or SIGINT.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return tracing::error!("signals cannot be waited for");
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
