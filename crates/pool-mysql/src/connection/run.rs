//! The one way in which a command reaches the driver.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use mysql_async::prelude::{AsQuery, Queryable};
use mysql_async::{Conn, Params};
use tracing::Span;

use crate::connection::Connection;
use crate::connection::refusal::{is_refusal, note, refused};
use crate::connection::time_limit::{InTime, TimeLimit};
use crate::error::closed_because::ClosedBecause;
use crate::error::explained::explained;
use crate::error::{closed, outcome};
use crate::session::command::{Command, Purpose};
use crate::session::echo::Log;
use crate::session::span::{Destination, InSpan, Text, of_statement};
use crate::statement::sql::Sql;
use crate::statement::text::StatementTraits;
use crate::transport::unread::Form;

/// The futures of the driver's `Queryable`.
pub(crate) type DriverFuture<'a, T> =
    Pin<Box<dyn Future<Output = mysql_async::Result<T>> + Send + 'a>>;

impl Connection {
    /// A statement whose text is known. With parameters it is prepared.
    pub(crate) fn statement(&self, sql: &[u8], parameters: Option<usize>) -> Command {
        let form = match parameters {
            None => Form::Text,
            Some(_) => Form::Binary,
        };
        let traits = self.read(sql);
        self.logged(sql, parameters, Purpose::Statement { traits, form })
    }

    /// A statement that the driver takes as a query.
    pub(crate) fn query_command(&self, query: &impl AsQuery) -> Command {
        self.statement(&query.as_query(), None)
    }

    /// A statement that is only prepared.
    pub(crate) fn prepare_command(&self, sql: &[u8]) -> Command {
        let text = || format!("PREPARE {}", String::from_utf8_lossy(sql));
        Command {
            purpose: Purpose::Prepare,
            log: self.log(text, None),
            span: self.span(Text::Prepared(sql)),
        }
    }

    /// A statement with parameters: a text, or one that was prepared before.
    pub(crate) fn exec_command(&self, statement: &impl Sql, parameters: Option<usize>) -> Command {
        let form = Form::Binary;
        if let Some(text) = statement.text() {
            let traits = self.read(&text);
            return self.logged(&text, parameters, Purpose::Statement { traits, form });
        }
        let traits = match statement.prepared() {
            Some(id) => self.state.prepared_traits(id),
            None => StatementTraits::UNKNOWN,
        };
        Command {
            purpose: Purpose::Statement { traits, form },
            log: self.log(|| "(a prepared statement)".into(), parameters),
            span: self.span(Text::Hidden),
        }
    }

    /// A statement whose text the driver does not show: it was prepared before, or is prepared now.
    pub(crate) fn hidden_command<S>(&self, _: &S, parameters: Option<usize>) -> Command {
        let purpose = Purpose::Statement {
            traits: StatementTraits::UNKNOWN,
            form: Form::Binary,
        };
        Command {
            purpose,
            log: self.log(|| "(a prepared statement)".into(), parameters),
            span: self.span(Text::Hidden),
        }
    }

    /// A statement whose purpose is known without reading its text.
    pub(crate) fn logged(
        &self,
        sql: &[u8],
        parameters: Option<usize>,
        purpose: Purpose,
    ) -> Command {
        Command {
            purpose,
            log: self.log(|| String::from_utf8_lossy(sql).into_owned(), parameters),
            span: self.span(Text::Known(sql)),
        }
    }

    /// What the text of a statement tells, as far as the options need it.
    pub(crate) fn read(&self, sql: &[u8]) -> StatementTraits {
        StatementTraits::of(sql, self.watches_statements())
    }

    fn log(&self, text: impl FnOnce() -> String, parameters: Option<usize>) -> Log {
        match self.echo {
            true => Log::new(self.connection_id(), text(), parameters),
            false => Log::default(),
        }
    }

    fn span(&self, text: Text<'_>) -> Option<Span> {
        let destination = || {
            let socket = self.unix_socket();
            Destination {
                is_mariadb: self.is_mariadb(),
                db: self.db(),
                address: match socket {
                    Some(path) => path.to_str().unwrap_or_default(),
                    None => self.host(),
                },
                port: socket.is_none().then(|| self.port()),
            }
        };
        of_statement(destination, text, self.echo)
    }

