//! The tables of the file. Values are JSON where they are bytes; redb sorts signed keys in their natural order, tuples element by element.

use redb::{TableDefinition, WriteTransaction};

/// Marks of updates: Telegram bot, update → nanoseconds since 1970.
pub(super) const SEEN: TableDefinition<(i64, i64), i128> = TableDefinition::new("seen");
/// Marks of events: key → nanoseconds since 1970.
pub(super) const SEEN_EVENTS: TableDefinition<u128, i128> = TableDefinition::new("seen_events");
/// Working copies: channel, chat → `ChatRecord`.
pub(super) const CHATS: TableDefinition<(i64, i64), &[u8]> = TableDefinition::new("chats");
/// Messages to be sent: channel, chat, number → `Outgoing`.
pub(super) const SENDS: TableDefinition<(i64, i64, u64), &[u8]> = TableDefinition::new("sends");
/// Operations for Odoo: lane, number → `Operation`.
pub(super) const OPERATIONS: TableDefinition<(u8, u64), &[u8]> = TableDefinition::new("operations");
/// Operations that Odoo refused: number → `Parked`.
pub(super) const PARKED: TableDefinition<u64, &[u8]> = TableDefinition::new("parked");
/// Configuration: bot → the JSON of the protocol.
pub(super) const BOTS: TableDefinition<i64, &[u8]> = TableDefinition::new("bots");
/// Single facts: `identity` → `StoreIdentity`.
pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
/// Numbers by name; see `facts`.
pub(super) const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counters");

/// Makes every table that is not there, so that readers find them.
pub(super) fn make(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(SEEN)?;
    transaction.open_table(SEEN_EVENTS)?;
    transaction.open_table(CHATS)?;
    transaction.open_table(SENDS)?;
    transaction.open_table(OPERATIONS)?;
    transaction.open_table(PARKED)?;
    transaction.open_table(BOTS)?;
    transaction.open_table(META)?;
    transaction.open_table(COUNTERS)?;
    Ok(())
}
