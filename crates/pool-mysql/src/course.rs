//! What becomes of a transaction while its statements run, as far as they and the server's answers tell.

use mysql_async::consts::StatusFlags;
use mysql_async::{Error, ServerError};

use crate::gate::Command;

/// The server has taken the whole transaction back.
const DEADLOCK: u16 = 1213;

/// The server has taken back the statement, and the transaction where it is told to (`innodb_rollback_on_timeout`).
const LOCK_WAIT_TIMEOUT: u16 = 1205;

/// What has become of the transaction under way.
#[derive(Default)]
pub(crate) struct Course {
    /// A transaction guard has begun it, and has not ended it.
    is_open: bool,
    /// How many savepoints are set in it.
    pub(crate) savepoints: u32,
    /// The last statement lost to another transaction: it was a deadlock, or it waited too long.
    lost: bool,
    /// What the server said the last time that one did.
    conflict: Option<ServerError>,
    /// The server has taken the transaction back: later statements were none of its.
    undone: bool,
    /// Something of it may be committed: by a COMMIT, by a statement that commits, by one that we cannot read.
    committed: bool,
}

impl Course {
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

    /// A statement is about to be sent.
    pub(crate) fn send(&mut self, command: &Command) {
        self.committed |= command.may_commit;
    }

    /// The server has answered.
    pub(crate) fn hear<T>(&mut self, command: &Command, result: &mysql_async::Result<T>) {
        if command.is_ours || command.passive {
            return;
        }
        self.lost = false;
        if let Err(Error::Server(error)) = result
            && matches!(error.code, DEADLOCK | LOCK_WAIT_TIMEOUT)
        {
            self.lost = true;
            self.undone |= error.code == DEADLOCK;
            self.conflict = Some(error.clone());
        }
    }

    /// Why the transaction cannot be committed: the server has taken it back, whatever came later.
    pub(crate) fn undone(&self) -> Option<Error> {
        let conflict = self.conflict.as_ref().filter(|_| self.undone)?;
        Some(Error::Server(conflict.clone()))
    }

    /// Whether it may be done again: it lost to another one, and nothing of it can have been committed.
    pub(crate) fn may_be_repeated(&self) -> bool {
        (self.lost || self.undone) && !self.committed
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

    fn plain() -> Command {
        Command::default()
    }

    #[test]
    fn only_the_last_statement_makes_it_repeatable_and_a_deadlock_stays() {
        let mut course = Course::default();
        assert!(!course.may_be_repeated());
        course.hear(&plain(), &refused(1205));
        assert!(course.may_be_repeated() && course.undone().is_none());
        course.hear(&plain(), &Ok(()));
        assert!(!course.may_be_repeated());
        course.hear(&plain(), &refused(1062));
        assert!(!course.may_be_repeated());
        course.hear(&plain(), &refused(1213));
        course.hear(&plain(), &refused(1062));
        assert!(course.may_be_repeated() && course.undone().is_some());
    }

    #[test]
    fn what_may_be_committed_is_never_repeated() {
        let commits = Command {
            may_commit: true,
            ..Command::default()
        };
        let mut course = Course::default();
        course.send(&commits);
        course.hear(&commits, &Ok(()));
        course.hear(&plain(), &refused(1213));
        assert!(!course.may_be_repeated());

        let mut course = Course::begin();
        course.hear(&plain(), &refused(1205));
        course.look_at(None);
        course.look_at(Some(StatusFlags::SERVER_STATUS_IN_TRANS));
        assert!(course.may_be_repeated() && course.undone().is_none());
        course.look_at(Some(StatusFlags::SERVER_STATUS_AUTOCOMMIT));
        assert!(!course.may_be_repeated() && course.undone().is_some());
    }

    #[test]
    fn statements_of_ours_say_nothing_about_it() {
        let ours = Command {
            is_ours: true,
            ..Command::default()
        };
        let mut course = Course::default();
        course.hear(&plain(), &refused(1205));
        course.hear(&ours, &Ok(()));
        assert!(course.may_be_repeated());
    }
}
