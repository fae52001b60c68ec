//! The largest packet that a server takes, as this process heard it last.
//!
//! The driver asks each new session for it, with a round trip of its own, unless it is told. So it is told what was heard
//! before; each session says in its first answer whether that still holds, and where it does not, it is opened again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::options::ConnectOptions;

/// More servers than a program has; one more makes us forget them all.
const MOST: usize = 256;

/// In bytes, by address.
static HEARD: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

/// What is known of one address.
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

    /// In bytes, if anything was heard.
    pub(crate) fn last_known(&self) -> Option<usize> {
        heard().get(&self.address).copied()
    }

    /// Notes what a session said; `None`: it did not.
    pub(crate) fn learned(&self, limit: Option<usize>) {
        let mut heard = heard();
        match limit {
            None => drop(heard.remove(&self.address)),
            Some(limit) if heard.get(&self.address) == Some(&limit) => {}
            Some(limit) => {
                if heard.len() >= MOST {
                    heard.clear();
                }
                heard.insert(self.address.clone(), limit);
            }
        }
    }
}

fn heard() -> MutexGuard<'static, BTreeMap<String, usize>> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(host: &str) -> PacketLimit {
        PacketLimit::of(&ConnectOptions::new().host(host))
    }

    #[test]
    fn what_one_pool_hears_another_one_to_the_same_address_knows() {
        of("heard.example").learned(Some(4096));
        assert_eq!(of("heard.example").last_known(), Some(4096));
        assert_eq!(of("other.example").last_known(), None);
        let socket = ConnectOptions::new()
            .host("heard.example")
            .unix_socket("/s");
        assert_eq!(PacketLimit::of(&socket).last_known(), None);
    }

    #[test]
    fn a_server_that_does_not_say_is_forgotten() {
        of("silent.example").learned(Some(4096));
        of("silent.example").learned(None);
        assert_eq!(of("silent.example").last_known(), None);
    }
}
