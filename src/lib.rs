//! Chatbridge: Telegram on one side, Odoo on the other, the dialog in memory between them.
//!
//! The floors, each importing only from those below it (`tests/architecture.rs`): `domain` and `text` and `dialog` are pure; `ports` says
//! what they need of the world; `telegram`, `odoo` and `store` are the world; `bridge` runs; `web` listens; `cli` wires it all.
//! `sandbox` stands apart: a Bot API server that shares nothing with the bridge.
pub mod bridge;
pub mod cli;
pub mod dialog;
pub mod domain;
mod http;
pub mod odoo;
pub mod ports;
pub mod sandbox;
pub mod store;
pub mod telegram;
pub mod text;
pub mod web;
