//! Making a used connection clean for the next user.

use mysql_async::Error as DriverError;

use crate::connection::Connection;
use crate::error::{Error, closed};
use crate::gate::Command;
use crate::inspect::TransactionStatus;
use crate::options::ResetPolicy;
use crate::unread::skip_unread_result;

impl Connection {
    /// Whether nothing was done that the next user could see.
    pub(crate) fn is_clean(&mut self, policy: ResetPolicy) -> bool {
        match policy {
            ResetPolicy::Always => !self.gate.used,
            ResetPolicy::Never => {
                !self.gate.rollback && self.transaction_status() == TransactionStatus::None
            }
        }
    }

    /// Makes the connection clean, or fails.
    pub(crate) async fn recycle(&mut self, policy: ResetPolicy) -> Result<(), Error> {
        if self.is_closed() {
            return Err(closed().into());
        }
        self.drop_unread_result().await?;
        match policy {
            ResetPolicy::Always => self.reset_session().await?,
            ResetPolicy::Never => self.end_transaction().await?,
        }
        match self.transaction_status() {
            TransactionStatus::None => Ok(()),
            _ => Err(Error::NotClean("it is still inside a transaction")),
        }
    }

    async fn drop_unread_result(&mut self) -> Result<(), Error> {
        if !self.has_unread_result() {
            return Ok(());
        }
        let form = self.gate.form;
        let skip = self.run(Command::quiet(), |conn| {
            Box::pin(skip_unread_result(conn, form))
        });
        match skip.await? {
            true => Ok(()),
            false => Err(Error::NotClean("a long result was left unread")),
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
            if self.transaction_status() == TransactionStatus::None {
                break;
            }
            match self.send(Command::quiet(), "ROLLBACK".into()).await {
                Err(DriverError::Server(_)) if !last => {}
                result => result?,
            }
        }
        self.gate.used = false;
        Ok(())
    }
}
