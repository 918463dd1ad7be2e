//! All state of the sandbox, and the few steps that several of its doors share.

use std::collections::BTreeMap;

use tokio::sync::watch;

use super::bot::Bot;
use super::calls::Calls;
use super::customer::{Customer, FIRST_ID};
use super::faults::Faults;

/// Everything there is.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub bots: BTreeMap<i64, Bot>,
    pub customers: BTreeMap<i64, Customer>,
    pub calls: Calls,
    pub faults: Faults,
    /// Moves when any chat changes, for the page.
    pub stream: watch::Sender<u64>,
}

impl World {
    /// A bot by username, with or without `@`, or by id.
    pub fn bot(&self, name: &str) -> Option<&Bot> {
        self.bots.values().find(|bot| bot.is_called(name))
    }

    /// Adds a customer or changes one; without an id it gets the next.
    pub fn put_customer(&mut self, mut customer: Customer) -> Customer {
        if customer.id == 0 {
            let last = self.customers.keys().next_back().copied().unwrap_or(0);
            customer.id = (last + 1).max(FIRST_ID);
        }
        self.customers.insert(customer.id, customer.clone());
        self.changed();
        customer
    }

    /// Tells the page that it should look.
    pub fn changed(&self) {
        self.stream.send_modify(|count| *count += 1);
    }
}

impl Bot {
    /// Whether this is the bot that a test means.
    pub fn is_called(&self, name: &str) -> bool {
        let name = name.trim_start_matches('@');
        self.spec.username.eq_ignore_ascii_case(name) || name.parse() == Ok(self.id)
    }
}
