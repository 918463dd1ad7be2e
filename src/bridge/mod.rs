//! The runtime: takes updates in, keeps each chat in order, carries out what the engine wants, writes behind to Odoo.
//!
//! One update, or one event of Odoo's that concerns a chat, is one transaction of the store: the mark that it was seen, the chat's new record, what is to be said, what is to be written in Odoo. Only
//! after the commit does anything leave. What is still in the store at the start is taken up again. So a kill at any point loses nothing, and
//! doubles at most the messages that were in flight to Telegram at that moment.
//!
//! ```text
//! intake (one per channel), deliveries (to webhooks)
//!        → mailbox (one per chat) → engine → store ─┬→ outbox (one drain per chat) → Telegram
//!                                                   └→ writer (a few lanes)       → Odoo
//! session: the lease, the heartbeat, configuration from Odoo → registry → intakes
//!          events from Odoo → courier (each chat's in order) → mailbox
//! ```

mod bell;
mod calls;
mod check;
mod courier;
mod delivery;
mod intake;
mod looks;
mod mailbox;
mod metrics;
mod outbox;
mod pause;
mod recall;
mod refusals;
mod registry;
mod run;
mod search;
mod session;
mod sorting;
mod status;
mod turn;
mod webhook;
mod writer;

pub use bell::Checked;
pub use calls::{Call, Calls};
pub use delivery::{Delivered, Deliveries};
pub use metrics::Metrics;
pub use run::{Bridge, Ended, Parts, Settings};
pub use session::{PROTOCOL, check_series};
pub use status::{Nudges, Ready};
pub use webhook::hook_url;
