//! Executes one statement with many sets of parameters.

use std::borrow::Cow;

use mysql_async::prelude::Queryable;
use mysql_async::{Params, Value};

use super::bulk::{bulks, is_uniform, size};
use super::mogrify::dialect;
use super::result::Head;
use super::values::{OneRow, batch};
use crate::connection::Connection;
use crate::error::Error;
use crate::statement::scanner::{Dialect, Kind, Scanner};

/// The maximum number of bytes of parameters in one command.
const BULK_BYTES: usize = 4 * 1024 * 1024;

/// The server's error number for a statement that a prepared statement, or a bulk, cannot execute.
const UNSUPPORTED: u16 = 1295;

/// The answer to all sets; or the sets, where each of them has to be executed by itself.
type AtOnce = Result<Head, Vec<Params>>;

/// The answer to all rows; or the rows, where the server takes no bulk of this statement.
type InBulk = Result<Head, Vec<Vec<Value>>>;

/// What the commands so far have done.
pub(super) struct Progress {
    pub(super) head: Head,
    /// How many sets of parameters they carried.
    sets: usize,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            head: Head::without_rows(0, None),
            sets: 0,
        }
    }

    /// A command with so many sets is done.
    pub(super) fn add(&mut self, sets: usize, affected: u64, last_insert_id: Option<u64>) {
        self.sets += sets;
        self.head.rowcount += affected;
        self.head.last_insert_id = self.head.last_insert_id.or(last_insert_id);
    }

    /// The error of the next command, which carried so many sets.
    pub(super) fn failed(&self, sets: usize, cause: impl Into<Error>) -> Error {
        Error::ManyFailed {
            sets: self.sets..self.sets + sets,
            affected: self.head.rowcount,
            cause: Box::new(cause.into()),
        }
    }
}

impl Connection {
    /// Executes a statement for all sets in few commands, if that is possible for this statement.
    pub(super) async fn execute_at_once(
        &mut self,
        query: &str,
        sets: Vec<Params>,
    ) -> Result<AtOnce, Error> {
        if !may_be_many(query, dialect(self)) {
            return Ok(Err(sets));
        }
        let (query, mut rows, named) = match without_names(query, &sets) {
            Some((text, rows)) => (Cow::Owned(text), rows, sets),
            None => match rows(sets) {
                Ok(rows) => (Cow::Borrowed(query), rows, Vec::new()),
                Err(sets) => return Ok(Err(sets)),
            },
        };
        let arity = rows.first().map_or(0, Vec::len);
        let takes_bulk = self.is_mariadb() && self.server_version() >= (10, 2, 0);
        let one_row = OneRow::find(&query, arity);
        // In a bulk each column has one type for all rows.
        if takes_bulk && (one_row.is_none() || is_uniform(&rows)) {
            match self.execute_bulk(&query, rows).await? {
                Ok(head) => return Ok(Ok(head)),
                Err(refused) => rows = refused,
            }
        }
        if let Some(one_row) = one_row {
            Ok(Ok(self.execute_rows(&query, &one_row, rows).await?))
        } else if named.is_empty() {
            Ok(Err(rows.into_iter().map(Params::Positional).collect()))
        } else {
            Ok(Err(named))
        }
    }

    async fn execute_bulk(&mut self, query: &str, rows: Vec<Vec<Value>>) -> Result<InBulk, Error> {
        let mut done = Progress::new();
        let arity = rows.first().map_or(0, Vec::len);
        self.prepare_with(query, arity).await?;
        let bulks = bulks(rows, self.bulk_limit());
        for bulk in &bulks {
            let given = arity * bulk.len();
            let command = self.statement(query.as_bytes(), Some(given)).batch(false);
            // The rows are copied one at a time: they are needed again if the server takes no bulk.
            let rows = bulk.iter().cloned();
            match self.run(command, |conn| conn.exec_batch(query, rows)).await {
                Ok(()) => self.add_to(&mut done, bulk.len()),
                Err(error) if done.sets == 0 && refuses_bulk(&error) => {
                    return Ok(Err(bulks.into_iter().flatten().collect()));
                }
                Err(error) => return Err(done.failed(bulk.len(), error)),
            }
        }
        Ok(Ok(done.head))
    }

    async fn execute_rows(
        &mut self,
        query: &str,
        one_row: &OneRow<'_>,
        rows: Vec<Vec<Value>>,
    ) -> Result<Head, Error> {
        let mut done = Progress::new();
        let arity = rows.first().map_or(0, Vec::len);
        // Prepares the statement before anything is executed, so that a syntax error or a wrong number of parameters is
        // found first.
        self.prepare_with(query, arity).await?;
        let limit = self.bulk_limit();
        let mut rows = rows.into_iter();
        while rows.len() > 0 {
            let sizes = rows.as_slice().iter().map(|row| size(row));
            let count = batch(sizes, arity, limit);
            let values = rows.by_ref().take(count).flatten().collect();
            self.execute_values(query, &one_row.times(count), values)
                .await
                .map_err(|cause| done.failed(count, cause))?;
            self.add_to(&mut done, count);
        }
        Ok(done.head)
    }

    /// Executes the form of a statement that takes the values of several rows.
    async fn execute_values(
        &mut self,
        query: &str,
        text: &str,
        values: Vec<Value>,
    ) -> Result<(), Error> {
        let statement = self.prepare_with(text, values.len()).await?;
        let command = self.statement(query.as_bytes(), Some(values.len()));
        self.run(command, |conn| conn.exec_drop(statement, values))
            .await?;
        Ok(())
    }

