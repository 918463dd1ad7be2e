//! Why a store cannot be opened, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use super::failure::reason;

/// Why a store cannot be opened. Each reads as one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder is not there and cannot be made.
    #[error("the store's folder {} cannot be made ({source}): make it yourself, or name another one", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// We may not write there.
    #[error("the store {} cannot be written ({source}): give the bridge's user the folder, or name another one", path.display())]
    ReadOnly {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Somebody else has it open.
    #[error("another bridge has the store {} open: stop it first, or give this one a folder of its own", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// A newer bridge made it.
    #[error("the store {} has format {found}, this bridge knows up to {known}: start the newer bridge that wrote it", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        found: u64,
        /// The newest format that we know.
        known: u64,
    },
    /// It is no store, or not a whole one.
    #[error("the store {} is damaged ({detail}): restore it, or move it away and start anew (conversations come back from Odoo; what had not been sent is lost)", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// Anything else: a full disk, a broken one.
    #[error("the store {} cannot be opened: {detail}", path.display())]
    Failed {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
}

impl OpenError {
    /// What redb says about a file.
    pub(super) fn of(path: &Path, error: redb::Error) -> Self {
        use redb::Error;
        match error {
            Error::Io(source) => Self::of_io(path, source),
            Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => Self::InUse { folder: path.parent().unwrap_or(path).to_owned() },
            Error::Corrupted(detail) => Self::damaged(path, detail),
            Error::TableDoesNotExist(_) | Error::TableTypeMismatch { .. } | Error::TypeDefinitionChanged { .. } | Error::TableIsMultimap(_) => {
                Self::damaged(path, "it is not a store of this bridge")
            }
            Error::UpgradeRequired(_) | Error::RepairAborted => Self::damaged(path, error.to_string()),
            other => Self::Failed { path: path.to_owned(), detail: reason(&other) },
        }
    }

    /// What the system says about a file or folder.
    pub(super) fn of_io(path: &Path, source: io::Error) -> Self {
        use io::ErrorKind;
        match source.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path: path.to_owned(), source },
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Self::damaged(path, source.to_string()),
            _ => Self::Failed { path: path.to_owned(), detail: reason(&redb::Error::Io(source)) },
        }
    }

    fn damaged(path: &Path, detail: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), detail: detail.into() }
    }
}
