//! Chatbridge: Telegram on one side, Odoo on the other, the dialog in memory between them.
pub mod sandbox;
