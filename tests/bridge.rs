//! The runtime in one process: the real bridge and the real client of Telegram, against the sandbox, an Odoo in memory and a store that fails to order.
#![allow(clippy::unwrap_used)]

#[path = "bridge/bot.rs"]
mod bot;
#[path = "bridge/brittle.rs"]
mod brittle;
#[path = "bridge/ledger.rs"]
mod ledger;
#[path = "bridge/odoo.rs"]
mod odoo;
#[path = "bridge/person.rs"]
mod person;
#[path = "bridge/telegram.rs"]
mod telegram;
#[path = "bridge/time.rs"]
mod time;
#[path = "bridge/world.rs"]
mod world;

#[path = "bridge/calls.rs"]
mod calls;
#[path = "bridge/configuring.rs"]
mod configuring;
#[path = "bridge/consultations.rs"]
mod consultations;
#[path = "bridge/dialogs.rs"]
mod dialogs;
#[path = "bridge/leases.rs"]
mod leases;
#[path = "bridge/loads.rs"]
mod loads;
#[path = "bridge/odoo_faults.rs"]
mod odoo_faults;
#[path = "bridge/stopping.rs"]
mod stopping;
#[path = "bridge/store_faults.rs"]
mod store_faults;
#[path = "bridge/telegram_faults.rs"]
mod telegram_faults;
#[path = "bridge/webhooks.rs"]
mod webhooks;
