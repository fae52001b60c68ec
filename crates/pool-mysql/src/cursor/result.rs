//! The results of a statement.

use std::collections::VecDeque;

use mysql_async::prelude::{FromRow, Protocol};
use mysql_async::{QueryResult, Row, ServerError};

use super::description::{ColumnDescription, describe};
use super::fit::WantedTexts;
use super::typed::Typing;
use crate::connection::answer::{Front, front};
use crate::error::Error;

/// A result without its rows.
pub(super) struct Head {
    pub(super) description: Vec<ColumnDescription>,
    pub(super) rowcount: u64,
    pub(super) last_insert_id: Option<u64>,
    pub(super) wanted: WantedTexts,
}

impl Head {
    /// The result of a statement that returns no rows, or that did not have to be executed.
    pub(super) fn without_rows(rowcount: u64, last_insert_id: Option<u64>) -> Self {
        Self {
            description: Vec::new(),
            rowcount,
            last_insert_id,
            wanted: WantedTexts::default(),
        }
    }

    pub(super) fn of(front: &Front) -> Self {
        Self {
            description: describe(&front.columns),
            rowcount: front.affected_rows,
            last_insert_id: front.last_insert_id,
            wanted: WantedTexts::default(),
        }
    }

    pub(super) fn columns(&self) -> Option<&[ColumnDescription]> {
        Some(&self.description[..]).filter(|columns| !columns.is_empty())
    }
}

/// A result that was read completely.
pub(super) struct ResultSet {
    pub(super) head: Head,
    /// All rows, also those that were fetched: a cursor can scroll back.
    pub(super) rows: Vec<Row>,
    /// The number of the next row to be fetched.
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

    /// The next row as a `T`. A row that does not fit stays.
    pub(super) fn next_row<T: FromRow>(&mut self) -> Result<Option<T>, Error> {
        let Some(row) = self.rows.get(self.position) else {
            return Ok(None);
        };
        match self.head.wanted.convert(row.clone()) {
            Ok(row) => {
                self.position += 1;
                Ok(Some(row))
            }
            Err((_, error)) => Err(error),
        }
    }
}

/// All results of a statement, and how they have ended.
pub(super) struct AllResults {
    pub(super) sets: VecDeque<ResultSet>,
    /// The server's error for a later statement in the text. The statements after that one were not executed.
    pub(super) error: Option<ServerError>,
}

/// Reads all results of a statement. The server's error in a later one does not lose those before it.
pub(super) async fn read_all<P: Protocol>(
    mut result: QueryResult<'_, 'static, P>,
) -> mysql_async::Result<AllResults> {
    let mut sets = VecDeque::new();
    loop {
        match read_next(&mut result).await {
            Ok(Some(set)) => sets.push_back(set),
            Ok(None) => return Ok(AllResults { sets, error: None }),
            Err(mysql_async::Error::Server(error)) if !sets.is_empty() => {
                return Ok(AllResults {
                    sets,
                    error: Some(error),
                });
            }
            Err(error) => return Err(error),
        }
    }
}

async fn read_next<P: Protocol>(
    result: &mut QueryResult<'_, 'static, P>,
) -> mysql_async::Result<Option<ResultSet>> {
    let Some(front) = front(result).await? else {
        return Ok(None);
    };
    let mut head = Head::of(&front);
    // This also moves to the next result.
    let mut rows = result.collect::<Row>().await?;
    let typing = Typing::of(&front.columns);
    rows.iter_mut().for_each(|row| typing.apply(row));
    if !head.description.is_empty() {
        head.rowcount = rows.len() as u64;
    }
    Ok(Some(ResultSet::new(head, rows)))
}
