//! What both cursors do in the same way: they differ only in how they read results.

use std::future::Future;

use mysql_async::prelude::{Protocol, Queryable};
use mysql_async::{Params, QueryResult, ServerError};

use super::many::Progress;
use super::result::Head;
use crate::connection::Connection;
use crate::connection::run::count;
use crate::error::Error;

/// How a cursor reads the results of a statement, and what it keeps of them.
pub(super) trait Results: Default + Send {
    /// What is read within the command.
    type Answer: Send;

    /// Reads the answer to a statement, as far as this belongs to the command.
    fn read<P: Protocol>(
        result: QueryResult<'_, 'static, P>,
    ) -> impl Future<Output = mysql_async::Result<Self::Answer>> + Send;

    /// Whether the answer shows that the server has not ended the statement before, or will show it with what is still to
    /// be read.
    fn shows(answer: &Self::Answer) -> bool;

    /// The server's error for a later statement in the text, if the answer ends with one.
    fn later_error(answer: &Self::Answer) -> Option<&ServerError>;

    /// Looks whether all statements of the text have succeeded; reads what is left for that.
    fn finish(&mut self, conn: &mut Connection) -> impl Future<Output = Result<(), Error>> + Send;

    /// Forgets the results of the last statement, and reads what is left of them. An error that the caller does not know
    /// of comes out.
    fn discard(&mut self, conn: &mut Connection) -> impl Future<Output = Result<(), Error>> + Send;

    /// Keeps the answer to a new statement.
    fn accept(&mut self, conn: &mut Connection, answer: Self::Answer) -> Result<(), Error>;

    /// Keeps the answer to a statement that was executed for many sets of parameters at once.
    fn accept_many(&mut self, head: Head);

    /// Sets how many rows were changed by all of several statements, and the first AUTO_INCREMENT number that they have
    /// generated.
    fn set_changed(&mut self, rows: u64, last_insert_id: Option<u64>);

    /// The current result; `None` before the first statement.
    fn head(&self) -> Option<&Head>;

    fn rowcount(&self) -> u64;
}

/// A cursor without its public names.
pub(super) struct Body<'a, R> {
    pub(super) conn: &'a mut Connection,
    pub(super) results: R,
    pub(super) arraysize: usize,
    pub(super) closed: bool,
}

impl<'a, R: Results> Body<'a, R> {
    pub(super) fn new(conn: &'a mut Connection) -> Self {
        Self {
            conn,
            results: R::default(),
            arraysize: 1,
            closed: false,
        }
    }

    pub(super) fn check_open(&self) -> Result<(), Error> {
        match self.closed {
            true => Err(Error::CursorClosed),
            false => Ok(()),
        }
    }

    /// Makes room for a new result.
    async fn clear(&mut self) -> Result<(), Error> {
        self.check_open()?;
        self.results.discard(self.conn).await
    }

    pub(super) async fn execute(&mut self, query: &str, params: Params) -> Result<u64, Error> {
        self.clear().await?;
        let answer = match params {
            Params::Empty => {
                let command = self.conn.statement(query.as_bytes(), None);
                let answer = self.conn.run_unless_shown(command, R::shows, |conn| {
                    Box::pin(async move { R::read(conn.query_iter(query).await?).await })
                });
                answer.await?
            }
            params => {
                let statement = self.conn.prepare_for(query, &params).await?;
                let given = Some(count(&params));
                let command = self.conn.statement(query.as_bytes(), given);
                let answer = self.conn.run_unless_shown(command, R::shows, |conn| {
                    Box::pin(
                        async move { R::read(conn.exec_iter(&statement, params).await?).await },
                    )
                });
                answer.await?
            }
        };
        if let Some(error) = R::later_error(&answer) {
            self.conn.state.failed_later(error);
        }
        self.results.accept(self.conn, answer)?;
        Ok(self.results.rowcount())
    }

    pub(super) async fn executemany(
        &mut self,
        query: &str,
        sets: Vec<Params>,
    ) -> Result<u64, Error> {
        self.clear().await?;
        match self.conn.execute_at_once(query, sets).await? {
            Ok(head) => self.results.accept_many(head),
            Err(sets) => {
                // Prepares the statement before anything is executed, so that a syntax error is found first.
                if let Some(params) = sets.first()
                    && *params != Params::Empty
                {
                    self.conn.prepare_for(query, params).await?;
                }
                let mut done = Progress::new();
                for params in sets {
                    let answer = self.execute(query, params).await;
                    let affected = answer.map_err(|cause| done.failed(1, cause))?;
                    let last_insert_id = self.results.head().and_then(|head| head.last_insert_id);
                    if let Err(cause) = self.results.finish(self.conn).await {
                        self.results = R::default();
                        return Err(done.failed(1, cause));
                    }
                    done.add(1, affected, last_insert_id);
                }
                let Head {
                    rowcount,
                    last_insert_id,
                    ..
                } = done.head;
                self.results.set_changed(rowcount, last_insert_id);
            }
        }
        Ok(self.results.rowcount())
    }

