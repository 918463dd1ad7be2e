//! The `chatbridge` command.
fn main() {}
