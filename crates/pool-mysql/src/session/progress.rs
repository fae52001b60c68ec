//! Follows the transaction of a guard: was it rolled back by the server, and may something of it be committed?

use mysql_async::consts::StatusFlags;
use mysql_async::{Error, ServerError};

use crate::session::command::Purpose;

/// The server has rolled back the whole transaction.
const DEADLOCK: u16 = 1213;

/// The server has rolled back the statement; with `innodb_rollback_on_timeout` the whole transaction.
const LOCK_WAIT_TIMEOUT: u16 = 1205;

/// What has become of the transaction under way, as far as its statements and the server's answers tell.
#[derive(Default)]
pub(crate) struct TransactionProgress {
    /// A transaction guard has begun it, and has not ended it.
    is_open: bool,
    /// How many savepoints are set in it.
    savepoints: u32,
    /// The last statement failed because of another transaction: by a deadlock or a lock wait timeout.
    lost: bool,
    /// The server's error for the last statement that failed so.
    conflict: Option<ServerError>,
    /// The server has rolled the transaction back; later statements did not belong to it.
    undone: bool,
    /// Something of it may be committed: by a COMMIT, by a statement that commits, or by one whose text is not known.
    committed: bool,
}

impl TransactionProgress {
    /// The server has begun a transaction.
    pub(crate) fn begin() -> Self {
        Self {
            is_open: true,
            ..Self::default()
        }
    }

    /// Looks at the server's last answer, before the next one replaces it: is the transaction still open?
    pub(crate) fn look_at(&mut self, flags: Option<StatusFlags>) {
        let is_over =
            flags.is_some_and(|flags| !flags.contains(StatusFlags::SERVER_STATUS_IN_TRANS));
        if self.is_open && is_over {
            self.committed = true;
            self.undone |= self.conflict.is_some();
        }
    }

    /// A command is about to be sent.
    pub(crate) fn before(&mut self, purpose: Purpose) {
        self.committed |= purpose.may_commit();
    }

    /// The server has answered a command.
    pub(crate) fn after<T>(&mut self, purpose: Purpose, result: &mysql_async::Result<T>) {
        if !purpose.belongs_to_transaction() {
            return;
        }
        self.lost = false;
        if let Err(Error::Server(error)) = result {
            self.failed(error);
        }
    }

    /// The server has answered a statement with this error, perhaps after results of others in the same text, or after
    /// some of its rows.
    pub(crate) fn failed(&mut self, error: &ServerError) {
        if matches!(error.code, DEADLOCK | LOCK_WAIT_TIMEOUT) {
            self.lost = true;
            self.undone |= error.code == DEADLOCK;
            self.conflict = Some(error.clone());
        }
    }

    /// The server's error, where the server has rolled the transaction back: it cannot be committed any more.
    pub(crate) fn undone(&self) -> Option<Error> {
        let conflict = self.conflict.as_ref().filter(|_| self.undone)?;
        Some(Error::Server(conflict.clone()))
    }

    /// Whether it may be done again: it failed because of another one, and nothing of it can have been committed.
    pub(crate) fn may_be_repeated(&self) -> bool {
        (self.lost || self.undone) && !self.committed
    }

    /// How many savepoints are set in it.
    pub(crate) fn savepoints(&self) -> u32 {
        self.savepoints
    }

    /// So many savepoints are set in it now.
    pub(crate) fn savepoints_changed(&mut self, number: u32) {
        self.savepoints = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16) -> mysql_async::Result<()> {
        Err(Error::Server(ServerError {
            code,
            message: "no".into(),
            state: "40001".into(),
        }))
    }

    /// A statement of which everything is known, and which can do nothing but what it says.
    fn plain() -> Purpose {
        Purpose::Internal
    }

    #[test]
    fn only_the_last_statement_makes_it_repeatable_and_a_deadlock_stays() {
        let mut progress = TransactionProgress::default();
        assert!(!progress.may_be_repeated());
        progress.after(plain(), &refused(1205));
        assert!(progress.may_be_repeated() && progress.undone().is_none());
        progress.after(plain(), &Ok(()));
        assert!(!progress.may_be_repeated());
        progress.after(plain(), &refused(1062));
        assert!(!progress.may_be_repeated());
        progress.after(plain(), &refused(1213));
        progress.after(plain(), &refused(1062));
        assert!(progress.may_be_repeated() && progress.undone().is_some());
    }

    #[test]
    fn what_may_be_committed_is_never_repeated() {
        let commits = Purpose::BeginTransaction;
        let mut progress = TransactionProgress::default();
        progress.before(commits);
        progress.after(commits, &Ok(()));
        progress.after(plain(), &refused(1213));
        assert!(!progress.may_be_repeated());

        let mut progress = TransactionProgress::begin();
        progress.after(plain(), &refused(1205));
        progress.look_at(None);
        progress.look_at(Some(StatusFlags::SERVER_STATUS_IN_TRANS));
        assert!(progress.may_be_repeated() && progress.undone().is_none());
        progress.look_at(Some(StatusFlags::SERVER_STATUS_AUTOCOMMIT));
        assert!(!progress.may_be_repeated() && progress.undone().is_some());
    }

    #[test]
    fn savepoints_say_nothing_about_it() {
        let mut progress = TransactionProgress::default();
        progress.after(plain(), &refused(1205));
        progress.after(Purpose::Savepoint, &Ok(()));
        assert!(progress.may_be_repeated());
    }
}
