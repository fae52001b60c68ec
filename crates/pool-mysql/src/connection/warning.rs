//! A line of `SHOW WARNINGS`.

use std::fmt;

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row};

/// A note or warning of the server about a statement that it has executed.
///
/// # Examples
///
/// ```no_run
/// # async fn example(conn: &mut pool_mysql::Connection) -> pool_mysql::mysql_async::Result<()> {
/// let truncated = conn.show_warnings().await?.iter().any(|warning| warning.code == 1265);
/// # drop(truncated);
/// # Ok(())
/// # }
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Warning {
    /// `Note`, `Warning` or `Error`.
    pub level: String,
    /// The number of the warning or error.
    pub code: u16,
    /// The text of the server.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            level,
            code,
            message,
        } = self;
        write!(f, "{level} {code}: {message}")
    }
}

impl FromRow for Warning {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        let (level, code, message) = FromRow::from_row_opt(row)?;
        Ok(Self {
            level,
            code,
            message,
        })
    }
}
