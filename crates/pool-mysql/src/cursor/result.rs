//! What a statement has answered.

use std::any::type_name;
use std::collections::VecDeque;
use std::fmt::Write;

use mysql_async::prelude::{FromRow, Protocol};
use mysql_async::{FromRowError, QueryResult, Row};

use super::description::{ColumnDescription, describe};
use crate::connection::answer::{Front, front};
use crate::error::Error;

/// What is known of a result beside its rows.
pub(super) struct Head {
    pub(super) description: Vec<ColumnDescription>,
    pub(super) rowcount: u64,
    pub(super) last_insert_id: Option<u64>,
}

impl Head {
    /// What a statement answers that was not needed, or has no rows to give.
    pub(super) fn without_rows(rowcount: u64, last_insert_id: Option<u64>) -> Self {
        Self {
            description: Vec::new(),
            rowcount,
            last_insert_id,
        }
    }

    pub(super) fn of(front: &Front) -> Self {
        Self {
            description: describe(&front.columns),
            rowcount: front.affected_rows,
            last_insert_id: front.last_insert_id,
        }
    }

    pub(super) fn columns(&self) -> Option<&[ColumnDescription]> {
        Some(&self.description[..]).filter(|columns| !columns.is_empty())
    }

    /// A row as a `T`, or the row and an error: values are never shown.
    pub(super) fn convert<T: FromRow>(&self, row: Row) -> Result<T, (Row, Error)> {
        T::from_row_opt(row).map_err(|FromRowError(row)| {
            let error = Error::Conversion {
                target: type_name::<T>(),
                columns: self.names_and_types(),
            };
            (row, error)
        })
    }

    fn names_and_types(&self) -> String {
        let mut text = format!("{} columns (", self.description.len());
        for (index, column) in self.description.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let _ = write!(text, "{comma}{} {}", column.name(), column.type_name());
        }
        text.push(')');
        text
    }
}

/// One result that was read to its end.
pub(super) struct ResultSet {
    pub(super) head: Head,
    /// All of them, also those that were fetched: a cursor can scroll back.
    pub(super) rows: Vec<Row>,
    /// The number of the row that is fetched next.
    pub(super) position: usize,
}

impl ResultSet {
    pub(super) fn new(head: Head, rows: Vec<Row>) -> Self {
        Self {
            head,
            rows,
            position: 0,
        }
    }

    pub(super) fn remaining(&self) -> usize {
        self.rows.len() - self.position
    }

    /// The next row as a `T`; one that does not fit stays.
    pub(super) fn next_row<T: FromRow>(&mut self) -> Result<Option<T>, Error> {
        let Some(row) = self.rows.get(self.position) else {
            return Ok(None);
        };
        match self.head.convert(row.clone()) {
            Ok(row) => {
                self.position += 1;
                Ok(Some(row))
            }
            Err((_, error)) => Err(error),
        }
    }
}

/// Reads everything that a statement answers; an error in it is the whole's error.
pub(super) async fn read_all<P: Protocol>(
    mut result: QueryResult<'_, 'static, P>,
) -> mysql_async::Result<VecDeque<ResultSet>> {
    let mut sets = VecDeque::new();
    while let Some(front) = front(&mut result).await? {
        let mut head = Head::of(&front);
        // Where there are no rows, this goes on to the next result.
        let rows = result.collect::<Row>().await?;
        if !head.description.is_empty() {
            head.rowcount = rows.len() as u64;
        }
        sets.push_back(ResultSet::new(head, rows));
    }
    // Where an error ends the results, it comes here.
    result.drop_result().await?;
    Ok(sets)
}
