//! The names of what the table `COUNTERS` and the table `META` hold.

/// The version of the file's format.
pub(super) const FORMAT: &str = "format";
/// The number that the next message or operation gets. Never goes back, so that a late `sent` cannot hit a newer message.
pub(super) const NEXT: &str = "next";
/// The number of the last batch: tells, after a failed commit, whether it is in the file.
pub(super) const BATCH: &str = "batch";
/// The key of the identity in `META`.
pub(super) const IDENTITY: &str = "identity";

/// The format that this version reads and writes. Raise it when an older bridge could not read the file any more: also when a stored enum grows by a kind
/// (an operation, a request), since one row that cannot be read would hold up its whole lane. A file of a former format is raised when it is opened.
///
/// 1: the first. 2: consultations; marks of events.
pub(super) const KNOWN_FORMAT: u64 = 2;
