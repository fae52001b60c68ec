//! What is known about a session, beside what the driver knows, and how each command changes it.

use mysql_async::consts::StatusFlags;
use mysql_async::{Error, ServerError};

use crate::error::closed_because::ClosedBecause;
use crate::error::codes::meaning_of;
use crate::session::command::Purpose;
use crate::session::progress::TransactionProgress;
use crate::statement::text::{Prepared, StatementTraits};
use crate::transport::kill_query::Told;
use crate::transport::unread::Form;

/// What is known about a session, beside what the driver knows.
///
/// It decides whether the next command may be sent, and whether the connection has to be cleaned or closed before somebody
/// else gets it. The fields change only by the methods here, each named after what has happened.
#[derive(Default)]
pub(crate) struct SessionState {
    /// A command is under way, or its future was dropped before the server's answer was read.
    ///
    /// It is set before the driver is called and taken back when the driver is done, so it stays set also after a panic and
    /// after a `mem::forget`. While it is set nothing may be sent: the next answer would be that of the old command.
    is_busy: bool,
    /// Something was done in this session since it was last clean.
    is_used: bool,
    /// Something was done in it that may have left traces. Only read under `ResetPolicy::IfDirty`.
    is_dirty: bool,
    /// Nobody has looked for traces in the server's last answer yet.
    is_answer_unexamined: bool,
    /// The current database may not be the one that the session started in.
    may_be_in_other_database: bool,
    /// A transaction guard was dropped without commit: ROLLBACK has to be sent before the next command.
    owes_rollback: bool,
    /// Something was run, and no COMMIT or ROLLBACK came after it. Only of interest while the session does not commit by
    /// itself.
    ///
    /// MySQL keeps the tables of a SELECT locked until then. For tables of an engine without transactions it does so even
    /// while its flags say that there is no transaction.
    has_unended_work: bool,
    /// The driver's last OK packet is the answer to a PREPARE, which the driver misreads.
    is_ok_packet_misread: bool,
    /// The server's flags before that PREPARE, which does not change them.
    flags_before_prepare: Option<StatusFlags>,
    /// The last statement's answer is read row by row, and there is more of it.
    has_unread_rows: bool,
    /// What the last command, or its user, has closed the connection for, if it is closed now.
    ended_by: Option<ClosedBecause>,
    /// The server was told to end a command that had ended already, and the next one may suffer for it.
    may_be_interrupted: bool,
    /// The form of the last statement's rows.
    form: Form,
    /// What has become of the transaction that a guard has begun.
    progress: TransactionProgress,
    /// What the texts of the prepared statements tell.
    prepared: Prepared,
}

/// Commands.
impl SessionState {
    /// A command is about to be sent; `flags` are the server's last ones.
    ///
    /// Returns whether ROLLBACK has to be sent first. Then [`rolled_back`](Self::rolled_back) or
    /// [`rollback_failed`](Self::rollback_failed) follows.
    pub(crate) fn before(&mut self, purpose: Purpose, flags: Option<StatusFlags>) -> bool {
        self.progress.look_at(flags);
        self.progress.before(purpose);
        self.is_busy = true;
        self.ended_by = None;
        self.is_used |= purpose.uses_session();
        self.has_unended_work |= purpose.runs_something();
        self.is_dirty |= !purpose.is_neutral();
        self.is_answer_unexamined = true;
        self.may_be_in_other_database |= purpose.may_change_database();
        self.form = purpose.form().unwrap_or(self.form);
        std::mem::take(&mut self.owes_rollback) && !purpose.replaces_rollback()
    }

    /// The outstanding ROLLBACK was done, and the command itself is about to be sent.
    pub(crate) fn rolled_back(&mut self) {
        // Nobody looks at the answer for a warning.
        self.is_dirty = true;
    }

    /// The outstanding ROLLBACK failed, and the command itself is not sent.
    pub(crate) fn rollback_failed(&mut self, error: &Error) {
        self.owes_rollback = true;
        // After a refusal by the server the connection can be used, unless the server has ended it.
        self.is_busy = !matches!(error, Error::Server(error) if !meaning_of(error.code).lost);
        self.ended_by = ClosedBecause::after(error);
    }

