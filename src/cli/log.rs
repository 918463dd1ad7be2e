//! Where the log goes and how it looks.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error: readable in a terminal, one JSON object a line elsewhere. `CHATBRIDGE_LOG` sets what is shown (else `default`), in the
/// syntax of `tracing`'s filters; `CHATBRIDGE_LOG_FORMAT` is `text` or `json`.
pub fn start(default: &str) {
    let filter = EnvFilter::try_from_env("CHATBRIDGE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let json = match std::env::var("CHATBRIDGE_LOG_FORMAT").as_deref() {
        Ok("json") => true,
        Ok("text") => false,
        _ => !std::io::stderr().is_terminal(),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    if json {
        builder.json().flatten_event(true).init();
    } else {
        builder.init();
    }
}
