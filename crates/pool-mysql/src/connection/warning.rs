//! A line of `SHOW WARNINGS`.

use std::fmt;

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row};

/// What the server had to say about a statement that it has carried out.
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
    /// The server's number for it.
    pub code: u16,
    /// The server's words.
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