    fn add_to(&self, done: &mut Progress, sets: usize) {
        done.add(sets, self.affected_rows(), self.last_insert_id());
    }

    fn bulk_limit(&self) -> usize {
        BULK_BYTES.min(self.server.max_packet / 2)
    }
}

/// Whether the server takes no bulk of this statement, for example of an INSERT … SELECT.
///
/// MariaDB decides this by the kind of the statement, before it executes anything.
fn refuses_bulk(error: &mysql_async::Error) -> bool {
    matches!(
        error,
        mysql_async::Error::Server(error) if error.code == UNSUPPORTED && error.state == "HY000"
    )
}

/// Whether the statement changes rows and returns none.
fn may_be_many(query: &str, dialect: Dialect) -> bool {
    let mut tokens = Scanner::new(query.as_bytes(), dialect);
    let verb = tokens.next();
    verb.is_some_and(|verb| verb.is_one_of(&["INSERT", "REPLACE", "UPDATE", "DELETE"]))
        && !tokens.any(|token| token.is_keyword("RETURNING"))
}

/// The statement with `?` for each `:name`, and the values in that order; `None` where the sets have no names, or a name is
/// missing.
fn without_names(query: &str, sets: &[Params]) -> Option<(String, Vec<Vec<Value>>)> {
    // Where a text with a backslash ends depends on the `sql_mode` of the session.
    if query.contains('\\') || !matches!(sets.first()?, Params::Named(_)) {
        return None;
    }
    let mut text = String::with_capacity(query.len());
    let mut names = Vec::new();
    let mut copied = 0;
    for token in Scanner::new(query.as_bytes(), Dialect::DEFAULT) {
        match token.kind {
            Kind::Parameter => {
                text.push_str(&query[copied..token.start]);
                text.push('?');
                names.push(&token.bytes[1..]);
                copied = token.end();
            }
            Kind::Question => return None,
            _ => {}
        }
    }
    text.push_str(&query[copied..]);
    let values = |params: &Params| match params {
        Params::Named(values) => names
            .iter()
            .map(|name| values.get(*name).cloned())
            .collect(),
        _ => None,
    };
    let rows: Option<Vec<Vec<Value>>> = sets.iter().map(values).collect();
    rows.filter(|_| !names.is_empty()).map(|rows| (text, rows))
}

/// The sets as rows. If they are not all positional and of one length, they are returned as the error.
fn rows(sets: Vec<Params>) -> Result<Vec<Vec<Value>>, Vec<Params>> {
    let arity = |params: &Params| match params {
        Params::Positional(values) => Some(values.len()),
        _ => None,
    };
    let first = sets.first().and_then(arity);
    if first.is_none() || sets.iter().any(|params| arity(params) != first) {
        return Err(sets);
    }
    let values = sets.into_iter().map(|params| match params {
        Params::Positional(values) => values,
        _ => unreachable!("all sets have an arity"),
    });
    Ok(values.collect())
}

#[cfg(test)]
mod tests {
    use mysql_async::params;

    use super::*;

    #[test]
    fn a_name_becomes_a_question_mark() {
        let sets = [
            params! { "a" => 1, "b" => "x", "c" => 0 },
            params! { "a" => 2, "b" => "y", "c" => 0 },
        ];
        let query = "INSERT INTO t VALUES (:b, ':a', :a, :b)";
        let (text, rows) = without_names(query, &sets).expect("all have names");
        assert_eq!(text, "INSERT INTO t VALUES (?, ':a', ?, ?)");
        let row = |a: i64, b: &str| vec![Value::from(b), Value::Int(a), Value::from(b)];
        assert_eq!(rows, [row(1, "x"), row(2, "y")]);
        for query in [
            "INSERT INTO t VALUES (:d)",
            "INSERT INTO t VALUES (?)",
            "INSERT INTO t VALUES (:a, ?)",
            r"INSERT INTO t VALUES (:a, '\'')",
            "INSERT INTO t VALUES (1)",
        ] {
            assert_eq!(without_names(query, &sets), None, "{query}");
        }
        let mixed = [sets[0].clone(), Params::Positional(vec![Value::NULL])];
        assert_eq!(without_names("INSERT INTO t VALUES (:a)", &mixed), None);
    }

    #[test]
    fn only_statements_that_change_rows_and_return_none_are_sent_together() {
        let may = |sql| may_be_many(sql, Dialect::DEFAULT);
        for sql in [
            "INSERT INTO t VALUES (?)",
            " update t SET a = ?",
            "DELETE FROM t WHERE a = ?",
            "replace t VALUES ('a RETURNING b', ?)",
            "INSERT INTO t.returning VALUES (?)",
        ] {
            assert!(may(sql), "{sql}");
        }
        for sql in [
            "SELECT ?",
            "",
            "/* x */ INSERT INTO t VALUES (?)",
            "INSERT INTO t VALUES (?) RETURNING a",
            "INSERT INTO t VALUES (?)returning\na",
            "INSERT INTO t VALUES (?) /*! RETURNING a */",
        ] {
            assert!(!may(sql), "{sql}");
        }
    }

    #[test]
    fn only_rows_of_one_length_are_rows() {
        let two = || Params::Positional(vec![Value::NULL; 2]);
        let one = || Params::Positional(vec![Value::NULL; 1]);
        assert_eq!(rows(vec![two(), two()]).map(|rows| rows.len()), Ok(2));
        assert!(rows(vec![two(), one()]).is_err());
        assert!(rows(vec![two(), Params::Empty]).is_err());
        assert!(rows(vec![]).is_err());
    }
}
