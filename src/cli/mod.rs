//! The `chatbridge` command: the only place that knows concrete types.

mod check;
mod config;
mod log;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit codes, as in `sysexits.h`.
mod exit {
    /// A check has found something.
    pub const FAULT: u8 = 1;
    /// The configuration is wrong; every fault has been printed.
    pub const CONFIG: u8 = 64;
    /// Something that we need refused us for good.
    pub const UNAVAILABLE: u8 = 69;
    /// A mistake of ours.
    pub const SOFTWARE: u8 = 70;
    /// Stopped before everything was written; it is kept for the next start.
    pub const CUT_SHORT: u8 = 75;
}

/// Talks to an Odoo company's customers on Telegram.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the bridge (settings by flags or environment).
    Run(config::Raw),
    /// Look at the whole set-up and say what is wrong with it, and what to do; changes nothing (same settings as run).
    Check(config::Raw),
    /// Run a Bot API server that stands in for Telegram, with a chat page.
    Sandbox(crate::sandbox::Args),
}

/// Runs the command line; the process's exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // A check prints what it finds; the log would repeat it.
    log::start(if matches!(cli.command, Command::Check(_)) { "off" } else { "warn,chatbridge=info" });
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the runtime could not be started");
            return ExitCode::from(exit::SOFTWARE);
        }
    };
    match cli.command {
        Command::Run(raw) => ExitCode::from(runtime.block_on(run::run(raw))),
        Command::Check(raw) => ExitCode::from(runtime.block_on(check::check(raw, &mut std::io::stdout()))),
        Command::Sandbox(args) => match runtime.block_on(crate::sandbox::run(args)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!("{error:#}");
                ExitCode::from(exit::UNAVAILABLE)
            }
        },
    }
}
