//! The one way in which a command reaches the driver.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use mysql_async::prelude::{AsQuery, Queryable};
use mysql_async::{Conn, Error, Params};

use crate::abort::Signal;
use crate::connection::Connection;
use crate::database;
use crate::echo::Log;
use crate::error::closed;
use crate::unread::Form;

/// The futures of the driver's `Queryable`.
pub(crate) type DriverFuture<'a, T> =
    Pin<Box<dyn Future<Output = mysql_async::Result<T>> + Send + 'a>>;

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
    passive: bool,
    may_change_database: bool,
    is_prepare: bool,
    is_answerless: bool,
    replaces_rollback: bool,
    /// The form of its rows; nothing where it has none.
    form: Option<Form>,
    log: Log,
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
