//! Results that were not read to their end.

use std::time::{Duration, Instant};

use mysql_async::prelude::Protocol;
use mysql_async::{BinaryProtocol, Conn, Error, QueryResult, Row, TextProtocol, Value};

use crate::transport::io_runtime::within;

/// How long reading the rest of a result may take. A new connection costs less than a long download.
const TIME_BUDGET: Duration = Duration::from_millis(200);

/// How many bytes the rest of a result may have, for the same reason.
const BYTE_BUDGET: usize = 1024 * 1024;

/// The two forms of rows in the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    #[default]
    Text,
    Binary,
}

/// Whether the answer to the last statement was not read to its end.
///
/// A pending error does not count: the next command of the driver returns it.
pub(crate) fn has_unread_result(conn: &mut Conn) -> bool {
    is_unread(&QueryResult::<TextProtocol>::new(conn))
}

/// The flag for further results is not used, because the driver reads wrong flags in the answer to a PREPARE.
fn is_unread<P: Protocol>(result: &QueryResult<'_, 'static, P>) -> bool {
    result.columns().is_some() && !result.is_empty()
}

/// Reads the rest of a result and drops it. Returns `false` where the rest takes too long or is too much.
///
/// The driver does the same before each command, but without a limit, and with a quick server in a single poll.
pub(crate) async fn skip_unread_result(conn: &mut Conn, form: Form) -> mysql_async::Result<bool> {
    let until = Instant::now() + TIME_BUDGET;
    let skipped = match form {
        Form::Text => within(Some(TIME_BUDGET), skip::<TextProtocol>(conn, until)).await,
        Form::Binary => within(Some(TIME_BUDGET), skip::<BinaryProtocol>(conn, until)).await,
    };
    skipped.unwrap_or(Ok(false))
}

async fn skip<P: Protocol>(conn: &mut Conn, until: Instant) -> mysql_async::Result<bool> {
    let mut result = QueryResult::<P>::new(conn);
    let mut left = BYTE_BUDGET;
    while is_unread(&result) {
        if left == 0 || Instant::now() > until {
            return Ok(false);
        }
        match result.next().await {
            Ok(Some(row)) => left = left.saturating_sub(size(&row)),
            // The error belongs to the old statement, and ends its result.
            Ok(None) | Err(Error::Server(_)) => {}
            Err(error) => return Err(error),
        }
    }
    // This fetches the error of a statement behind the last result, which the driver would return for the next command.
    match result.next().await {
        Ok(_) | Err(Error::Server(_)) => Ok(true),
        Err(error) => Err(error),
    }
}

/// About how many bytes a row takes.
fn size(row: &Row) -> usize {
    let values = (0..row.len()).filter_map(|index| row.as_ref(index));
    values
        .map(|value| match value {
            Value::Bytes(bytes) => bytes.len() + 4,
            _ => 8,
        })
        .sum()
}
