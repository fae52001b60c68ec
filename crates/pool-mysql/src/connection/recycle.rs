//! Making a used connection clean for the next user.

use mysql_async::Error as DriverError;
use pool_core::Verdict;

use crate::connection::Connection;
use crate::connection::inspect::TransactionStatus;
use crate::error::{Error, closed};
use crate::options::ResetPolicy;
use crate::session::state::Command;
use crate::transport::unread::skip_unread_result;

impl Connection {
    /// Whether the texts of the statements are read for what they leave behind.
    pub(crate) fn watches_statements(&self) -> bool {
        self.blueprint.options.reset_policy == ResetPolicy::IfDirty
    }

    /// Looks at the server's last answer: has its statement left something that its text does not tell?
    ///
    /// It comes before the next command, whose answer replaces that one.
    pub(crate) fn look_back(&mut self) {
        if !self.watches_statements() || !std::mem::take(&mut self.gate.unseen) {
            return;
        }
        let left_nothing = self.conn.as_ref().is_some_and(|conn| {
            // SHOW WARNINGS tells the next user; so does LAST_INSERT_ID(). After an error there is no packet.
            conn.last_ok_packet()
                .is_some_and(|packet| packet.warnings() == 0 && packet.last_insert_id().is_none())
        });
        // What comes at the end of an unread result is read past us.
        self.gate.dirty |= !left_nothing || self.has_unread_result();
    }

    /// What is to be done with the connection of a user who has given it back; nothing is sent.
    pub(crate) fn come_back(&mut self, policy: ResetPolicy) -> Verdict {
        // The driver's own flag is read here before anything is sent: the next command would clear it.
        if self.is_closed() {
            return Verdict::Discard;
        }
        let is_clean = match policy {
            ResetPolicy::Always => !self.gate.used,
            ResetPolicy::IfDirty => !self.gate.used || self.is_as_it_was(),
            ResetPolicy::RollbackOnly => self.has_ended_everything(),
            ResetPolicy::Never => self.is_outside_transaction(),
        };
        if is_clean {
            // Whatever it is, the next user begins with it.
            self.gate.used = false;
            return Verdict::Reuse;
        }
        let is_open = !self.gate.rollback && self.transaction_status() == TransactionStatus::Open;
        match policy {
            // Nothing may be sent that would end it, and nobody else may have it.
            ResetPolicy::Never if is_open => Verdict::Discard,
            _ => Verdict::Recycle,
        }
    }

    /// Whether all that was done since the session was last clean has left it so.
    fn is_as_it_was(&mut self) -> bool {
        self.look_back();
        !self.gate.dirty && self.has_ended_everything() && self.get_autocommit() == self.autocommit
    }

    fn is_outside_transaction(&mut self) -> bool {
        !self.gate.rollback && self.transaction_status() == TransactionStatus::None
    }

    /// Whether it is outside of a transaction, and of what MySQL does not call one: see `Gate::unended`.
    fn has_ended_everything(&mut self) -> bool {
        self.is_outside_transaction() && (self.get_autocommit() || !self.gate.unended)
    }

    /// Makes the connection clean, or fails.
    pub(crate) async fn recycle(&mut self, policy: ResetPolicy) -> Result<(), Error> {
        if self.is_closed() {
            return Err(closed().into());
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
        self.gate.streams = false;
        if !self.has_unread_result() {
            return Ok(());
        }
        let form = self.gate.form;
        let skip = self.run(Command::quiet(), |conn| {
            Box::pin(skip_unread_result(conn, form))
        });
        match skip.await? {
            true => Ok(()),
            false => {
                // The server may have a lot more to do for it.
                drop(self.kill_if_dropped());
                Err(Error::NotClean("a long result was left unread"))
            }
        }
    }

    async fn reset_session(&mut self) -> Result<(), Error> {
        let has_db = self.blueprint.options.db.is_some();
        // No statement leaves a database for none; logging in again does.
        let back_to_none = self.gate.elsewhere && !has_db;
        let is_reset = match back_to_none {
            true => false,
            false => match self.reset_once().await {
                // The error of an older statement whose result was not read to its end: it is gone now.
                Err(DriverError::Server(_)) => self.reset_once().await?,
                result => result?,
            },
        };
        if !is_reset {
            self.log_in_again().await?;
        }
        let with_db = is_reset && has_db && self.gate.elsewhere;
        self.begin_session_again(with_db).await?;
        Ok(())
    }

    /// `false` where the server is too old to know it.
    async fn reset_once(&mut self) -> mysql_async::Result<bool> {
        self.run(Command::reset(), |conn| Box::pin(conn.reset()))
            .await
    }

    async fn log_in_again(&mut self) -> mysql_async::Result<()> {
        for last in [false, true] {
            let command = Command::reset();
            let result = self
                .run(command, |conn| Box::pin(conn.change_user(<_>::default())))
                .await;
            match result {
                Err(DriverError::Server(_)) if !last => {}
                result => return result,
            }
        }
        Ok(())
    }

    async fn end_transaction(&mut self) -> Result<(), Error> {
        self.gate.rollback = false;
        for last in [false, true] {
            if self.has_ended_everything() {
                break;
            }
            match self.send(Command::rollback(), "ROLLBACK".into()).await {
                // The error of an older statement, as above.
                Err(DriverError::Server(_)) if !last => {}
                result => result?,
            }
        }
        self.gate.used = false;
        Ok(())
    }

    /// Does what a dropped transaction guard has promised, and nothing else; the answer to a ping says what an error did not.
    async fn ask_for_transaction(&mut self) -> Result<(), Error> {
        if self.gate.rollback {
            return self.end_transaction().await;
        }
        for last in [false, true] {
            if self.transaction_status() != TransactionStatus::Unknown {
                break;
            }
            match self.ping().await {
                Err(DriverError::Server(_)) if !last => {}
                result => result?,
            }
        }
        self.gate.used = false;
        Ok(())
    }
}
