//! One statement with many sets of parameters.

use std::mem::{Discriminant, discriminant};

use mysql_async::prelude::Queryable;
use mysql_async::{Params, Value};

use super::Cursor;
use super::result::ResultSet;
use crate::error::Error;

/// The most bytes of parameters that go to the server at once.
const BULK_BYTES: usize = 4 * 1024 * 1024;

impl Cursor<'_> {
    /// Executes a statement once for each set of parameters; returns how many rows were changed in all.
    ///
    /// A MariaDB server gets the sets of an INSERT, REPLACE, UPDATE or DELETE many at a time. It is no transaction: with
    /// autocommit on, sets before one that fails stay.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute), from the first set that fails.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection: nobody can know how far the server came.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// let mut cur = conn.cursor();
    /// let people = [("Ada", 36), ("Grace", 85)];
    /// let rows = cur.executemany("INSERT INTO people (name, age) VALUES (?, ?)", people).await?;
    /// assert_eq!(rows, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn executemany<P, I>(
        &mut self,
        query: impl AsRef<str> + Send,
        params: I,
    ) -> Result<u64, Error>
    where
        I: IntoIterator<Item = P> + Send,
        P: Into<Params> + Send,
    {
        self.clear()?;
        let query = query.as_ref();
        let sets: Vec<Params> = params.into_iter().map(Into::into).collect();
        match self.takes_bulk(query) {
            true => match rows(sets) {
                Ok(rows) => self.execute_bulk(query, rows).await,
                Err(sets) => self.execute_each(query, sets).await,
            },
            false => self.execute_each(query, sets).await,
        }
    }

    async fn execute_each(&mut self, query: &str, sets: Vec<Params>) -> Result<u64, Error> {
        let mut changed = 0;
        for params in sets {
            changed += self.execute(query, params).await?;
        }
        self.rowcount = changed;
        Ok(changed)
    }

    async fn execute_bulk(&mut self, query: &str, rows: Vec<Vec<Value>>) -> Result<u64, Error> {
        let mut changed = 0;
        let mut first_id = None;
        let limit = BULK_BYTES.min(self.conn.server.max_packet / 2);
        let arity = rows.first().map_or(0, Vec::len);
        self.prepare(query, arity).await?;
        for bulk in bulks(rows, limit) {
            let given = arity * bulk.len();
            let command = self.conn.statement(query.as_bytes(), Some(given));
            self.conn
                .run(command, |conn| conn.exec_batch(query, bulk))
                .await?;
            changed += self.conn.affected_rows();
            first_id = first_id.or(self.conn.last_insert_id());
        }
        self.rowcount = changed;
        self.sets
            .push_back(ResultSet::without_rows(changed, first_id));
        Ok(changed)
    }

    /// Whether the server takes many sets of this statement's parameters at once.
    fn takes_bulk(&self, query: &str) -> bool {
        let mut words = query.split_ascii_whitespace();
        let verb = words.next().unwrap_or_default();
        self.conn.is_mariadb()
            && self.conn.server_version() >= (10, 2, 0)
            && ["INSERT", "REPLACE", "UPDATE", "DELETE"]
                .iter()
                .any(|bulk| verb.eq_ignore_ascii_case(bulk))
            && !words.any(|word| word.eq_ignore_ascii_case("RETURNING"))
    }
}

/// The sets as rows; what is no row is given back.
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

/// Cuts rows into pieces that the driver sends as one command each, so that the server's one answer counts all of it.
///
/// A piece has one type for each column (and NULLs): the driver tells the server one type for all rows of a command.
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

/// How many bytes a row takes on the wire, or a little more.
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
    use super::*;

    fn lengths(rows: Vec<Vec<Value>>, limit: usize) -> Vec<usize> {
        bulks(rows, limit).iter().map(Vec::len).collect()
    }

    #[test]
    fn rows_of_one_kind_go_together() {
        let row = || vec![Value::Int(1), Value::Bytes(b"x".to_vec())];
        assert_eq!(lengths(vec![row(), row(), row()], 1000), [3]);
        assert!(lengths(vec![], 1000).is_empty());
    }

    #[test]
    fn a_piece_ends_where_a_type_changes() {
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
    fn a_piece_ends_where_it_is_full() {
        let row = |length| vec![Value::Bytes(vec![0; length])];
        assert_eq!(lengths(vec![row(40), row(40), row(40)], 100), [2, 1]);
        assert_eq!(lengths(vec![row(400), row(1), row(400)], 100), [1, 1, 1]);
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
