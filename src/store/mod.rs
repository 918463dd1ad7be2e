//! What must survive, kept in one redb file ([`RedbStore`]) or, for tests, in memory ([`MemoryStore`]).
//!
//! **Promise.** A change whose `commit` returned `Done` is on the disk, whole. One whose `commit` failed has left no trace.
//!
//! **Group commit.** One writer thread owns all writing. It takes what waits in a bounded channel (never lingering for more), carries it
//! out in one transaction, flushes once, then answers each caller. Rows are encoded by the callers' tasks, so the thread only moves bytes.
//!
//! **Failure.** A failure before redb's commit is certain: the transaction is dropped, every caller of the batch is told. A failure *inside*
//! redb's commit is not: the batch may have reached the disk. Then nobody is answered yet; the file is opened anew, and the number of the
//! last batch in it tells what happened. If it is there, an empty commit flushes it and the callers hear `Done`; if not, they hear the
//! failure. After any I/O error redb refuses everything until it is opened anew; the writer does that by itself, before the next batch.
//! Should redb panic, the writer ends and every commit fails: the bridge must be started anew.
//!
//! **Reads** are redb read transactions: they never wait for the writer, except while the file is being opened anew.
//!
//! **Files** of the folder: `chatbridge.redb` (0600, it holds tokens), `lock` (held as long as the store is open; redb's own lock is let
//! go when the file is opened anew). A new file is made as `chatbridge.redb.new` and renamed when it is complete, because redb cannot open a
//! file whose making was cut short.

mod batch;
mod facts;
mod failure;
#[cfg(test)]
mod faults;
mod file;
mod folder;
mod look;
mod memory;
mod open_error;
mod reads;
mod redb_store;
mod rows;
#[cfg(test)]
mod stored;
mod tables;
mod writer;

pub use look::{Found, look};
pub use memory::MemoryStore;
pub use open_error::OpenError;
pub use redb_store::RedbStore;
