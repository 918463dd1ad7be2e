//! The folder of a store: its files, their modes, and the lock that keeps a second bridge out.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::OpenError;

/// Tokens are inside.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// A folder that is ours for as long as this lives.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder where it is missing, and locks it. A folder that was there keeps its mode: it may be shared, or not ours to change.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        make(path).map_err(|source| OpenError::Folder { folder: path.to_owned(), source })?;
        let lock = lock(path)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Where the store is.
    pub(super) fn file(&self) -> PathBuf {
        self.path.join("chatbridge.redb")
    }

    /// Where a store is made, until it is complete.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.path.join("chatbridge.redb.new")
    }

    /// Opens the store's file; it is never made here, so a file that has been taken away is not replaced by an empty one.
    pub(super) fn open_file(&self) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).open(self.file())?;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(Permissions::from_mode(FILE_MODE))?;
        }
        Ok(file)
    }

    /// An empty file to make a store in; what an earlier attempt left is wiped.
    pub(super) fn begin_file(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true).mode(FILE_MODE).open(self.unfinished())
    }

    /// Puts the store that has been made in its place, safe against a crash of the machine.
    pub(super) fn finish_file(&self) -> io::Result<()> {
        fs::rename(self.unfinished(), self.file())?;
        sync(&self.path)
    }
}

fn make(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)?;
    path.canonicalize()?.parent().map_or(Ok(()), sync)
}

/// A lock of our own: redb's is let go for a moment when the file is opened anew.
fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join("lock");
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(FILE_MODE).open(&path);
    let file = file.map_err(|error| OpenError::of_io(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(error)) => Err(OpenError::of_io(&path, error)),
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
