//! The temporary folder of one server.

use std::fs::{self, DirBuilder};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::error::ServerError;

/// The longest path a unix socket can have on every system served here (Linux allows 107 bytes, macOS 103).
const LONGEST_SOCKET_PATH: usize = 103;

/// A folder that only this user can enter; dropping it removes it with all that is in it.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    uid: u32,
}

impl Folder {
    /// Creates a new folder in the temporary directory, or in `/tmp` where that path leaves no room for a socket.
    pub(crate) fn create() -> Result<Self, ServerError> {
        let mut parent = std::path::absolute(std::env::temp_dir())
            .map_err(ServerError::io("find the temporary directory"))?;
        loop {
            let mut path = parent.join(format!("private-server-{:08x}", random_number() as u32));
            if socket_in(&path).as_os_str().as_bytes().len() > LONGEST_SOCKET_PATH {
                parent = PathBuf::from("/tmp");
                path = parent.join(path.file_name().expect("a joined path ends in a name"));
            }
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Self::adopt(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(ServerError::io(format!("create {}", path.display()))(error));
                }
            }
        }
    }

    /// Takes over a folder that was just created.
    fn adopt(path: PathBuf) -> Result<Self, ServerError> {
        let mut folder = Self { path, uid: 0 };
        // What this process creates belongs to its user: std has no other way to ask who that is.
        folder.uid = fs::metadata(&folder.path)
            .map_err(ServerError::io(format!("read {}", folder.path.display())))?
            .uid();
        fs::create_dir(folder.tmp()).map_err(ServerError::io(format!(
            "create {}",
            folder.tmp().display()
        )))?;
        Ok(folder)
    }

    /// The number of the user this process runs as.
    pub(crate) fn uid(&self) -> u32 {
        self.uid
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The server's data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// Where the server puts its own temporary files.
    pub(crate) fn tmp(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// All the server says.
    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("server.log")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        socket_in(&self.path)
    }

    pub(crate) fn pid_file(&self) -> PathBuf {
        self.path.join("pid")
    }

    /// Statements that the server runs before it listens; only for programs that cannot have them in the template.
    pub(crate) fn init_file(&self) -> PathBuf {
        self.path.join("init.sql")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A server that was just killed may still be creating a file while its threads end: try again shortly.
        for _ in 0..10 {
            match fs::remove_dir_all(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    thread::sleep(Duration::from_millis(20))
                }
                _ => break,
            }
        }
    }
}

fn socket_in(folder: &Path) -> PathBuf {
    folder.join("sock")
}

/// A number that differs from call to call and from process to process.
pub(crate) fn random_number() -> u64 {
    RandomState::new().hash_one(0_u8)
}
