//! Results that were read to their end.

use std::any::type_name;
use std::collections::VecDeque;
use std::fmt::Write;

use mysql_async::prelude::{FromRow, Protocol};
use mysql_async::{FromRowError, QueryResult, Row};

use super::description::{ColumnDescription, describe};
use crate::error::Error;

/// One result: rows, or how many were changed.
pub(super) struct ResultSet {
    pub(super) description: Vec<ColumnDescription>,
    rows: VecDeque<Row>,
    pub(super) rowcount: u64,
    pub(super) last_insert_id: Option<u64>,
}

impl ResultSet {
    /// What a statement answers that was not needed.
    pub(super) fn without_rows(rowcount: u64, last_insert_id: Option<u64>) -> Self {
        Self {
            description: Vec::new(),
            rows: VecDeque::new(),
            rowcount,
            last_insert_id,
        }
    }

    pub(super) fn remaining(&self) -> usize {
        self.rows.len()
    }

    /// The next row as a `T`; one that does not fit stays.
    pub(super) fn next_row<T: FromRow>(&mut self) -> Result<Option<T>, Error> {
        let Some(row) = self.rows.pop_front() else {
            return Ok(None);
        };
        match T::from_row_opt(row) {
            Ok(row) => Ok(Some(row)),
            Err(FromRowError(row)) => {
                self.rows.push_front(row);
                Err(Error::Conversion {
                    target: type_name::<T>(),
                    columns: self.columns(),
                })
            }
        }
    }

    /// Names and types, for an error: values are never shown.
    fn columns(&self) -> String {
        let mut text = format!("{} columns (", self.description.len());
        for (index, column) in self.description.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let _ = write!(text, "{comma}{} {}", column.name(), column.type_name());
        }
        text.push(')');
        text
    }
}

/// Reads everything that a statement answers; an error in it is the whole's error.
pub(super) async fn read_all<P: Protocol>(
    mut result: QueryResult<'_, 'static, P>,
) -> mysql_async::Result<VecDeque<ResultSet>> {
    let mut sets = VecDeque::new();
    while let Some(columns) = result.columns() {
        let set = match columns.is_empty() {
            true => {
                let set = ResultSet::without_rows(result.affected_rows(), result.last_insert_id());
                result.collect::<Row>().await?;
                set
            }
            false => {
                let rows = VecDeque::from(result.collect::<Row>().await?);
                ResultSet {
                    description: describe(&columns),
                    rowcount: rows.len() as u64,
                    rows,
                    last_insert_id: None,
                }
            }
        };
        sets.push_back(set);
    }
    // Where an error ends the results, it comes here.
    result.drop_result().await?;
    Ok(sets)
}
