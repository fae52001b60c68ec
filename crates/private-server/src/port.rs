//! A loopback port that stays ours while the server is down.

use std::fs::{self, DirBuilder, File};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::error::ServerError;
use crate::folder::random_number;

/// Below the range from which the system picks source ports: a client that dials a dead port of that range on loopback
/// can connect to itself, and then holds the port against the server that wants to come back.
const RANGE: Range<u16> = 10_240..32_768;

/// A port number and the lock that keeps other servers of this user from picking it; the lock ends with the process.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    lock_path: PathBuf,
    _lock: File,
}

impl Port {
    /// Picks a port that nothing listens on and no other private server of this user has reserved.
    pub(crate) fn reserve(cache: &Path) -> Result<Self, ServerError> {
        let folder = cache.join("ports");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(ServerError::io(format!("create {}", folder.display())))?;
        let mut number = 0;
        for _ in 0..1_000 {
            number = RANGE.start + (random_number() % RANGE.len() as u64) as u16;
            let lock_path = folder.join(number.to_string());
            let lock = File::create(&lock_path)
                .map_err(ServerError::io(format!("create {}", lock_path.display())))?;
            if lock.try_lock().is_err() {
                continue;
            }
            let port = Self {
                number,
                lock_path,
                _lock: lock,
            };
            if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(port);
            }
        }
        Err(ServerError::PortTaken { port: number })
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // Somebody may have opened the file just now and lock it although it has no name any more. Two servers can then
        // pick one port; the second finds it in use and picks another.
        let _ = fs::remove_file(&self.lock_path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;
    use std::collections::HashSet;

    #[test]
    fn reserved_ports_differ_and_lie_below_the_ephemeral_range() {
        let cache = Folder::create().expect("a temporary folder");
        let ports: Vec<Port> = (0..200)
            .map(|_| Port::reserve(cache.path()).expect("a port"))
            .collect();
        let numbers: HashSet<u16> = ports.iter().map(Port::number).collect();
        assert_eq!(numbers.len(), ports.len());
        assert!(numbers.iter().all(|number| RANGE.contains(number)));
    }

    #[test]
    fn a_reservation_ends_with_its_port() {
        let cache = Folder::create().expect("a temporary folder");
        let port = Port::reserve(cache.path()).expect("a port");
        let path = port.lock_path.clone();
        let other = File::open(&path).expect("the lock file");
        assert!(other.try_lock().is_err(), "held while the port lives");
        drop(port);
        other.try_lock().expect("free after the port is gone");
        assert!(!path.exists());
    }
}
