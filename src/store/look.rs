//! Looks at a folder without changing anything in it: is there a store, is it in use, whom does it belong to?

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use redb::{Error, ReadOnlyDatabase, ReadableDatabase};

use super::OpenError;
use super::reads;
use super::rows::decode;
use crate::ports::StoreIdentity;

/// What is in a folder.
#[derive(Debug)]
pub enum Found {
    /// No store yet; folder and store are made at the first start.
    Nothing,
    /// A bridge has it open.
    InUse,
    /// A store that is closed.
    Store(Box<StoreIdentity>),
    /// A store that was not closed well: it is put in order at the next start, and can't be read before.
    Unfinished,
}

/// Looks at a folder. An error is what would keep a bridge from starting.
pub fn look(folder: &Path) -> Result<Found, OpenError> {
    if is_locked(folder)? {
        return Ok(Found::InUse);
    }
    let path = folder.join("chatbridge.redb");
    if !path.try_exists().map_err(|error| OpenError::of_io(&path, error))? {
        return Ok(Found::Nothing);
    }
    // Opened for writing too, as a bridge would; nothing is written.
    drop(OpenOptions::new().read(true).write(true).open(&path).map_err(|error| OpenError::of_io(&path, error))?);
    match identity(&path) {
        Ok(json) => decode(&json, || "the identity".to_owned())
            .map(|identity| Found::Store(Box::new(identity)))
            .map_err(|failure| OpenError::Damaged { path, detail: failure.reason }),
        Err(Error::RepairAborted) => Ok(Found::Unfinished),
        Err(error) => Err(OpenError::of(&path, error)),
    }
}

fn is_locked(folder: &Path) -> Result<bool, OpenError> {
    let path = folder.join("lock");
    let Ok(file) = File::open(&path) else { return Ok(false) };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(OpenError::of_io(&path, error)),
    }
}

fn identity(path: &Path) -> Result<Vec<u8>, Error> {
    let database = ReadOnlyDatabase::open(path)?;
    reads::identity(&database.begin_read()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Store;
    use crate::store::RedbStore;

    fn files(folder: &Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .expect("readable")
            .map(|entry| entry.expect("an entry"))
            .map(|entry| (entry.file_name(), std::fs::read(entry.path()).expect("readable")))
            .collect();
        files.sort();
        files
    }

    #[test]
    fn looking_changes_nothing_and_sees_everything() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(look(&folder.path().join("missing")), Ok(Found::Nothing)));
        assert!(matches!(look(folder.path()), Ok(Found::Nothing)));
        let store = RedbStore::open(folder.path()).expect("it opens");
        let identity = store.identity().expect("readable");
        assert!(matches!(look(folder.path()), Ok(Found::InUse)));
        drop(store);
        let before = files(folder.path());
        match look(folder.path()) {
            Ok(Found::Store(found)) => assert_eq!(*found, identity),
            other => panic!("{other:?}"),
        }
        assert_eq!(files(folder.path()), before);
        RedbStore::open(folder.path()).expect("it still opens");
        std::fs::write(folder.path().join("chatbridge.redb"), b"no store").expect("writable");
        assert!(matches!(look(folder.path()), Err(OpenError::Damaged { .. })));
    }
}
