//! Executes one statement with many sets of parameters.

use std::borrow::Cow;
use std::mem::{Discriminant, discriminant};

use mysql_async::prelude::Queryable;
use mysql_async::{Params, Value};

use super::mogrify::dialect;
use super::result::Head;
use super::values::{OneRow, batch};
use crate::connection::Connection;
use crate::error::Error;
use crate::statement::scanner::{Dialect, Kind, Scanner};

/// The maximum number of bytes of parameters in one command.
const BULK_BYTES: usize = 4 * 1024 * 1024;

/// The answer to all sets; or the sets, where each of them has to be executed by itself.
type AtOnce = Result<Head, Vec<Params>>;

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
        let (query, rows, named) = match without_names(query, &sets) {
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
            Ok(Ok(self.execute_bulk(&query, rows).await?))
        } else if let Some(one_row) = one_row {
            Ok(Ok(self.execute_rows(&query, &one_row, rows).await?))
        } else if named.is_empty() {
            Ok(Err(rows.into_iter().map(Params::Positional).collect()))
        } else {
            Ok(Err(named))
        }
    }

    async fn execute_bulk(&mut self, query: &str, rows: Vec<Vec<Value>>) -> Result<Head, Error> {
        let mut done = Head::without_rows(0, None);
        let arity = rows.first().map_or(0, Vec::len);
        self.prepare_with(query, arity).await?;
        for bulk in bulks(rows, self.bulk_limit()) {
            let given = arity * bulk.len();
            let command = self.statement(query.as_bytes(), Some(given)).batch(false);
            self.run(command, |conn| conn.exec_batch(query, bulk))
                .await?;
            self.add_to(&mut done);
        }
        Ok(done)
    }

    async fn execute_rows(
        &mut self,
        query: &str,
        one_row: &OneRow<'_>,
        rows: Vec<Vec<Value>>,
    ) -> Result<Head, Error> {
        let mut done = Head::without_rows(0, None);
        let arity = rows.first().map_or(0, Vec::len);
        // Prepares the statement before anything is executed, so that a syntax error or a wrong number of parameters is
        // found first.
        self.prepare_with(query, arity).await?;
        let limit = self.bulk_limit();
        let mut rows = rows.into_iter();
        while rows.len() > 0 {
            let sizes = rows.as_slice().iter().map(|row| size(row));
            let count = batch(sizes, arity, limit);
            let text = one_row.times(count);
            let values: Vec<Value> = rows.by_ref().take(count).flatten().collect();
            let statement = self.prepare_with(&text, values.len()).await?;
            let command = self.statement(query.as_bytes(), Some(values.len()));
            self.run(command, |conn| conn.exec_drop(statement, values))
                .await?;
            self.add_to(&mut done);
        }
        Ok(done)
    }

    fn add_to(&self, done: &mut Head) {
        done.rowcount += self.affected_rows();
        done.last_insert_id = done.last_insert_id.or(self.last_insert_id());
    }

    fn bulk_limit(&self) -> usize {
        BULK_BYTES.min(self.server.max_packet / 2)
    }
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

/// Whether each column has one type in all rows.
fn is_uniform(rows: &[Vec<Value>]) -> bool {
    let mut types: Vec<Option<Discriminant<Value>>> = Vec::new();
    rows.iter().all(|row| {
        types.resize(row.len(), None);
        types.iter_mut().zip(row).all(|(known, value)| {
            let new = type_of(value);
            let fits = known.is_none() || new.is_none() || *known == new;
            *known = known.or(new);
            fits
        })
    })
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

/// Splits rows into bulks. The driver sends a bulk as one command, so the affected rows in its answer are those of all its
/// rows.
///
/// In a bulk each column has one type, or NULL: the driver tells the server one type for all rows of a command.
fn bulks(rows: Vec<Vec<Value>>, limit: usize) -> Vec<Vec<Vec<Value>>> {
    let mut bulks: Vec<Vec<Vec<Value>>> = Vec::new();
    let mut types: Vec<Option<Discriminant<Value>>> = Vec::new();
    let mut bytes = 0;
    for row in rows {
        let row_types: Vec<_> = row.iter().map(type_of).collect();
        let row_bytes = size(&row);
        let fits = !bulks.is_empty()
            && bytes + row_bytes <= limit
            && types
                .iter()
                .zip(&row_types)
                .all(|(known, new)| known.is_none() || new.is_none() || known == new);
        match bulks.last_mut() {
            Some(bulk) if fits => {
                bytes += row_bytes;
                for (known, new) in types.iter_mut().zip(row_types) {
                    *known = known.or(new);
                }
                bulk.push(row);
            }
            _ => {
                bytes = row_bytes;
                types = row_types;
                bulks.push(vec![row]);
            }
        }
    }
    bulks
}

fn type_of(value: &Value) -> Option<Discriminant<Value>> {
    (*value != Value::NULL).then(|| discriminant(value))
}

/// An upper limit for the bytes that a row takes on the wire.
fn size(row: &[Value]) -> usize {
    row.iter()
        .map(|value| match value {
            Value::Bytes(bytes) => bytes.len() + 10,
            _ => 14,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use mysql_async::params;

    use super::*;

    fn lengths(rows: Vec<Vec<Value>>, limit: usize) -> Vec<usize> {
        bulks(rows, limit).iter().map(Vec::len).collect()
    }

    #[test]
    fn rows_with_the_same_types_are_one_bulk() {
        let row = || vec![Value::Int(1), Value::Bytes(b"x".to_vec())];
        assert_eq!(lengths(vec![row(), row(), row()], 1000), [3]);
        assert!(lengths(vec![], 1000).is_empty());
    }

    #[test]
    fn a_bulk_ends_where_a_type_changes() {
        let rows = [
            Value::NULL,
            Value::Int(1),
            Value::NULL,
            Value::UInt(1),
            Value::UInt(2),
            Value::Int(-1),
        ];
        let rows = rows.into_iter().map(|value| vec![value]).collect();
        assert_eq!(lengths(rows, 1000), [3, 2, 1]);
    }

    #[test]
    fn a_bulk_ends_where_it_is_full() {
        let row = |length| vec![Value::Bytes(vec![0; length])];
        assert_eq!(lengths(vec![row(40), row(40), row(40)], 100), [2, 1]);
        assert_eq!(lengths(vec![row(400), row(1), row(400)], 100), [1, 1, 1]);
    }

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
    fn rows_are_uniform_where_only_nulls_differ() {
        let rows = |values: &[Value]| -> Vec<Vec<Value>> {
            values.iter().map(|value| vec![value.clone()]).collect()
        };
        assert!(is_uniform(&rows(&[
            Value::NULL,
            Value::Int(1),
            Value::NULL
        ])));
        assert!(!is_uniform(&rows(&[
            Value::Int(1),
            Value::NULL,
            Value::UInt(1)
        ])));
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