    pub(super) async fn callproc(&mut self, procedure: &str, params: Params) -> Result<u64, Error> {
        self.clear().await?;
        let call = self.conn.arguments(procedure, params).await?;
        self.execute(&call, Params::Empty).await
    }
}

/// The public methods that both cursors have, over a field `body`; their documentation where it differs.
macro_rules! cursor_methods {
    (
        $cursor:ident;
        $(#[$execute:meta])* execute;
        $(#[$executemany:meta])* executemany;
        $(#[$callproc:meta])* callproc;
        $(#[$mogrify:meta])* mogrify;
        $(#[$rowcount:meta])* rowcount;
        $(#[$fetchmany:meta])* fetchmany;
        $(#[$fetchall:meta])* fetchall;
    ) => {
        impl<'a> $cursor<'a> {
            pub(crate) fn new(conn: &'a mut Connection) -> Self {
                Self {
                    body: Body::new(conn),
                }
            }

            $(#[$execute])*
            pub async fn execute<P>(
                &mut self,
                query: impl AsRef<str> + Send,
                params: P,
            ) -> Result<u64, Error>
            where
                P: Into<Params> + Send,
            {
                let done = self.body.execute(query.as_ref(), params.into()).await;
                done.map_err(|error| self.body.conn.explain(error))
            }

            $(#[$executemany])*
            pub async fn executemany<P, I>(
                &mut self,
                query: impl AsRef<str> + Send,
                params: I,
            ) -> Result<u64, Error>
            where
                I: IntoIterator<Item = P> + Send,
                P: Into<Params> + Send,
            {
                let sets = params.into_iter().map(Into::into).collect();
                let done = self.body.executemany(query.as_ref(), sets).await;
                done.map_err(|error| self.body.conn.explain(error))
            }

            $(#[$callproc])*
            pub async fn callproc<P>(
                &mut self,
                procedure: impl AsRef<str> + Send,
                params: P,
            ) -> Result<u64, Error>
            where
                P: Into<Params> + Send,
            {
                let done = self.body.callproc(procedure.as_ref(), params.into()).await;
                done.map_err(|error| self.body.conn.explain(error))
            }

            $(#[$mogrify])*
            pub fn mogrify<P>(&self, query: impl AsRef<str>, params: P) -> Result<String, Error>
            where
                P: Into<Params>,
            {
                mogrify(query.as_ref(), &params.into(), dialect(self.body.conn))
            }

            $(#[$fetchmany])*
            pub async fn fetchmany<T: FromRow>(&mut self, size: usize) -> Result<Vec<T>, Error> {
                self.current()?;
                let mut rows = Vec::with_capacity(size.min(self.known_rows()));
                while rows.len() < size {
                    match self.fetchone().await? {
                        Some(row) => rows.push(row),
                        None => break,
                    }
                }
                Ok(rows)
            }

            $(#[$fetchall])*
            pub async fn fetchall<T: FromRow>(&mut self) -> Result<Vec<T>, Error> {
                self.fetchmany(usize::MAX).await
            }

            /// The columns of the result; `None` where the statement returns no rows, or no statement was executed.
            pub fn description(&self) -> Option<&[ColumnDescription]> {
                self.body.results.head()?.columns()
            }

            $(#[$rowcount])*
            pub fn rowcount(&self) -> u64 {
                self.body.results.rowcount()
            }

            /// The AUTO_INCREMENT number that an INSERT has generated, the first if it has generated several; `None` if
            /// it has generated none.
            pub fn lastrowid(&self) -> Option<u64> {
                self.body.results.head()?.last_insert_id
            }

            /// How many rows to fetch at a time: a number for `cur.fetchmany(cur.arraysize())`; default 1.
            pub fn arraysize(&self) -> usize {
                self.body.arraysize
            }

            /// Sets [`arraysize`](Self::arraysize).
            pub fn set_arraysize(&mut self, rows: usize) {
                self.body.arraysize = rows;
            }

            /// The connection that the cursor works on.
            pub fn connection(&self) -> &Connection {
                self.body.conn
            }

            /// Whether [`close`](Self::close) was called.
            pub fn is_closed(&self) -> bool {
                self.body.closed
            }
        }
    };
}

pub(super) use cursor_methods;
