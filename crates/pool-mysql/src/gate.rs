//! What is known about a session, and what is told of a command before it reaches the driver.

use std::sync::Arc;

use crate::abort::Signal;
use crate::echo::Log;
use crate::unread::Form;

/// What is known about a session beside what the driver knows.
pub(crate) struct Gate {
    /// A command is under way, or its future was dropped before the server's answer was read.
    ///
    /// It is set before the driver is called and taken back when the driver is done, so it also stands after a panic and
    /// after a `mem::forget`. While it stands nothing may be sent: the next answer would be the old command's.
    pub(crate) busy: bool,
    /// Something was done in this session since it was last clean.
    pub(crate) used: bool,
    /// The current database may not be the one the session started in.
    pub(crate) elsewhere: bool,
    /// A transaction guard was dropped without commit: ROLLBACK comes before the next command.
    pub(crate) rollback: bool,
    /// The driver's last OK packet is none: it reads the answer to a PREPARE as one.
    pub(crate) no_ok_packet: bool,
    /// How the rows of the last statement come.
    pub(crate) form: Form,
    /// Ends the command under way from outside.
    pub(crate) signal: Arc<Signal>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            busy: false,
            used: false,
            elsewhere: false,
            rollback: false,
            no_ok_packet: false,
            form: Form::Text,
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
    /// It leaves the session as it was.
    pub(crate) passive: bool,
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
            ..Self::default()
        }
    }

    /// Closes a prepared statement; the server does not answer.
    pub(crate) fn close_statement() -> Self {
        Self {
            passive: true,
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
            ..Self::default()
        }
    }

    /// A statement of ours, which is not logged and stays in its database.
    pub(crate) fn quiet() -> Self {
        Self::default()
    }
}
