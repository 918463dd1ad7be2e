//! `chatbridge sandbox`.

use std::net::SocketAddr;

use anyhow::Context;

use super::options::{BotSpec, Options};
use super::server::Sandbox;

/// Plays Telegram on this machine: a Bot API server with a chat page.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to listen; the chat page is at this address, too
    #[arg(long, default_value = "127.0.0.1:8081")]
    pub listen: SocketAddr,
    /// A bot that exists from the start (repeatable), for example 1:secret:my_bot:My bot
    #[arg(long = "bot", value_name = "TOKEN:username:Name")]
    pub bots: Vec<BotSpec>,
}

/// Runs a sandbox until interrupted.
///
/// # Errors
/// The port is taken, or a bot is described wrongly.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let options = Options { addr: args.listen, bots: args.bots, ..Options::default() };
    let sandbox = Sandbox::bind(options).await.with_context(|| format!("cannot listen at {}", args.listen))?;
    tracing::info!(url = sandbox.url(), "the sandbox is ready; open this address to chat");
    sandbox.serve(interrupted()).await;
    Ok(())
}

async fn interrupted() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            // Without it only Ctrl-C ends the sandbox.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