    /// The driver is done with a command; `flags` are the server's last ones before it.
    ///
    /// It is not called for an aborted command: nobody knows what its answer would have been, so the session stays busy.
    pub(crate) fn after<T>(
        &mut self,
        purpose: Purpose,
        result: &Result<T, Error>,
        flags: Option<StatusFlags>,
    ) {
        self.progress.after(purpose, result);
        self.is_busy = is_lost(result);
        self.ended_by = result.as_ref().err().and_then(ClosedBecause::after);
        let says_nothing = purpose.answer_has_no_flags() && result.is_ok();
        self.flags_before_prepare = flags.filter(|_| says_nothing);
        self.is_answer_unexamined = !says_nothing;
        if purpose.ends_transaction() && result.is_ok() {
            self.has_unended_work = false;
        }
        if purpose.only_prepares() {
            self.is_ok_packet_misread = true;
        } else if result.is_ok() && purpose.has_answer() {
            self.is_ok_packet_misread = false;
        }
    }

    /// A later statement of the last command's text has failed: the driver was done with the command, but its results end
    /// with this error of the server.
    pub(crate) fn failed_later(&mut self, error: &ServerError) {
        self.progress.failed(error);
        if meaning_of(error.code).lost {
            self.is_busy = true;
            self.ended(ClosedBecause::ServerClosed);
        }
    }

    /// The answer to a command has come, after the server was told to end that command, or was to be told.
    pub(crate) fn told_to_end(&mut self, told: Option<Told>) {
        match told {
            None | Some(Told::No) => {}
            Some(Told::Yes) => self.may_be_interrupted = true,
            // The server may do so at any time: nothing may be sent any more.
            Some(Told::Unknown) => self.timed_out(),
        }
    }

    /// A command has reached its time limit, and nothing may be sent any more.
    pub(crate) fn timed_out(&mut self) {
        self.is_busy = true;
        self.ended(ClosedBecause::CommandTimeout);
    }

    /// The connection is closed for this reason.
    pub(crate) fn ended(&mut self, because: ClosedBecause) {
        self.ended_by = Some(because);
    }

    /// Why the connection is closed, where a method of this type was told. It means nothing while the connection can be used.
    pub(crate) fn ended_by(&self) -> Option<ClosedBecause> {
        self.ended_by
    }

    /// Whether something harmless has to be sent first, which may be interrupted.
    pub(crate) fn take_interruption(&mut self) -> bool {
        std::mem::take(&mut self.may_be_interrupted)
    }

    /// Whether nothing may be sent any more: a command was left in the middle.
    pub(crate) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// The server's flags, from those in the driver's last OK packet.
    pub(crate) fn status_flags(
        &self,
        last_packet: impl FnOnce() -> Option<StatusFlags>,
    ) -> Option<StatusFlags> {
        match self.is_ok_packet_misread {
            true => self.flags_before_prepare,
            false => last_packet(),
        }
    }

    /// Whether the driver's last OK packet means what the driver reads in it.
    pub(crate) fn has_ok_packet(&self) -> bool {
        !self.is_ok_packet_misread
    }

    /// A statement was prepared.
    pub(crate) fn statement_prepared(&mut self, id: u32, traits: StatementTraits) {
        self.prepared.add(id, traits);
    }

    /// A prepared statement is closed.
    pub(crate) fn statement_closed(&mut self, id: u32) {
        self.prepared.remove(id);
    }

    /// What the text of a prepared statement tells.
    pub(crate) fn prepared_traits(&self, id: u32) -> StatementTraits {
        self.prepared.get(id).unwrap_or(StatementTraits::UNKNOWN)
    }
}

/// Answers that are read row by row.
impl SessionState {
    /// The front of an answer was read; `more` says whether there is anything behind it.
    pub(crate) fn rows_begun(&mut self, more: bool) {
        self.has_unread_rows = more;
    }

    /// The driver is about to read on in an answer of this form.
    pub(crate) fn before_rows(&mut self) -> Form {
        self.is_busy = true;
        self.ended_by = None;
        self.form
    }

