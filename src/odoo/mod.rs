//! Odoo as the port `Backend`: the protocol of `docs/protocol.md` over JSON-RPC, with the session of one user.
//!
//! - One session for all calls (`session`): Odoo writes a file for each new one. It is opened at the first call, and opened anew once when Odoo says
//!   that it has expired; calls that come meanwhile wait for that one login and share its outcome.
//! - Odoo answers failures as HTTP 200 with the name of a Python exception: one table (`faults`) says what each means. The traceback that comes with
//!   it is never read.
//! - Answers are read by hand (`node`), so that what can't be read is named by its place, never by its value: a value may be a token.

mod answers;
mod backend;
mod connection;
mod events;
mod faults;
mod login;
mod node;
mod probe;
mod script;
mod session;
mod trouble;
mod wire;

pub use backend::OdooBackend;
pub use probe::{Finding, Probe};
pub use script::script_from_json;
