//! The one way in which a command reaches the driver.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use mysql_async::prelude::{AsQuery, Queryable};
use mysql_async::{Conn, Error, Params};

use crate::connection::Connection;
use crate::database;
use crate::echo::Log;
use crate::error::closed;
use crate::gate::Command;
use crate::unread::Form;

/// The futures of the driver's `Queryable`.
pub(crate) type DriverFuture<'a, T> =
    Pin<Box<dyn Future<Output = mysql_async::Result<T>> + Send + 'a>>;

impl Connection {
    /// A statement whose text is known; it may change the database. It is prepared where it has parameters.
    pub(crate) fn statement(&self, sql: &[u8], parameters: Option<usize>) -> Command {
        Command {
            form: Some(match parameters {
                None => Form::Text,
                Some(_) => Form::Binary,
            }),
            may_change_database: database::may_change(sql),
            log: self.log(|| String::from_utf8_lossy(sql).into_owned(), parameters),
            ..Command::default()
        }
    }

    /// The same for what the driver takes as a query.
    pub(crate) fn query_command(&self, query: &impl AsQuery) -> Command {
        self.statement(&query.as_query(), None)
    }

    /// A statement that is only prepared.
    pub(crate) fn prepare_command(&self, query: &impl AsQuery) -> Command {
        Command {
            is_prepare: true,
            log: self.log(
                || format!("PREPARE {}", String::from_utf8_lossy(&query.as_query())),
                None,
            ),
            ..Command::default()
        }
    }

    /// A statement that the driver hides: prepared before, or prepared on the way.
    pub(crate) fn hidden_command(&self, parameters: Option<usize>) -> Command {
        Command {
            may_change_database: true,
            form: Some(Form::Binary),
            log: self.log(|| "(a prepared statement)".into(), parameters),
            ..Command::default()
        }
    }

    fn log(&self, text: impl FnOnce() -> String, parameters: Option<usize>) -> Log {
        match self.echo {
            true => Log::new(self.connection_id(), text(), parameters),
            false => Log::default(),
        }
    }

    /// Runs one command: refuses it on a connection that was closed, aborted or left in the middle of another one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future after its first poll shuts the gate for good.
    pub(crate) fn run<'a: 's, 's, T, F>(
        &'a mut self,
        command: Command,
        operation: F,
    ) -> DriverFuture<'s, T>
    where
        F: FnOnce(&'a mut Conn) -> DriverFuture<'s, T> + Send + 's,
        T: 's,
    {
        Box::pin(async move {
            // The driver's own flag is read here before the driver is used: the next command would clear it.
            if self.is_closed() {
                return Err(closed());
            }
            if self.is_stranded() {
                let signal = Arc::clone(&self.gate.signal);
                let opened = signal.guard(self.open_anew()).await;
                opened.unwrap_or_else(|| Err(closed()))?;
            }
            let Self { conn, gate, .. } = self;
            let Some(conn) = conn else {
                return Err(closed());
            };
            let mut log = command.log;
            log.start();
            gate.busy = true;
            gate.used |= !command.passive;
            gate.elsewhere |= command.may_change_database;
            gate.form = command.form.unwrap_or(gate.form);
            if std::mem::take(&mut gate.rollback) && !command.replaces_rollback {
                let rollback = gate.signal.guard(conn.query_drop("ROLLBACK")).await;
                let result = rollback.unwrap_or_else(|| Err(closed()));
                if let Err(error) = result {
                    gate.rollback = true;
                    gate.busy = !matches!(error, Error::Server(_));
                    log.finish(Err(&error));
                    return Err(error);
                }
            }
            let result = gate.signal.guard(operation(conn)).await;
            // Nobody knows what an aborted command would have answered: the gate stays shut.
            let Some(result) = result else {
                return Err(closed());
            };
            gate.busy = matches!(result, Err(Error::Io(_)));
            gate.no_ok_packet = match result {
                _ if command.is_prepare => true,
                Ok(_) if !command.is_answerless => false,
                _ => gate.no_ok_packet,
            };
            log.finish(result.as_ref().map(|_| ()));
            result
        })
    }

    /// Runs a statement of ours and drops what it answers.
    pub(crate) async fn send(
        &mut self,
        command: Command,
        sql: Cow<'_, str>,
    ) -> mysql_async::Result<()> {
        self.run(command, |conn| conn.query_drop(sql)).await
    }
}

/// How many parameters there are.
pub(crate) fn count(params: &Params) -> usize {
    match params {
        Params::Empty => 0,
        Params::Positional(values) => values.len(),
        Params::Named(values) => values.len(),
    }
}
