//! Makes a used connection clean for the next user.

use mysql_async::Error as DriverError;
use pool_core::Verdict;

use crate::connection::Connection;
use crate::connection::inspect::TransactionStatus;
use crate::error::Error;
use crate::error::closed_because::LEFT_UNREAD;
use crate::options::ResetPolicy;
use crate::session::command::Purpose;
use crate::transport::unread::skip_unread_result;

impl Connection {
    /// Whether the texts of statements are read to find out what they leave in the session.
    pub(crate) fn watches_statements(&self) -> bool {
        self.options().reset_policy == ResetPolicy::IfDirty
    }

    /// Looks in the server's last answer for traces of the statement that its text does not tell.
    ///
    /// It is called before the next command, whose answer replaces that one.
    pub(crate) fn examine_answer(&mut self) {
        if !self.watches_statements() || !self.state.examine_answer() {
            return;
        }
        let left_nothing = self.conn.as_ref().is_some_and(|conn| {
            // The next user could see warnings by SHOW WARNINGS, and a number by LAST_INSERT_ID(). After an error there
            // is no packet.
            conn.last_ok_packet()
                .is_some_and(|packet| packet.warnings() == 0 && packet.last_insert_id().is_none())
        });
        // The end of an unread result is read inside the driver, where nobody can look at it.
        if !left_nothing || self.has_unread_result() {
            self.state.traces_found();
        }
    }

    /// Whether the credentials that it has logged in with have expired, and the provider has named others.
    pub(crate) fn has_outdated_login(&self) -> bool {
        let both = self.connector.credentials().zip(self.issued.as_ref());
        both.is_some_and(|(source, issued)| source.is_outdated(issued))
    }

    /// Decides what is to be done with a connection that its user has given back; nothing is sent.
    pub(crate) fn come_back(&mut self, policy: ResetPolicy) -> Verdict {
        // The driver's own flag is read here before anything is sent: the next command would clear it.
        if self.is_closed() {
            return Verdict::Discard;
        }
        let is_clean = match policy {
            ResetPolicy::Always => !self.state.is_used(),
            ResetPolicy::IfDirty => !self.state.is_used() || self.is_as_it_was(),
            ResetPolicy::RollbackOnly => self.has_ended_everything(),
            ResetPolicy::Never => self.is_outside_transaction(),
        };
        if is_clean {
            self.state.passed_on();
            return Verdict::Reuse;
        }
        let is_open =
            !self.state.owes_rollback() && self.transaction_status() == TransactionStatus::Open;
        match policy {
            // This policy sends nothing that would end the transaction, and nobody else may get into it.
            ResetPolicy::Never if is_open => Verdict::Discard,
            _ => Verdict::Recycle,
        }
    }

    /// Whether the session is still as it was when it was last clean.
    fn is_as_it_was(&mut self) -> bool {
        self.examine_answer();
        !self.state.is_dirty()
            && self.has_ended_everything()
            && self.get_autocommit() == self.autocommit
    }

    fn is_outside_transaction(&mut self) -> bool {
        !self.state.owes_rollback() && self.transaction_status() == TransactionStatus::None
    }

    /// Whether it is outside of a transaction, and holds no locks that its flags do not show: see
    /// `SessionState::has_unended_work`.
    fn has_ended_everything(&mut self) -> bool {
        self.is_outside_transaction() && (self.get_autocommit() || !self.state.has_unended_work())
    }

    /// Makes the connection clean.
    ///
    /// # Errors
    ///
    /// When it cannot be made clean; the pool then discards it.
    pub(crate) async fn recycle(&mut self, policy: ResetPolicy) -> Result<(), Error> {
        if self.is_closed() {
            return Err(self.why_closed().into());
        }
        if matches!(policy, ResetPolicy::Always | ResetPolicy::IfDirty) {
            self.can_be_reset()?;
        }
        self.drop_unread_result().await?;
        match policy {
            ResetPolicy::Always | ResetPolicy::IfDirty => self.reset_session().await?,
            ResetPolicy::RollbackOnly => self.end_transaction().await?,
            ResetPolicy::Never => self.ask_for_transaction().await?,
        }
        match self.transaction_status() {
            TransactionStatus::None => Ok(()),
            _ => Err(Error::NotClean("it is still inside a transaction")),
        }
    }

    async fn drop_unread_result(&mut self) -> Result<(), Error> {
        self.state.rows_left_behind();
        if !self.has_unread_result() {
            return Ok(());
        }
        let form = self.state.form();
        let skip = self.run(Purpose::Internal.into(), |conn| {
            Box::pin(skip_unread_result(conn, form))
        });
        match skip.await? {
            true => Ok(()),
            false => {
                // The server may go on working for it for long.
                drop(self.kill_if_dropped());
                Err(Error::NotClean(LEFT_UNREAD))
            }
        }
    }

    async fn end_transaction(&mut self) -> Result<(), Error> {
        self.state.rollback_taken_over();
        for last in [false, true] {
            if self.has_ended_everything() {
                break;
            }
            match self.send(Purpose::Rollback, "ROLLBACK".into()).await {
                // This may be the error of an older statement, as in `cleaned_by`.
                Err(DriverError::Server(_)) if !last && !self.is_closed() => {}
                result => result?,
            }
        }
        self.state.passed_on();
        Ok(())
    }

    /// Sends the ROLLBACK of a dropped transaction guard, if there is one to send, and nothing else. After an error it pings:
    /// the answer to a ping says whether the session is inside a transaction, which the answer to a failed statement does
    /// not.
    async fn ask_for_transaction(&mut self) -> Result<(), Error> {
        if self.state.owes_rollback() {
            return self.end_transaction().await;
        }
        for last in [false, true] {
            if self.transaction_status() != TransactionStatus::Unknown {
                break;
            }
            match self.ping().await {
                Err(DriverError::Server(_)) if !last && !self.is_closed() => {}
                result => result?,
            }
        }
        self.state.passed_on();
        Ok(())
    }
}
