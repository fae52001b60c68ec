//! Results that were not read to their end.

use std::time::{Duration, Instant};

use mysql_async::prelude::Protocol;
use mysql_async::{BinaryProtocol, Conn, Error, QueryResult, TextProtocol};

use crate::io_runtime::within;

/// How long the rest of a result may take; a new connection costs less than a long download.
const PATIENCE: Duration = Duration::from_millis(200);

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

/// Reads the rest of a result and drops it; `false` where that takes too long.
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
    while is_unread(&result) {
        if Instant::now() > until {
            return Ok(false);
        }
        match result.next().await {
            // An error ends the result; it belongs to the old statement.
            Ok(_) | Err(Error::Server(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}
