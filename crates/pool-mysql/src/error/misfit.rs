//! The value that keeps a row from being the requested type.

use std::fmt;

/// The value that does not fit the requested type: in which column it is, and of which kind.
///
/// It does not contain the value itself, which nobody may want to see in a log. [`Error::Conversion`](crate::Error::Conversion)
/// has it.
///
/// # Examples
///
/// ```no_run
/// use pool_mysql::Error;
///
/// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), Error> {
/// let mut cur = conn.cursor();
/// cur.execute("SELECT 1 AS id, NULL AS age", ()).await?;
/// if let Err(Error::Conversion { misfit: Some(misfit), .. }) = cur.fetchone::<(u64, u8)>().await {
///     assert_eq!((misfit.index(), misfit.name(), misfit.is_null()), (1, "age", true));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) column_type: String,
    pub(crate) holds: &'static str,
}

/// What [`Misfit::holds`] says of a NULL.
pub(crate) const NULL: &str = "NULL";

impl Misfit {
    /// The number of the column, counted from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The name of the column.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of the column, such as `LONG` or `VAR_STRING`.
    pub fn column_type(&self) -> &str {
        &self.column_type
    }

    /// The kind of the value: `NULL`, `an integer`, `a floating-point number`, `text or bytes`, `a date` or `a time`.
    pub fn holds(&self) -> &'static str {
        self.holds
    }

    /// Whether the value is NULL, which fits only an `Option`.
    pub fn is_null(&self) -> bool {
        self.holds == NULL
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            index,
            name,
            column_type,
            holds,
        } = self;
        write!(f, "column {index} ({name}, {column_type}) holds {holds}")
    }
}
