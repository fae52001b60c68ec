//! Results that were not read to their end.

use std::time::{Duration, Instant};

use mysql_async::prelude::Protocol;
use mysql_async::{BinaryProtocol, Conn, Error, QueryResult, Row, TextProtocol, Value};

use crate::transport::io_runtime::within;

/// How long the rest of a result may take; a new connection costs less than a long download.
const PATIENCE: Duration = Duration::from_millis(200);

/// How many bytes the rest of a result may have, for the same reason.
const BYTES: usize = 1024 * 1024;

/// In which of the protocol's two forms rows come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    #[default]
    Text,
    Binary,
}

/// Whether the server has more to say about the last statement.
///
/// A pending error is not seen: the next command of the driver returns it.
pub(crate) fn has_unread_result(conn: &mut Conn) -> bool {
    is_unread(&QueryResult::<TextProtocol>::new(conn))
}

/// The flag that says that more results follow is not enough: the driver reads flags into the answer to a PREPARE.
fn is_unread<P: Protocol>(result: &QueryResult<'_, 'static, P>) -> bool {
    result.columns().is_some() && !result.is_empty()
}

/// Reads the rest of a result and drops it; `false` where that takes too long or is too much.
///
/// The driver does so before each command, but to the end, and where the server is quick in a single poll.
pub(crate) async fn skip_unread_result(conn: &mut Conn, form: Form) -> mysql_async::Result<bool> {
    let until = Instant::now() + PATIENCE;
    let skipped = match form {
        Form::Text => within(Some(PATIENCE), skip::<TextProtocol>(conn, until)).await,
        Form::Binary => within(Some(PATIENCE), skip::<BinaryProtocol>(conn, until)).await,
    };
    skipped.unwrap_or(Ok(false))
}

async fn skip<P: Protocol>(conn: &mut Conn, until: Instant) -> mysql_async::Result<bool> {
    let mut result = QueryResult::<P>::new(conn);
    let mut left = BYTES;
    while is_unread(&result) {
        if left == 0 || Instant::now() > until {
            return Ok(false);
        }
        match result.next().await {
            Ok(Some(row)) => left = left.saturating_sub(size(&row)),
            // An error ends the result; it belongs to the old statement.
            Ok(None) | Err(Error::Server(_)) => {}
            Err(error) => return Err(error),
        }
    }
    // The error of a statement behind the last result: the driver keeps it for the next command.
    match result.next().await {
        Ok(_) | Err(Error::Server(_)) => Ok(true),
        Err(error) => Err(error),
    }
}

/// How many bytes a row takes, more or less.
fn size(row: &Row) -> usize {
    let values = (0..row.len()).filter_map(|index| row.as_ref(index));
    values
        .map(|value| match value {
            Value::Bytes(bytes) => bytes.len() + 4,
            _ => 8,
        })
        .sum()
}