    /// Runs one command. It is refused on a connection that was closed, aborted or left in the middle of another command.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future after its first poll closes the connection, unless nothing was sent yet.
    pub(crate) fn run<'a: 's, 's, T, F>(
        &'a mut self,
        command: Command,
        operation: F,
    ) -> DriverFuture<'s, T>
    where
        F: FnOnce(&'a mut Conn) -> DriverFuture<'s, T> + Send + 's,
        T: Send + 's,
    {
        self.run_unless_shown(command, |_| false, operation)
    }

    /// As [`run`](Self::run). `shows` tells of an answer whether it shows by itself that the server has not ended the statement
    /// before: it has rows, or an error that comes with them.
    pub(crate) fn run_unless_shown<'a: 's, 's, T, F>(
        &'a mut self,
        command: Command,
        shows: fn(&T) -> bool,
        operation: F,
    ) -> DriverFuture<'s, T>
    where
        F: FnOnce(&'a mut Conn) -> DriverFuture<'s, T> + Send + 's,
        T: Send + 's,
    {
        self.run_and(command, shows, operation, Ok)
    }

    /// As [`run_unless_shown`](Self::run_unless_shown). `convert` makes of an answer what the caller asked for.
    pub(crate) fn run_and<'a: 's, 's, T, U, F>(
        &'a mut self,
        command: Command,
        shows: fn(&T) -> bool,
        operation: F,
        convert: fn(T) -> mysql_async::Result<U>,
    ) -> DriverFuture<'s, U>
    where
        F: FnOnce(&'a mut Conn) -> DriverFuture<'s, T> + Send + 's,
        T: Send + 's,
        U: 's,
    {
        let Command {
            purpose,
            mut log,
            span,
        } = command;
        let run: DriverFuture<'s, U> = Box::pin(async move {
            // The driver's own flag is read here before the driver is used: the next command would clear it.
            if self.is_closed() {
                return Err(self.why_closed());
            }
            // The driver would read what a cursor has left unread to its end, however long that takes.
            // What is rare is in a box of its own: the future of each command would carry room for it.
            if self.state.has_unread_rows() && !Box::pin(self.skip_the_rest()).await? {
                return Err(self.why_closed());
            }
            if self.is_stranded() {
                let signal = Arc::clone(&self.signal);
                let opened = signal.guard(Box::pin(self.open_anew())).await;
                opened.unwrap_or_else(|| Err(self.why_closed()))?;
            }
            self.examine_answer();
            // The driver reads an unread result to its end by itself. If this command's own answer has no flags then, the
            // flags at the end of that result are lost.
            let mut flags = match purpose.answer_has_no_flags() && self.has_unread_result() {
                true => None,
                false => self.status_flags(),
            };
            let kill = self.kill_if_dropped();
            let limit = self.time_limit().filter(|_| purpose.has_time_limit());
            let connection = self.connection_id();
            let Self {
                conn,
                state,
                signal,
                ..
            } = self;
            // Nothing else keeps an answer from a command.
            let aborted = || signal.because().unwrap_or(ClosedBecause::Terminated);
            let Some(conn) = conn else {
                return Err(closed());
            };
            log.start();
            let owes_rollback = state.before(purpose, flags);
            if state.take_interruption() {
                let absorb = before(&limit, absorb_interruption(conn));
                let absorbed = signal.guard(Box::pin(absorb)).await;
                match absorbed {
                    None => return Err(refused(connection, aborted())),
                    Some(None) => {
                        state.timed_out();
                        return Err(limit.map_or_else(closed, |limit| limit.given_up()));
                    }
                    Some(Some(())) => {}
                }
                flags = conn.last_ok_packet().map(|packet| packet.status_flags());
            }
            if owes_rollback {
                let rollback = before(&limit, conn.query_drop("ROLLBACK"));
                let rollback = signal.guard(Box::pin(rollback)).await;
                let rollback = match rollback {
                    None => return Err(refused(connection, aborted())),
                    Some(None) => {
                        state.timed_out();
                        return Err(limit.map_or_else(closed, |limit| limit.given_up()));
                    }
                    Some(Some(result)) => result,
                };
                if let Err(error) = rollback {
                    kill.disarm();
                    state.rollback_failed(&error);
                    log.finish(Err(&error));
                    return Err(error);
                }
                state.rolled_back();
                flags = conn.last_ok_packet().map(|packet| packet.status_flags());
            }
            let (result, told) = match &limit {
                None => (signal.guard(operation(conn)).await, None),
                Some(limit) => match signal.guard(Box::pin(limit.wait(operation(conn)))).await {
                    Some(InTime { result: None, .. }) => {
                        state.timed_out();
                        let error = limit.given_up();
                        log.finish(Err(&error));
                        return Err(outcome::of(error, purpose.is_commit()));
                    }
                    Some(InTime { result, told }) => (result, told),
                    None => (None, None),
                },
            };
            kill.disarm();
            let Some(result) = result else {
                return Err(match purpose.is_commit() {
                    true => outcome::of(explained(aborted()), true),
                    false => refused(connection, aborted()),
                });
            };
            state.after(purpose, &result, flags);
            state.told_to_end(told);
            let result = match limit {
                Some(limit) if purpose.can_be_cut_short() => limit.judge(result, told, shows),
                Some(limit) => result.map_err(|error| limit.explain(error)),
                None => result,
            };
            log.finish(result.as_ref().map(|_| ()));
            // A COMMIT gets another error, which has this one in it.
            if let (Err(error), Some(because)) = (&result, state.ended_by())
                && is_refusal(error)
                && !purpose.is_commit()
            {
                note(connection, because);
            }
            let answer = result.map_err(|error| outcome::of(error, purpose.is_commit()))?;
            convert(answer)
        });
        match span {
            None => run,
            Some(span) => Box::pin(InSpan::new(span, run)),
        }
    }

    /// Runs a statement and drops what it answers.
    pub(crate) async fn send(
        &mut self,
        command: impl Into<Command>,
        sql: Cow<'_, str>,
    ) -> mysql_async::Result<()> {
        self.run(command.into(), |conn| conn.query_drop(sql)).await
    }
}

/// Waits for something that has to be done before the command, within its limit.
async fn before<F: Future>(limit: &Option<TimeLimit>, first: F) -> Option<F::Output> {
    match limit {
        Some(limit) => limit.wait_before(first).await,
        None => Some(first.await),
    }
}

/// Sends something harmless, in whose place the server may end nothing that matters. The second time it has its answer.
async fn absorb_interruption(conn: &mut Conn) {
    for _ in 0..2 {
        match conn.query_drop("DO 0").await {
            Err(mysql_async::Error::Server(_)) => {}
            // If the connection is lost, the command itself finds out.
            Ok(()) | Err(_) => return,
        }
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
