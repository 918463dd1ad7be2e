//! The engine: what a bot answers, and what is to be written in Odoo. Pure and synchronous: no I/O, no clock, no chance.
//!
//! [`advance`] takes the script, what is known of the chat, and what happened there or in Odoo; it gives back what is then known, and the effects to carry out. It is
//! total: any event in any state has an outcome, the same one each time. The caller commits record and effects in one transaction, so a crash
//! replays an event whole or not at all.

mod consultation;
mod desk;
mod effect;
mod from_odoo;
mod input;
mod keyboard;
mod navigate;
mod turn;

pub use effect::{Effect, Flaw};
pub use turn::{Given, advance};
