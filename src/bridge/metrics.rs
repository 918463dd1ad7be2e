//! What the bridge counts, for Prometheus.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// The counters. Names carry units; none carries a text, a name or a secret.
pub struct Metrics {
    registry: Registry,
    /// Updates taken in.
    pub updates: Counter,
    /// Events of Odoo's that were handed to chats.
    pub events: Counter,
    /// Updates and events that had been seen before.
    pub duplicates: Counter,
    /// Updates that could not be read.
    pub undecodable: Counter,
    /// Updates at which the engine failed; a bug each.
    pub engine_failures: Counter,
    /// Messages sent.
    pub sent: Counter,
    /// Messages sent again because it was unknown whether they had arrived.
    pub resent: Counter,
    /// Messages that Telegram refused.
    pub undeliverable: Counter,
    /// Operations confirmed by Odoo.
    pub applied: Counter,
    /// Operations refused by Odoo.
    pub refused: Counter,
    /// Calls that wrote operations.
    pub apply_calls: Counter,
    /// Nudges that arrived.
    pub nudges: Counter,
    /// Calls of Odoo's forms that arrived.
    pub calls: Counter,
    /// Bots read from Odoo, each time one was new or had changed.
    pub bots_read: Counter,
    /// From taking an update in until its answer was handed to Telegram, in seconds.
    pub answer_seconds: Histogram,
    /// Operations that wait for Odoo.
    pub operations_waiting: Gauge<i64>,
    /// Messages that wait for Telegram.
    pub sends_waiting: Gauge<i64>,
    /// 1 while the bridge may work, else 0.
    pub working: Gauge<f64, AtomicU64>,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("chatbridge");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let updates = counter("updates", "Updates taken in");
        let events = counter("events", "Events of Odoo's that were handed to chats");
        let duplicates = counter("updates_duplicate", "Updates and events seen before, dropped");
        let undecodable = counter("updates_undecodable", "Updates that could not be read, put aside");
        let engine_failures = counter("engine_failures", "Updates at which the engine failed");
        let sent = counter("messages_sent", "Messages that Telegram took");
        let resent = counter("messages_resent", "Messages sent again, since it was unknown whether they had arrived");
        let undeliverable = counter("messages_undeliverable", "Messages that Telegram refused for good");
        let applied = counter("operations_applied", "Operations that Odoo confirmed");
        let refused = counter("operations_refused", "Operations that Odoo refused");
        let apply_calls = counter("apply_calls", "Calls that wrote operations to Odoo");
        let nudges = counter("nudges", "Nudges from Odoo that arrived");
        let calls = counter("calls", "Calls of Odoo's forms that arrived");
        let bots_read = counter("bots_read", "Bots read from Odoo, new or changed");
        let answer_seconds = Histogram::new(exponential_buckets(0.0005, 2.0, 16));
        registry.register_with_unit("answer", "From taking an update in until its answer went to Telegram", Unit::Seconds, answer_seconds.clone());
        let operations_waiting = Gauge::default();
        registry.register("operations_waiting", "Operations that wait for Odoo", operations_waiting.clone());
        let sends_waiting = Gauge::default();
        registry.register("sends_waiting", "Messages that wait for Telegram", sends_waiting.clone());
        let working = Gauge::default();
        registry.register("working", "1 while the bridge may work", working.clone());
        Self {
            registry,
            updates,
            events,
            duplicates,
            undecodable,
            engine_failures,
            sent,
            resent,
            undeliverable,
            applied,
            refused,
            apply_calls,
            nudges,
            calls,
            bots_read,
            answer_seconds,
            operations_waiting,
            sends_waiting,
            working,
        }
    }

    /// The text that Prometheus reads.
    pub fn render(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string does not fail");
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
