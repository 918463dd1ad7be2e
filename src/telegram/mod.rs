//! Telegram's Bot API as the port `Messenger`. The only user of frankenstein.
//!
//! We use frankenstein's types and its trait, but a client of our own (`api`), for three reasons:
//! - its client decodes a batch of updates whole: one update of a kind newer than the library would stop the bot until it expires. Here each update
//!   is decoded by itself (`update`), and only the parts of it that we use;
//! - its errors print whole bodies, which hold what people wrote, and lose the HTTP status and a long `retry_after`. Ours hold neither body nor token (`trouble`);
//! - polling and sending need time-outs of their own.
//!
//! What a trouble means is said in one table (`faults`); nobody else looks at Telegram's texts.

mod api;
mod bot;
mod connector;
mod content;
mod faults;
mod say;
mod trouble;
mod update;

pub use connector::{BASE_URL, Telegram};
