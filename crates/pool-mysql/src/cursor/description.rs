//! The columns of a result.

use mysql_async::Column;
use mysql_async::consts::{ColumnFlags, ColumnType};

/// One column of a result: the seven fields of aiomysql's `description`, and what else the server says of the column.
///
/// # Examples
///
/// ```no_run
/// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
/// let mut cur = conn.cursor();
/// cur.execute("SELECT 1 AS one", ()).await?;
/// let columns = cur.description().expect("a SELECT has columns");
/// assert_eq!(columns[0].name(), "one");
/// # Ok(())
/// # }
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnDescription {
    name: String,
    column: Column,
}

impl ColumnDescription {
    /// The name, or its alias.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of the column in the protocol (`type_code`).
    pub fn column_type(&self) -> ColumnType {
        self.column.column_type()
    }

    /// The type's name, such as `LONG` or `VAR_STRING`.
    pub fn type_name(&self) -> String {
        let name = format!("{:?}", self.column_type());
        name.trim_start_matches("MYSQL_TYPE_").to_owned()
    }

    /// The display size in characters; always `None`, as in aiomysql.
    pub fn display_size(&self) -> Option<u32> {
        None
    }

    /// The maximum size of a value in bytes (`internal_size`).
    pub fn internal_size(&self) -> u32 {
        self.column.column_length()
    }

    /// The maximum number of digits (`precision`). The server counts it in bytes.
    pub fn precision(&self) -> u32 {
        self.column.column_length()
    }

    /// The number of digits after the decimal point (`scale`).
    pub fn scale(&self) -> u8 {
        self.column.decimals()
    }

    /// Whether a value can be NULL.
    pub fn null_ok(&self) -> bool {
        !self.column.flags().contains(ColumnFlags::NOT_NULL_FLAG)
    }

    /// The table of the column; empty if the column belongs to no table.
    pub fn table(&self) -> String {
        self.column.table_str().into_owned()
    }

    /// The column, as the driver's type.
    pub fn column(&self) -> &Column {
        &self.column
    }
}

pub(super) fn describe(columns: &[Column]) -> Vec<ColumnDescription> {
    columns
        .iter()
        .map(|column| ColumnDescription {
            name: column.name_str().into_owned(),
            column: column.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_says_what_it_is() {
        let column = Column::new(ColumnType::MYSQL_TYPE_NEWDECIMAL)
            .with_name(b"price")
            .with_column_length(12)
            .with_decimals(2)
            .with_flags(ColumnFlags::NOT_NULL_FLAG);
        let described = &describe(&[column])[0];
        assert_eq!(described.name(), "price");
        assert_eq!(described.type_name(), "NEWDECIMAL");
        assert_eq!(described.internal_size(), 12);
        assert_eq!(described.scale(), 2);
        assert!(!described.null_ok());
    }
}
