//! The largest packet that a server takes, as this process learned it last.
//!
//! Without that number the driver asks the server for it, in an extra round trip for each new session. So the driver gets
//! the number that an earlier session has learned. The first answer in each session tells whether the number is still
//! right. If it is not, the connection is opened again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::options::ConnectOptions;

/// The most addresses that are remembered. With one more, all are forgotten.
const MOST: usize = 256;

/// The packet limits in bytes, by address.
static LIMITS: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

/// What is known about one address.
pub(crate) struct PacketLimit {
    address: String,
}

impl PacketLimit {
    pub(crate) fn of(options: &ConnectOptions) -> Self {
        Self {
            address: match &options.unix_socket {
                Some(path) => path.to_string_lossy().into_owned(),
                None => format!("{}:{}", options.host_name(), options.port_number()),
            },
        }
    }

    /// The limit in bytes, if it is known.
    pub(crate) fn last_known(&self) -> Option<usize> {
        limits().get(&self.address).copied()
    }

    /// Remembers the limit that a server has told; `None` where it told none.
    pub(crate) fn learned(&self, limit: Option<usize>) {
        let mut limits = limits();
        match limit {
            None => drop(limits.remove(&self.address)),
            Some(limit) if limits.get(&self.address) == Some(&limit) => {}
            Some(limit) => {
                if limits.len() >= MOST {
                    limits.clear();
                }
                limits.insert(self.address.clone(), limit);
            }
        }
    }
}

fn limits() -> MutexGuard<'static, BTreeMap<String, usize>> {
    LIMITS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(host: &str) -> PacketLimit {
        PacketLimit::of(&ConnectOptions::new().host(host))
    }

    #[test]
    fn a_limit_is_known_to_every_pool_of_the_same_address() {
        of("limits.example").learned(Some(4096));
        assert_eq!(of("limits.example").last_known(), Some(4096));
        assert_eq!(of("other.example").last_known(), None);
        let socket = ConnectOptions::new()
            .host("limits.example")
            .unix_socket("/s");
        assert_eq!(PacketLimit::of(&socket).last_known(), None);
    }

    #[test]
    fn a_server_that_tells_no_limit_is_forgotten() {
        of("silent.example").learned(Some(4096));
        of("silent.example").learned(None);
        assert_eq!(of("silent.example").last_known(), None);
    }
}
