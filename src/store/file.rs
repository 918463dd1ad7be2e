//! The open file: makes it, opens it, opens it anew after a failure.

use std::fmt;
use std::fs::File;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use redb::backends::FileBackend;
use redb::{Builder, Database, Durability, Error, ReadTransaction, ReadableDatabase, WriteTransaction};

use super::OpenError;
use super::facts::{BATCH, FORMAT, IDENTITY, KNOWN_FORMAT, NEXT};
use super::folder::Folder;
use super::tables::{self, COUNTERS, META};
use super::{reads, rows};
use crate::ports::StoreIdentity;

/// Pages kept in memory, at most.
const CACHE_BYTES: usize = 128 * 1024 * 1024;

/// Makes a database of an open file. Tests put a disk that fails in between.
pub(super) type Opener = Box<dyn Fn(File) -> Result<Database, Error> + Send + Sync>;

/// The opener for a real disk.
pub(super) fn real_disk() -> Opener {
    Box::new(|file| Ok(builder().create_with_backend(FileBackend::new(file)?)?))
}

/// How redb is set up.
pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// The store's file.
pub(super) struct StoreFile {
    folder: Folder,
    opener: Opener,
    /// Nothing while it is being opened anew, or when that failed.
    database: RwLock<Option<Database>>,
}

impl StoreFile {
    /// Opens the store of a folder, and makes it where there is none.
    pub(super) fn open(folder: Folder, opener: Opener) -> Result<Self, OpenError> {
        let path = folder.file();
        if !path.try_exists().map_err(|error| OpenError::of_io(&path, error))? {
            make(&folder, &opener).map_err(|error| OpenError::of(&folder.unfinished(), error))?;
        }
        let database = open(&folder, &opener).map_err(|error| OpenError::of(&path, error))?;
        let found = format(&database).map_err(|error| OpenError::of(&path, error))?;
        if found > KNOWN_FORMAT {
            return Err(OpenError::Newer { path, found, known: KNOWN_FORMAT });
        }
        if found < KNOWN_FORMAT {
            raise(&database).map_err(|error| OpenError::of(&path, error))?;
            tracing::info!(found, now = KNOWN_FORMAT, "the store's format has been raised; an older bridge cannot open it any more");
        }
        Ok(Self { folder, opener, database: RwLock::new(Some(database)) })
    }

    /// Begins to read.
    pub(super) fn read(&self) -> Result<ReadTransaction, Error> {
        Ok(self.database().as_ref().ok_or(Error::DatabaseClosed)?.begin_read()?)
    }

    /// Begins to write.
    pub(super) fn write(&self) -> Result<WriteTransaction, Error> {
        begin(self.database().as_ref().ok_or(Error::DatabaseClosed)?)
    }

    /// Opens the file anew. It is given to readers only when `check` is content. No write transaction may be open.
    pub(super) fn reopen<T>(&self, check: impl FnOnce(&Database) -> Result<T, Error>) -> Result<T, Error> {
        let mut place = self.database.write().unwrap_or_else(PoisonError::into_inner);
        *place = None; // closes it first: redb locks the file
        let database = open(&self.folder, &self.opener)?;
        let checked = check(&database)?;
        *place = Some(database);
        Ok(checked)
    }

    /// Only the writer ever replaces the database, so a guard that a panic left poisoned still holds a good one.
    fn database(&self) -> RwLockReadGuard<'_, Option<Database>> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for StoreFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreFile").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Begins a transaction whose commit survives a power cut, and after which the file opens at once.
pub(super) fn begin(database: &Database) -> Result<WriteTransaction, Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    transaction.set_two_phase_commit(true);
    transaction.set_quick_repair(true);
    Ok(transaction)
}

fn open(folder: &Folder, opener: &Opener) -> Result<Database, Error> {
    opener(folder.open_file().map_err(Error::Io)?)
}

fn format(database: &Database) -> Result<u64, Error> {
    reads::format(&database.begin_read()?)
}

/// Brings a file of a former format to ours: what has come since is there, and empty.
fn raise(database: &Database) -> Result<(), Error> {
    let transaction = begin(database)?;
    tables::make(&transaction)?;
    transaction.open_table(COUNTERS)?.insert(FORMAT, KNOWN_FORMAT)?;
    Ok(transaction.commit()?)
}

fn make(folder: &Folder, opener: &Opener) -> Result<(), Error> {
    let database = opener(folder.begin_file().map_err(Error::Io)?)?;
    let transaction = begin(&database)?;
    tables::make(&transaction)?;
    fill(&transaction)?;
    transaction.commit()?;
    drop(database);
    folder.finish_file().map_err(Error::Io)
}

fn fill(transaction: &WriteTransaction) -> Result<(), Error> {
    let identity = StoreIdentity::new(ulid::Ulid::generate().to_string());
    let identity = rows::encode(&identity).expect("three texts have a JSON form");
    transaction.open_table(META)?.insert(IDENTITY, identity.as_slice())?;
    let mut counters = transaction.open_table(COUNTERS)?;
    counters.insert(FORMAT, KNOWN_FORMAT)?;
    counters.insert(NEXT, 1)?;
    counters.insert(BATCH, 0)?;
    Ok(())
}