    /// The driver has read on; `more` says whether there is still more. `None` is an aborted connection: nobody knows what
    /// the rest of the answer would have been, so the session stays busy.
    pub(crate) fn after_rows<T>(&mut self, result: Option<&Result<T, Error>>, more: bool) {
        if let Some(Err(Error::Server(error))) = result {
            self.progress.failed(error);
        }
        self.is_busy = result.is_none_or(is_lost);
        self.ended_by = result.and_then(|result| ClosedBecause::after(result.as_ref().err()?));
        self.has_unread_rows = more;
    }

    /// What is left of an answer is not read row by row any more. Returns whether anything was left.
    pub(crate) fn rows_left_behind(&mut self) -> bool {
        std::mem::take(&mut self.has_unread_rows)
    }

    /// The rest of an answer is too long to be read: nothing may be sent any more.
    pub(crate) fn rows_given_up(&mut self) {
        self.is_busy = true;
        self.ended(ClosedBecause::LeftUnread);
    }

    pub(crate) fn has_unread_rows(&self) -> bool {
        self.has_unread_rows
    }

    pub(crate) fn form(&self) -> Form {
        self.form
    }
}

/// The way back to the pool.
impl SessionState {
    /// The server's last answer is about to be examined for traces. Returns whether nobody has done so yet.
    pub(crate) fn examine_answer(&mut self) -> bool {
        std::mem::take(&mut self.is_answer_unexamined)
    }

    /// The examined answer shows that the statement has left traces, or does not show that it has left none.
    pub(crate) fn traces_found(&mut self) {
        self.is_dirty = true;
    }

    /// The session is as at its beginning: it was just opened, or it was reset and the options were applied.
    pub(crate) fn cleaned(&mut self) {
        self.is_used = false;
        self.is_dirty = false;
        self.has_unended_work = false;
        self.prepared.clear();
        self.is_answer_unexamined = false;
        self.may_be_in_other_database = false;
    }

    /// The session goes to its next user with what was done in it so far.
    pub(crate) fn passed_on(&mut self) {
        self.is_used = false;
    }

    /// The transaction that a guard has left is being ended by somebody else.
    pub(crate) fn rollback_taken_over(&mut self) {
        self.owes_rollback = false;
    }

    pub(crate) fn is_used(&self) -> bool {
        self.is_used
    }

    pub(crate) fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    pub(crate) fn may_be_in_other_database(&self) -> bool {
        self.may_be_in_other_database
    }

    pub(crate) fn owes_rollback(&self) -> bool {
        self.owes_rollback
    }

    pub(crate) fn has_unended_work(&self) -> bool {
        self.has_unended_work
    }
}

/// The transaction of a guard.
impl SessionState {
    /// The server has begun it.
    pub(crate) fn transaction_begun(&mut self) {
        self.progress = TransactionProgress::begin();
    }

    /// COMMIT or ROLLBACK is about to be sent for it.
    pub(crate) fn transaction_ending(&mut self) {
        self.progress = TransactionProgress::default();
    }

    /// Its guard was dropped: ROLLBACK has to be sent before the next command.
    pub(crate) fn transaction_dropped(&mut self) {
        self.owes_rollback = true;
        self.progress = TransactionProgress::default();
    }

    /// Looks at the server's last flags: is it still open?
    pub(crate) fn look_at_transaction(&mut self, flags: Option<StatusFlags>) {
        self.progress.look_at(flags);
    }

    /// The server's error, where the server has rolled it back.
    pub(crate) fn why_not_commit(&self) -> Option<Error> {
        self.progress.undone()
    }

    /// Whether its work may be done again.
    pub(crate) fn may_repeat_transaction(&self) -> bool {
        self.progress.may_be_repeated()
    }

    /// How many savepoints are set in it.
    pub(crate) fn savepoints(&self) -> u32 {
        self.progress.savepoints()
    }

    /// So many savepoints are set in it now.
    pub(crate) fn savepoints_changed(&mut self, number: u32) {
        self.progress.savepoints_changed(number);
    }
}

/// Whether the connection was lost in the middle of an answer, or the answer is that the server ends it.
fn is_lost<T>(result: &Result<T, Error>) -> bool {
    match result {
        Err(Error::Io(_)) => true,
        Err(Error::Server(error)) => meaning_of(error.code).lost,
        _ => false,
    }
}
