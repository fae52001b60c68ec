//! How a session was followed before commands had a purpose: a boolean for each question, and a field for each answer.
//!
//! It is kept as a model for the tests, because these rules keep one user's rows from the next one.

use mysql_async::consts::StatusFlags;
use mysql_async::{DriverError, Error, ServerError};

use crate::session::command::Purpose;
use crate::statement::text::StatementTraits;
use crate::transport::unread::Form;

/// A command as a set of booleans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Booleans {
    pub(super) passive: bool,
    pub(super) neutral: bool,
    pub(super) is_commit: bool,
    pub(super) ends_transaction: bool,
    pub(super) may_commit: bool,
    pub(super) is_ours: bool,
    pub(super) may_change_database: bool,
    pub(super) is_prepare: bool,
    pub(super) is_answerless: bool,
    pub(super) replaces_rollback: bool,
    pub(super) form: Option<Form>,
}

impl Booleans {
    pub(super) fn of(purpose: Purpose) -> Self {
        Self {
            passive: !purpose.uses_session(),
            neutral: purpose.is_neutral(),
            is_commit: purpose.is_commit(),
            ends_transaction: purpose.ends_transaction(),
            may_commit: purpose.may_commit(),
            is_ours: purpose.uses_session() && !purpose.belongs_to_transaction(),
            may_change_database: purpose.may_change_database(),
            is_prepare: purpose.only_prepares(),
            is_answerless: !purpose.has_answer(),
            replaces_rollback: purpose.replaces_rollback(),
            form: purpose.form(),
        }
    }
}

/// Each purpose, with each combination of traits where it has any, and its booleans.
pub(super) fn purposes() -> Vec<(Purpose, Booleans)> {
    let none = Booleans::default();
    let mut all = vec![
        (
            Purpose::BeginTransaction,
            Booleans {
                neutral: true,
                may_commit: true,
                form: Some(Form::Text),
                ..none
            },
        ),
        (
            Purpose::Savepoint,
            Booleans {
                neutral: true,
                is_ours: true,
                form: Some(Form::Text),
                ..none
            },
        ),
        (
            Purpose::Prepare,
            Booleans {
                neutral: true,
                is_prepare: true,
                ..none
            },
        ),
        (
            Purpose::CloseStatement,
            Booleans {
                passive: true,
                neutral: true,
                is_answerless: true,
                ..none
            },
        ),
        (
            Purpose::Ping,
            Booleans {
                passive: true,
                neutral: true,
                ..none
            },
        ),
        (
            Purpose::Reset,
            Booleans {
                replaces_rollback: true,
                ..none
            },
        ),
        (
            Purpose::Rollback,
            Booleans {
                ends_transaction: true,
                ..none
            },
        ),
        (Purpose::Internal, none),
    ];
    for bits in 0..32_u8 {
        let bit = |number: u8| bits & (1 << number) != 0;
        let traits = StatementTraits {
            neutral: bit(0),
            is_commit: bit(1),
            begins_transaction: false,
            ends_transaction: bit(2),
            may_commit: bit(3),
            may_change_database: bit(4),
        };
        let read = Booleans {
            neutral: traits.neutral,
            is_commit: traits.is_commit,
            ends_transaction: traits.ends_transaction,
            may_commit: traits.may_commit,
            may_change_database: traits.may_change_database,
            ..none
        };
        for form in [Form::Text, Form::Binary] {
            let booleans = Booleans {
                form: Some(form),
                ..read
            };
            all.push((Purpose::Statement { traits, form }, booleans));
        }
        for is_empty in [false, true] {
            let booleans = Booleans {
                neutral: false,
                is_prepare: is_empty,
                form: Some(Form::Binary),
                ..read
            };
            all.push((Purpose::Batch { traits, is_empty }, booleans));
        }
    }
    all
}

/// How a command ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Ok,
    Refused(u16),
    Lost,
    Driver,
    /// Its future was dropped, it panicked, or it was aborted: nobody tells the session.
    Never,
}

pub(super) const ENDS: [End; 7] = [
    End::Ok,
    End::Refused(1062),
    End::Refused(1205),
    End::Refused(1213),
    End::Lost,
    End::Driver,
    End::Never,
];

impl End {
    pub(super) fn result(self) -> Option<Result<(), Error>> {
        match self {
            Self::Ok => Some(Ok(())),
            Self::Refused(code) => Some(Err(Error::Server(ServerError {
                code,
                message: "no".into(),
                state: "HY000".into(),
            }))),
            Self::Lost => {
                let error = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                Some(Err(error.into()))
            }
            Self::Driver => Some(Err(DriverError::NestedTransaction.into())),
            Self::Never => None,
        }
    }
}

/// A session as a set of booleans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) busy: bool,
    pub(super) used: bool,
    pub(super) dirty: bool,
    pub(super) unseen: bool,
    pub(super) elsewhere: bool,
    pub(super) rollback: bool,
    pub(super) unended: bool,
    pub(super) no_ok_packet: bool,
    pub(super) before_prepare: Option<StatusFlags>,
    pub(super) streams: bool,
    pub(super) form: Form,
    pub(super) is_open: bool,
    pub(super) lost: bool,
    pub(super) conflict: Option<u16>,
    pub(super) undone: bool,
    pub(super) committed: bool,
}

impl Model {
    pub(super) fn look_at(&mut self, flags: Option<StatusFlags>) {
        let in_transaction = StatusFlags::SERVER_STATUS_IN_TRANS;
        if self.is_open && flags.is_some_and(|flags| !flags.contains(in_transaction)) {
            self.committed = true;
            self.undone |= self.conflict.is_some();
        }
    }

    pub(super) fn set_transaction(&mut self, is_open: bool) {
        self.is_open = is_open;
        self.lost = false;
        self.conflict = None;
        self.undone = false;
        self.committed = false;
    }

    pub(super) fn before(&mut self, command: Booleans, flags: Option<StatusFlags>) -> bool {
        self.look_at(flags);
        self.committed |= command.may_commit;
        self.busy = true;
        self.used |= !command.passive;
        self.unended |= !(command.passive || command.is_prepare);
        self.dirty |= !command.neutral;
        self.unseen = true;
        self.elsewhere |= command.may_change_database;
        self.form = command.form.unwrap_or(self.form);
        std::mem::take(&mut self.rollback) && !command.replaces_rollback
    }

    pub(super) fn after(&mut self, command: Booleans, end: End, flags: Option<StatusFlags>) {
        if !(command.is_ours || command.passive) {
            self.lost = false;
            self.failed(end);
        }
        let is_ok = matches!(end, End::Ok);
        self.busy = matches!(end, End::Lost);
        let says_nothing = (command.is_prepare || command.is_answerless) && is_ok;
        self.before_prepare = flags.filter(|_| says_nothing);
        self.unseen = !says_nothing;
        self.unended &= !(command.ends_transaction && is_ok);
        self.no_ok_packet = match end {
            _ if command.is_prepare => true,
            End::Ok if !command.is_answerless => false,
            _ => self.no_ok_packet,
        };
    }

    /// An error of the server, for a statement or behind a part of its answer.
    pub(super) fn failed(&mut self, end: End) {
        if let End::Refused(code @ (1205 | 1213)) = end {
            self.lost = true;
            self.undone |= code == 1213;
            self.conflict = Some(code);
        }
    }

    pub(super) fn clean(&mut self) {
        self.used = false;
        self.dirty = false;
        self.unended = false;
        self.unseen = false;
        self.elsewhere = false;
    }
}
