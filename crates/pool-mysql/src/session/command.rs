//! A command that is about to be sent: what it is for, its line in the statement log, and its span.

use tracing::Span;

use crate::session::echo::Log;
use crate::statement::text::StatementTraits;
use crate::transport::unread::Form;

/// A command that is about to be sent.
pub(crate) struct Command {
    pub(crate) purpose: Purpose,
    /// Empty for what is not logged.
    pub(crate) log: Log,
    /// `None` for what is no statement of a user's, and where nobody wants spans.
    pub(crate) span: Option<Span>,
}

/// A command that is not logged.
impl From<Purpose> for Command {
    fn from(purpose: Purpose) -> Self {
        Self {
            purpose,
            log: Log::default(),
            span: None,
        }
    }
}

impl Command {
    /// The same statement with several sets of parameters, or with none where `is_empty`.
    pub(crate) fn batch(self, is_empty: bool) -> Self {
        let purpose = match self.purpose {
            Purpose::Statement { traits, .. } => Purpose::Batch { traits, is_empty },
            other => other,
        };
        Self { purpose, ..self }
    }
}

/// What a command is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// A statement of the user's.
    Statement {
        /// What its text tells.
        traits: StatementTraits,
        /// The form of its rows.
        form: Form,
    },
    /// A statement of the user's with several sets of parameters. Of its answers only the last one is seen.
    Batch {
        /// What its text tells.
        traits: StatementTraits,
        /// Without any set of parameters it is prepared at most.
        is_empty: bool,
    },
    /// Begins the transaction of a [`Transaction`](crate::Transaction).
    BeginTransaction,
    /// Sets a savepoint, releases it, or rolls back to it, for a [`Transaction`](crate::Transaction).
    Savepoint,
    /// Prepares a statement.
    Prepare,
    /// Closes a prepared statement. The server does not answer.
    CloseStatement,
    /// Asks whether the server is there.
    Ping,
    /// Makes the session clean: a reset, or logging in again.
    Reset,
    /// A ROLLBACK that this crate sends on the way back to the pool.
    Rollback,
    /// Any other command that this crate sends: it applies the options, asks the server about itself, reads a rest, or
    /// ends the transaction of a guard after a COMMIT that the server has refused.
    Internal,
}

impl Purpose {
    /// Whether `command_timeout` is for it: the cleaning and checking of the pool have limits of their own.
    pub(crate) fn has_time_limit(self) -> bool {
        match self {
            Self::Statement { .. } | Self::Batch { .. } | Self::Prepare => true,
            Self::BeginTransaction | Self::Savepoint => true,
            Self::CloseStatement | Self::Ping | Self::Reset | Self::Rollback | Self::Internal => {
                false
            }
        }
    }

    /// Whether the session counts as used after it.
    pub(crate) fn uses_session(self) -> bool {
        !matches!(self, Self::Ping | Self::CloseStatement)
    }

    /// Whether it runs something that MySQL may keep locks for until the next COMMIT or ROLLBACK.
    pub(crate) fn runs_something(self) -> bool {
        self.uses_session() && !self.only_prepares()
    }

    /// Whether it leaves the session as it was, as far as is known before the answer.
    pub(crate) fn is_neutral(self) -> bool {
        match self {
            Self::Statement { traits, .. } => traits.neutral,
            // The isolation level is that of this transaction alone, and a transaction that is left open is noticed when
            // the connection comes back.
            Self::BeginTransaction | Self::Savepoint => true,
            Self::Prepare | Self::CloseStatement | Self::Ping => true,
            Self::Batch { .. } | Self::Reset | Self::Rollback | Self::Internal => false,
        }
    }

    /// Whether it is a COMMIT: without its answer nobody knows whether the transaction was committed.
    pub(crate) fn is_commit(self) -> bool {
        self.traits().is_some_and(|traits| traits.is_commit)
    }

    /// Whether the server may say that it has gone well although it was ended before.
    pub(crate) fn can_be_cut_short(self) -> bool {
        let controls_transaction = |traits: StatementTraits| {
            traits.begins_transaction || traits.ends_transaction || traits.is_commit
        };
        match self {
            Self::Statement { traits, .. } => !controls_transaction(traits),
            Self::Batch { .. } => true,
            _ => false,
        }
    }

    /// Whether it is a COMMIT or ROLLBACK and nothing else.
    pub(crate) fn ends_transaction(self) -> bool {
        matches!(self, Self::Rollback)
            || self.traits().is_some_and(|traits| traits.ends_transaction)
    }

    /// Whether it may commit what was done before it in a transaction.
    pub(crate) fn may_commit(self) -> bool {
        matches!(self, Self::BeginTransaction)
            || self.traits().is_some_and(|traits| traits.may_commit)
    }

    /// Whether its result tells how the statements of a transaction fare.
    pub(crate) fn belongs_to_transaction(self) -> bool {
        !matches!(self, Self::Savepoint | Self::Ping | Self::CloseStatement)
    }

    /// Whether it may change the current database.
    pub(crate) fn may_change_database(self) -> bool {
        self.traits()
            .is_some_and(|traits| traits.may_change_database)
    }

    /// Whether the answer is that to a PREPARE, which the driver misreads as an OK packet.
    pub(crate) fn only_prepares(self) -> bool {
        matches!(self, Self::Prepare | Self::Batch { is_empty: true, .. })
    }

    /// Whether a successful answer says nothing about the state of the session.
    pub(crate) fn answer_has_no_flags(self) -> bool {
        self.only_prepares() || !self.has_answer()
    }

    /// Whether the server answers at all.
    pub(crate) fn has_answer(self) -> bool {
        !matches!(self, Self::CloseStatement)
    }

    /// Whether it does what an outstanding ROLLBACK would do.
    pub(crate) fn replaces_rollback(self) -> bool {
        matches!(self, Self::Reset)
    }

    /// The form of its rows; `None` where it has none.
    pub(crate) fn form(self) -> Option<Form> {
        match self {
            Self::Statement { form, .. } => Some(form),
            Self::Batch { .. } => Some(Form::Binary),
            Self::BeginTransaction | Self::Savepoint => Some(Form::Text),
            _ => None,
        }
    }

    fn traits(self) -> Option<StatementTraits> {
        match self {
            Self::Statement { traits, .. } | Self::Batch { traits, .. } => Some(traits),
            _ => None,
        }
    }
}
