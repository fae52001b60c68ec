//! The one way in which a command reaches the driver.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use mysql_async::prelude::{AsQuery, Queryable};
use mysql_async::{Conn, Error, Params};

use crate::connection::Connection;
use crate::echo::Log;
use crate::error::closed;
use crate::gate::Command;
use crate::outcome;
use crate::sql::Sql;
use crate::text::StatementTraits;
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
            log: self.log(|| String::from_utf8_lossy(sql).into_owned(), parameters),
            ..self.read(sql).command()
        }
    }

    /// The same for what the driver takes as a query.
    pub(crate) fn query_command(&self, query: &impl AsQuery) -> Command {
        self.statement(&query.as_query(), None)
    }

    /// A statement that is only prepared.
    pub(crate) fn prepare_command(&self, sql: &[u8]) -> Command {
        Command {
            is_prepare: true,
            neutral: true,
            log: self.log(|| format!("PREPARE {}", String::from_utf8_lossy(sql)), None),
            ..Command::default()
        }
    }

    /// A statement with parameters: its text, or one that was prepared before.
    pub(crate) fn exec_command(&self, statement: &impl Sql, parameters: Option<usize>) -> Command {
        if let Some(text) = statement.text() {
            return Command {
                form: Some(Form::Binary),
                ..self.statement(&text, parameters)
            };
        }
        let known = statement
            .prepared()
            .and_then(|id| self.gate.prepared.get(id));
        Command {
            form: Some(Form::Binary),
            log: self.log(|| "(a prepared statement)".into(), parameters),
            ..known.unwrap_or(StatementTraits::UNKNOWN).command()
        }
    }

    /// A statement that the driver hides: prepared before, or prepared on the way.
    pub(crate) fn hidden_command<S>(&self, _: &S, parameters: Option<usize>) -> Command {
        Command {
            form: Some(Form::Binary),
            log: self.log(|| "(a prepared statement)".into(), parameters),
            ..StatementTraits::UNKNOWN.command()
        }
    }

    /// Reads a statement, as far as somebody wants to know.
    pub(crate) fn read(&self, sql: &[u8]) -> StatementTraits {
        StatementTraits::of(sql, self.watches_statements())
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
        let mut command = command;
        Box::pin(async move {
            // The driver's own flag is read here before the driver is used: the next command would clear it.
            if self.is_closed() {
                return Err(closed());
            }
            // What a cursor has left unread, which the driver would read to its end however long that takes.
            if self.gate.streams && !self.skip_the_rest().await? {
                return Err(closed());
            }
            if self.is_stranded() {
                let signal = Arc::clone(&self.gate.signal);
                let opened = signal.guard(self.open_anew()).await;
                opened.unwrap_or_else(|| Err(closed()))?;
            }
            self.look_back();
            let says_nothing = command.is_prepare || command.is_answerless;
            // What comes at the end of an unread result is read past us, and then nobody repeats what it said.
            let mut flags = match says_nothing && self.has_unread_result() {
                true => None,
                false => self.status_flags(),
            };
            let kill = self.kill_if_dropped();
            let Self { conn, gate, .. } = self;
            let Some(conn) = conn else {
                return Err(closed());
            };
            let mut log = std::mem::take(&mut command.log);
            log.start();
            gate.course.look_at(flags);
            gate.course.send(&command);
            gate.busy = true;
            gate.used |= !command.passive;
            gate.unended |= !(command.passive || command.is_prepare);
            gate.dirty |= !command.neutral;
            gate.unseen = true;
            gate.elsewhere |= command.may_change_database;
            gate.form = command.form.unwrap_or(gate.form);
            if std::mem::take(&mut gate.rollback) && !command.replaces_rollback {
                let rollback = gate.signal.guard(conn.query_drop("ROLLBACK")).await;
                let result = rollback.unwrap_or_else(|| Err(closed()));
                if let Err(error) = result {
                    // Where the server has refused, the connection lives on.
                    kill.disarm();
                    gate.rollback = true;
                    gate.busy = !matches!(error, Error::Server(_));
                    log.finish(Err(&error));
                    return Err(error);
                }
                // Nobody looks at its answer for a warning.
                gate.dirty = true;
                flags = conn.last_ok_packet().map(|packet| packet.status_flags());
            }
            let result = gate.signal.guard(operation(conn)).await;
            kill.disarm();
            // Nobody knows what an aborted command would have answered: the gate stays shut.
            let Some(result) = result else {
                return Err(outcome::of(closed(), command.is_commit));
            };
            gate.course.hear(&command, &result);
            gate.busy = matches!(result, Err(Error::Io(_)));
            let says_nothing = says_nothing && result.is_ok();
            gate.before_prepare = flags.filter(|_| says_nothing);
            gate.unseen = !says_nothing;
            gate.unended &= !(command.ends_transaction && result.is_ok());
            gate.no_ok_packet = match result {
                _ if command.is_prepare => true,
                Ok(_) if !command.is_answerless => false,
                _ => gate.no_ok_packet,
            };
            log.finish(result.as_ref().map(|_| ()));
            result.map_err(|error| outcome::of(error, command.is_commit))
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
