//! What is known about a session, and what is told of a command before it reaches the driver.

use std::sync::Arc;

use mysql_async::consts::StatusFlags;

use crate::session::echo::Log;
use crate::session::progress::Course;
use crate::statement::text::Prepared;
use crate::transport::abort::Signal;
use crate::transport::unread::Form;

/// What is known about a session beside what the driver knows.
pub(crate) struct Gate {
    /// A command is under way, or its future was dropped before the server's answer was read.
    ///
    /// It is set before the driver is called and taken back when the driver is done, so it also stands after a panic and
    /// after a `mem::forget`. While it stands nothing may be sent: the next answer would be the old command's.
    pub(crate) busy: bool,
    /// Something was done in this session since it was last clean.
    pub(crate) used: bool,
    /// Something was done in it that is not known to be without traces; only kept under `ResetPolicy::IfDirty`.
    pub(crate) dirty: bool,
    /// The server's last answer was not yet looked at for traces.
    pub(crate) unseen: bool,
    /// The current database may not be the one the session started in.
    pub(crate) elsewhere: bool,
    /// A transaction guard was dropped without commit: ROLLBACK comes before the next command.
    pub(crate) rollback: bool,
    /// Of a session that does not commit by itself: something was run, and no COMMIT or ROLLBACK came after it.
    ///
    /// MySQL keeps the tables of a SELECT locked until then also where it says that there is no transaction: those whose
    /// engine has none.
    pub(crate) unended: bool,
    /// The driver's last OK packet is none: it reads the answer to a PREPARE as one.
    pub(crate) no_ok_packet: bool,
    /// What the server said before that PREPARE, which changes none of it.
    pub(crate) before_prepare: Option<StatusFlags>,
    /// The last statement's answer is read row by row, and there is more of it.
    pub(crate) streams: bool,
    /// How the rows of the last statement come.
    pub(crate) form: Form,
    /// What becomes of the transaction that a guard has begun.
    pub(crate) course: Course,
    /// What was read in the texts of statements that are prepared.
    pub(crate) prepared: Prepared,
    /// Ends the command under way from outside.
    pub(crate) signal: Arc<Signal>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            busy: false,
            used: false,
            dirty: false,
            unseen: false,
            elsewhere: false,
            rollback: false,
            unended: false,
            no_ok_packet: false,
            before_prepare: None,
            streams: false,
            form: Form::Text,
            course: Course::default(),
            prepared: Prepared::default(),
            signal: Arc::default(),
        }
    }

    /// Whether nothing may be sent any more.
    pub(crate) fn is_shut(&self) -> bool {
        self.busy || self.signal.is_aborted()
    }
}

/// What a command is about, as far as the gate cares.
#[derive(Default)]
pub(crate) struct Command {
    /// It does not count as a use of the session.
    pub(crate) passive: bool,
    /// It leaves the session as it was, as far as its text tells and as long as the answer does not say otherwise.
    pub(crate) neutral: bool,
    /// It ends a transaction for good: without an answer nobody knows whether it did.
    pub(crate) is_commit: bool,
    /// It is a COMMIT or ROLLBACK and nothing else.
    pub(crate) ends_transaction: bool,
    /// What was done before it in a transaction may be committed by it.
    pub(crate) may_commit: bool,
    /// It is none of the statements of a transaction's user.
    pub(crate) is_ours: bool,
    pub(crate) may_change_database: bool,
    pub(crate) is_prepare: bool,
    pub(crate) is_answerless: bool,
    pub(crate) replaces_rollback: bool,
    /// The form of its rows; nothing where it has none.
    pub(crate) form: Option<Form>,
    pub(crate) log: Log,
}

impl Command {
    /// A ping.
    pub(crate) fn ping() -> Self {
        Self {
            passive: true,
            neutral: true,
            ..Self::default()
        }
    }

    /// Closes a prepared statement; the server does not answer.
    pub(crate) fn close_statement() -> Self {
        Self {
            passive: true,
            neutral: true,
            is_answerless: true,
            ..Self::default()
        }
    }

    /// Makes the session clean; an outstanding rollback goes with it.
    pub(crate) fn reset() -> Self {
        Self {
            replaces_rollback: true,
            ..Self::default()
        }
    }

    /// A statement that is prepared on the way to its execution, which is logged.
    pub(crate) fn quiet_prepare() -> Self {
        Self {
            is_prepare: true,
            neutral: true,
            ..Self::default()
        }
    }

    /// A ROLLBACK of ours.
    pub(crate) fn rollback() -> Self {
        Self {
            ends_transaction: true,
            ..Self::default()
        }
    }

    /// A statement of ours, which is not logged and stays in its database.
    pub(crate) fn quiet() -> Self {
        Self::default()
    }
}
