//! The sandbox through real HTTP: what it promises to bots, to tests and to the page.
#![allow(clippy::unwrap_used)]

#[path = "sandbox/harness.rs"]
mod harness;

#[path = "sandbox/calls_and_faults.rs"]
mod calls_and_faults;
#[path = "sandbox/customers.rs"]
mod customers;
#[path = "sandbox/editing.rs"]
mod editing;
#[path = "sandbox/requests.rs"]
mod requests;
#[path = "sandbox/sending.rs"]
mod sending;
#[path = "sandbox/updates.rs"]
mod updates;
#[path = "sandbox/webhooks.rs"]
mod webhooks;
