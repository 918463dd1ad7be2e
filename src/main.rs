//! The `chatbridge` command.

fn main() -> std::process::ExitCode {
    chatbridge::cli::main()
}
