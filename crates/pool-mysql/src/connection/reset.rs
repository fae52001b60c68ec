//! Resets a session. Where the server has no reset, it logs in again.

use mysql_async::{Error as DriverError, ServerError};

use crate::connection::Connection;
use crate::error::Error;
use crate::session::command::Purpose;
use crate::transport::refusals::{CleaningCommand, is_refusal, is_refusal_if_repeated};

impl Connection {
    /// Fails where the server is known to have neither command, so that nothing is sent to it in vain.
    pub(super) fn can_be_reset(&self) -> Result<(), Error> {
        let refuses = |command| self.refuses(command);
        match refuses(CleaningCommand::Reset) && refuses(CleaningCommand::ChangeUser) {
            true => Err(Error::NotClean(
                "the server refuses COM_RESET_CONNECTION and COM_CHANGE_USER; ResetPolicy::RollbackOnly and \
                 ResetPolicy::Never need neither",
            )),
            false => Ok(()),
        }
    }

    pub(super) async fn reset_session(&mut self) -> Result<(), Error> {
        let has_db = self.options().db.is_some();
        // No statement goes back to having no database; only logging in again does.
        let back_to_none = self.state.may_be_in_other_database() && !has_db;
        let is_reset = !back_to_none && self.cleaned_by(CleaningCommand::Reset).await?;
        if !is_reset && !self.cleaned_by(CleaningCommand::ChangeUser).await? {
            self.can_be_reset()?;
            return Err(Error::NotClean(
                "its current database may have changed, and the server refuses COM_CHANGE_USER",
            ));
        }
        let with_db = is_reset && has_db && self.state.may_be_in_other_database();
        self.begin_session_again(with_db).await?;
        Ok(())
    }

    /// Sends the command, unless the server is known to refuse it. Returns `false` where the server refuses it.
    async fn cleaned_by(&mut self, command: CleaningCommand) -> mysql_async::Result<bool> {
        if self.refuses(command) {
            return Ok(false);
        }
        for last in [false, true] {
            let error = match self.send_cleaning(command).await {
                Err(DriverError::Server(error)) if !self.is_closed() => error,
                Ok(false) => {
                    self.learn_refusal(command, None);
                    return Ok(false);
                }
                result => return result,
            };
            // The first error may be that of an older statement whose result was not read to its end. The second attempt
            // does not see it any more. An unknown command needs no second attempt.
            if is_refusal(&error) || (last && is_refusal_if_repeated(&error)) {
                self.learn_refusal(command, Some(&error));
                return Ok(false);
            }
            if last {
                return Err(DriverError::Server(error));
            }
        }
        Ok(false)
    }

    /// Returns `false` where the driver does not send the command, because the server is too old to know it.
    async fn send_cleaning(&mut self, command: CleaningCommand) -> mysql_async::Result<bool> {
        match command {
            CleaningCommand::Reset => {
                self.run(Purpose::Reset.into(), |conn| Box::pin(conn.reset()))
                    .await
            }
            CleaningCommand::ChangeUser => {
                self.run(Purpose::Reset.into(), |conn| {
                    Box::pin(conn.change_user(<_>::default()))
                })
                .await?;
                Ok(true)
            }
        }
    }

    fn refuses(&self, command: CleaningCommand) -> bool {
        self.connector.refusals.contains(&self.server.info, command)
    }

    fn learn_refusal(&self, command: CleaningCommand, answer: Option<&ServerError>) {
        let version = &self.server.info;
        if !self.connector.refusals.learned(version, command) {
            return;
        }
        let answer = match answer {
            Some(error) => format!("{} ({}): {}", error.code, error.state, error.message),
            None => "it is too old for a reset".to_owned(),
        };
        tracing::warn!(
            target: "pool_mysql::reset",
            version = version.as_str(),
            answer = answer.as_str(),
            "the server refuses COM_RESET_CONNECTION and COM_CHANGE_USER, so each connection that has to be reset is \
             closed at its return; to keep connections, choose ResetPolicy::RollbackOnly (an open transaction is rolled \
             back, nothing else is cleaned) or ResetPolicy::Never (nothing is cleaned)",
        );
    }
}
