//! Reading on in an answer whose rows are taken one by one.

use std::sync::Arc;

use mysql_async::prelude::Protocol;
use mysql_async::{BinaryProtocol, Column, Conn, Error, QueryResult, Row, TextProtocol};

use crate::connection::Connection;
use crate::error::closed;
use crate::session::state::Gate;
use crate::transport::unread::{Form, skip_unread_result};

/// What stands at the front of a result.
pub(crate) struct Front {
    /// Empty where the result has no rows to give.
    pub(crate) columns: Arc<[Column]>,
    pub(crate) affected_rows: u64,
    pub(crate) last_insert_id: Option<u64>,
    /// There are no rows, and no other result follows: nothing is left to read.
    pub(crate) is_all: bool,
}

/// One step in a result.
pub(crate) enum Step {
    Row(Row),
    /// It has no more rows; the next result, if there is one, begins so.
    End(Option<Front>),
}

/// The front of the result that comes next, if one does.
pub(crate) async fn front<P: Protocol>(
    result: &mut QueryResult<'_, 'static, P>,
) -> mysql_async::Result<Option<Front>> {
    let Some(columns) = result.columns() else {
        // It never waits: the driver keeps the error of the statement that would be next.
        result.next().await?;
        return Ok(None);
    };
    let has_rows = !columns.is_empty();
    let front = Front {
        affected_rows: if has_rows { 0 } else { result.affected_rows() },
        last_insert_id: result.last_insert_id().filter(|_| !has_rows),
        is_all: result.is_empty(),
        columns,
    };
    if front.is_all {
        // It never waits: this only tells the driver that somebody has seen it.
        result.next().await?;
    }
    Ok(Some(front))
}

async fn step<P: Protocol>(conn: &mut Conn) -> mysql_async::Result<Step> {
    let mut result = QueryResult::<P>::new(conn);
    match result.next().await? {
        Some(row) => Ok(Step::Row(row)),
        None => Ok(Step::End(front(&mut result).await?)),
    }
}

impl Connection {
    /// The next row of the answer to the last statement; nothing is sent.
    ///
    /// # Cancel safety
    ///
    /// As a command's: dropping the future after its first poll shuts the gate for good.
    pub(crate) async fn step(&mut self) -> mysql_async::Result<Step> {
        if self.is_closed() {
            return Err(closed());
        }
        let kill = self.kill_if_dropped();
        let Self { conn, gate, .. } = self;
        let conn = conn.as_mut().ok_or_else(closed)?;
        gate.busy = true;
        let form = gate.form;
        let read = async {
            match form {
                Form::Text => step::<TextProtocol>(conn).await,
                Form::Binary => step::<BinaryProtocol>(conn).await,
            }
        };
        let result = gate.signal.guard(read).await;
        kill.disarm();
        let result = has_come(gate, result);
        gate.streams = match &result {
            Ok(Step::Row(_)) => true,
            Ok(Step::End(next)) => next.as_ref().is_some_and(|front| !front.is_all),
            Err(_) => false,
        };
        result
    }

    /// Reads the rest of an answer that is read row by row and drops it, within a budget; `false`, and the connection is
    /// closed, where that is too much.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future after its first poll shuts the gate for good.
    pub(crate) async fn skip_the_rest(&mut self) -> mysql_async::Result<bool> {
        if self.is_closed() {
            return Err(closed());
        }
        if !std::mem::take(&mut self.gate.streams) {
            return Ok(true);
        }
        let kill = self.kill_if_dropped();
        let Self { conn, gate, .. } = self;
        let conn = conn.as_mut().ok_or_else(closed)?;
        gate.busy = true;
        let form = gate.form;
        let result = gate.signal.guard(skip_unread_result(conn, form)).await;
        let is_through = has_come(gate, result)?;
        match is_through {
            true => kill.disarm(),
            false => {
                // Nothing is read any more; the server may have a lot more to do for it, and is told.
                self.gate.busy = true;
                drop(kill);
                self.close();
            }
        }
        Ok(is_through)
    }
}

/// Opens the gate again where the driver is done; nobody knows what an aborted connection would have answered.
fn has_come<T>(gate: &mut Gate, result: Option<mysql_async::Result<T>>) -> mysql_async::Result<T> {
    let result = result.ok_or_else(closed)?;
    gate.busy = matches!(result, Err(Error::Io(_)));
    result
}
