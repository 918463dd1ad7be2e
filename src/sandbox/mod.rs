//! A Bot API server that stands in for Telegram, with a chat page for customers.
//!
//! Promises: answers have the real shapes and texts; what the real server would tolerate but a careful bot never sends
//! (unknown parameters, wrong types, bare `&` in HTML) is refused, so that mistakes show early. State is in memory only.
//! It shares nothing with the bridge, not even a type, so that it can catch the bridge's mistakes.
//!
//! The parts: [`server`] turns HTTP into [`request::Request`]s, [`api`] answers the Bot API with the [`methods`],
//! [`control`] answers `/sandbox/...` for tests and the page, [`world`] holds bots, customers and chats behind one lock,
//! [`queue`] keeps updates until they are confirmed ([`poll`]) or delivered ([`webhook`]).
//!
//! Failure: a request that cannot be answered gets a 4xx; nothing a client sends ends the server.

mod answer;
mod api;
mod bot;
mod callback;
mod calls;
mod chat;
mod command;
mod control;
mod customer;
mod entities;
mod faults;
mod house;
mod html;
mod keyboard;
mod message;
mod methods;
mod multipart;
mod options;
mod params;
mod poll;
mod queue;
mod request;
mod server;
mod text;
mod update;
mod view;
mod webhook;
mod world;

pub use command::{Args, run};
pub use options::{BotSpec, Options, Pace};
pub use server::Sandbox;
