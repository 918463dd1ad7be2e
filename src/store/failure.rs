//! What redb's errors mean to the rest of the bridge.

use std::io::ErrorKind;

use redb::Error;

use crate::ports::{Class, Failure};

/// A failure of redb's, in words. Always transient: nothing of ours makes redb fail, so the change itself is good and must not be put aside.
pub(super) fn of(error: &Error) -> Failure {
    Failure::new(Class::Transient, reason(error))
}

/// The writer thread is gone: redb has panicked, and after that it cannot be trusted, nor even closed.
pub(super) fn stopped() -> Failure {
    Failure::new(Class::Transient, "the store has stopped after a fault of its own: start the bridge anew")
}

/// One line on what went wrong.
pub(super) fn reason(error: &Error) -> String {
    match error {
        Error::Io(io) if is_full(io.kind()) => "the disk is full: the store takes nothing until there is space".to_owned(),
        Error::Io(io) => format!("the store's disk failed: {io}"),
        Error::PreviousIo | Error::DatabaseClosed => "the store is being opened anew after its disk failed".to_owned(),
        Error::Corrupted(_) => format!("the store's file is damaged: {error}"),
        other => format!("the store failed: {other}"),
    }
}

/// Is there no space?
pub(super) fn is_full(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}
