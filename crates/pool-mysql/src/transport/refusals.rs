//! The commands for cleaning a session that a server has refused.
//!
//! Some proxies and servers have no `COM_RESET_CONNECTION`, and a few have no `COM_CHANGE_USER` either. The first refusal is
//! remembered, so that no later connection of the pool sends a command that the server does not have.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mysql_async::ServerError;
use pool_core::ErrorClass;

use crate::error::codes::meaning_of;

/// The most versions that are remembered. With one more, all are forgotten.
const MOST: usize = 64;

/// A command that makes a session clean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CleaningCommand {
    /// `COM_RESET_CONNECTION`.
    Reset,
    /// `COM_CHANGE_USER`, which logs in again.
    ChangeUser,
}

/// What the servers at the address of a pool have refused, by version: a server that was upgraded is asked again, and
/// several servers behind one address are told apart.
#[derive(Default)]
pub(crate) struct Refusals {
    /// Something was refused. Every reset asks, and most servers refuse nothing: they need no look under the lock.
    any: AtomicBool,
    versions: Mutex<BTreeMap<String, Refused>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Refused {
    reset: bool,
    change_user: bool,
}

impl Refusals {
    /// Whether a server of this version has refused the command.
    pub(crate) fn contains(&self, version: &str, command: CleaningCommand) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        let refused = self.lock().get(version).copied().unwrap_or_default();
        match command {
            CleaningCommand::Reset => refused.reset,
            CleaningCommand::ChangeUser => refused.change_user,
        }
    }

    /// Remembers a refusal. Returns `true` for the one call after which both commands are refused.
    pub(crate) fn learned(&self, version: &str, command: CleaningCommand) -> bool {
        let mut versions = self.lock();
        if versions.len() >= MOST && !versions.contains_key(version) {
            versions.clear();
        }
        let refused = versions.entry(version.to_owned()).or_default();
        let before = *refused;
        match command {
            CleaningCommand::Reset => refused.reset = true,
            CleaningCommand::ChangeUser => refused.change_user = true,
        }
        self.any.store(true, Ordering::Release);
        *refused != before && refused.reset && refused.change_user
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Refused>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether one such answer is enough: the server or the proxy does not have the command.
pub(crate) fn is_refusal(error: &ServerError) -> bool {
    match error.code {
        // A Galera node that has lost its cluster uses the number for every statement, until it has found the cluster again.
        1047 => !error.message.contains("WSREP"),
        // TiDB, and ProxySQL before 2.4.
        1105 | 9003 => true,
        _ => false,
    }
}

/// Whether two such answers in a row are enough. Errors that pass, or that are about the account, are not.
pub(crate) fn is_refusal_if_repeated(error: &ServerError) -> bool {
    let meaning = meaning_of(error.code);
    meaning.class == ErrorClass::Transient && !meaning.retryable && !meaning.lost
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: u16, message: &str) -> ServerError {
        ServerError {
            code,
            message: message.into(),
            state: "HY000".into(),
        }
    }

    #[test]
    fn a_refusal_is_remembered_for_its_version_and_both_are_reported_once() {
        use CleaningCommand::{ChangeUser, Reset};
        let refusals = Refusals::default();
        assert!(!refusals.contains("8.0.1", Reset));
        assert!(!refusals.learned("8.0.1", Reset));
        assert!(refusals.contains("8.0.1", Reset));
        assert!(!refusals.contains("8.0.1", ChangeUser));
        assert!(!refusals.contains("8.0.2", Reset));
        assert!(refusals.learned("8.0.1", ChangeUser));
        assert!(!refusals.learned("8.0.1", ChangeUser));
        assert!(!refusals.learned("8.0.1", Reset));
    }

    #[test]
    fn an_unknown_command_is_a_refusal_and_a_galera_node_without_its_cluster_is_none() {
        assert!(is_refusal(&answer(1047, "Unknown command")));
        assert!(is_refusal(&answer(1105, "command 31 not supported now")));
        assert!(is_refusal(&answer(9003, "Command not supported")));
        let galera = answer(1047, "WSREP has not yet prepared node for application use");
        assert!(!is_refusal(&galera));
        assert!(!is_refusal_if_repeated(&galera));
    }

    #[test]
    fn what_passes_is_no_refusal_however_often_it_comes() {
        for code in [1040, 1045, 1053, 1205, 1226] {
            assert!(!is_refusal(&answer(code, "")), "{code}");
            assert!(!is_refusal_if_repeated(&answer(code, "")), "{code}");
        }
        assert!(is_refusal_if_repeated(&answer(1235, "not supported yet")));
    }
}
