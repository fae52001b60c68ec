//! Reads an answer row by row.

use std::sync::Arc;

use mysql_async::prelude::Protocol;
use mysql_async::{BinaryProtocol, Column, Conn, QueryResult, Row, TextProtocol};

use crate::connection::Connection;
use crate::connection::time_limit::InTime;
use crate::error::closed;
use crate::transport::unread::{Form, skip_unread_result};

/// What comes before the rows of a result.
pub(crate) struct Front {
    /// Empty where the result can have no rows.
    pub(crate) columns: Arc<[Column]>,
    pub(crate) affected_rows: u64,
    pub(crate) last_insert_id: Option<u64>,
    /// Nothing is left to read: there are no rows, and no other result follows.
    pub(crate) is_all: bool,
}

/// One step in a result.
pub(crate) enum Step {
    Row(Row),
    /// The result has no more rows. The front of the next result, if there is one.
    End(Option<Front>),
}

/// The front of the next result, if there is one.
pub(crate) async fn front<P: Protocol>(
    result: &mut QueryResult<'_, 'static, P>,
) -> mysql_async::Result<Option<Front>> {
    let Some(columns) = result.columns() else {
        // This never waits. It fetches the error of the next statement, which the driver has kept.
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
        // This never waits. It tells the driver that the result was seen.
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
    /// As for a command: dropping the future after its first poll closes the connection.
    pub(crate) async fn step(&mut self) -> mysql_async::Result<Step> {
        if self.is_closed() {
            return Err(self.why_closed());
        }
        let kill = self.kill_if_dropped();
        let limit = self.time_limit();
        let Self {
            conn,
            state,
            signal,
            ..
        } = self;
        let conn = conn.as_mut().ok_or_else(closed)?;
        let form = state.before_rows();
        let read = async {
            match form {
                Form::Text => step::<TextProtocol>(conn).await,
                Form::Binary => step::<BinaryProtocol>(conn).await,
            }
        };
        let (result, told) = match &limit {
            None => (signal.guard(read).await, None),
            Some(limit) => match signal.guard(Box::pin(limit.wait(Box::pin(read)))).await {
                Some(InTime { result: None, .. }) => {
                    state.timed_out();
                    return Err(limit.given_up());
                }
                Some(InTime { result, told }) => (result, told),
                None => (None, None),
            },
        };
        kill.disarm();
        let more = match &result {
            Some(Ok(Step::Row(_))) => true,
            Some(Ok(Step::End(next))) => next.as_ref().is_some_and(|front| !front.is_all),
            Some(Err(_)) | None => false,
        };
        state.after_rows(result.as_ref(), more);
        state.told_to_end(told);
        match (result, limit) {
            (Some(result), Some(limit)) => limit.judge(result, told, |step| match step {
                Step::Row(_) | Step::End(None) => true,
                Step::End(Some(front)) => !front.columns.is_empty(),
            }),
            (Some(result), None) => result,
            (None, _) => Err(self.why_closed()),
        }
    }

    /// Reads the rest of an answer that is read row by row and drops it, within a budget. Returns `false` where the rest is
    /// too much; the connection is closed then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future after its first poll closes the connection.
    pub(crate) async fn skip_the_rest(&mut self) -> mysql_async::Result<bool> {
        if self.is_closed() {
            return Err(self.why_closed());
        }
        if !self.state.rows_left_behind() {
            return Ok(true);
        }
        let kill = self.kill_if_dropped();
        let Self {
            conn,
            state,
            signal,
            ..
        } = self;
        let conn = conn.as_mut().ok_or_else(closed)?;
        let form = state.before_rows();
        let result = signal.guard(skip_unread_result(conn, form)).await;
        state.after_rows(result.as_ref(), false);
        let Some(result) = result else {
            return Err(self.why_closed());
        };
        let is_through = result?;
        match is_through {
            true => kill.disarm(),
            false => {
                // The server may go on sending for long: nothing is read any more, and the server is told to stop.
                state.rows_given_up();
                drop(kill);
                self.close();
            }
        }
        Ok(is_through)
    }
}
