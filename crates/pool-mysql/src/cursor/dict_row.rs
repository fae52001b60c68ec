//! A row as a map.

use std::borrow::Cow;
use std::fmt;

use mysql_async::prelude::{FromRow, FromValue};
use mysql_async::{Column, FromRowError, Row, Value};

use super::fit::convert_value;
use crate::error::Error;

/// A row as a map from column names to values, in the order of the columns.
///
/// If two columns have the same name, the later one is called `table.name`, as in aiomysql. Every row can be converted
/// into a `Dict`: `cur.fetchall::<Dict>()` works on every cursor.
///
/// # Examples
///
/// ```no_run
/// use std::collections::HashMap;
///
/// use pool_mysql::Dict;
/// use pool_mysql::mysql_async::Value;
///
/// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
/// let mut cur = conn.cursor();
/// cur.execute("SELECT 'Ada' AS name, 36 AS age", ()).await?;
/// let row: Dict = cur.fetchone().await?.expect("one row");
/// assert_eq!(row.get::<u8>("age")?, 36);
/// let map: HashMap<String, Value> = row.into_iter().collect();
/// assert_eq!(map["name"], Value::from("Ada"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq)]
pub struct Dict {
    row: Row,
}

impl FromRow for Dict {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        Ok(Self { row })
    }
}

impl Dict {
    /// The number of columns.
    pub fn len(&self) -> usize {
        self.row.len()
    }

    /// Whether the row has no columns.
    pub fn is_empty(&self) -> bool {
        self.row.is_empty()
    }

    /// The value of a column as a `T`.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchColumn`], or [`Error::Conversion`] if the value does not fit `T`. A NULL fits only an `Option`.
    pub fn get<T: FromValue>(&self, name: &str) -> Result<T, Error> {
        let index = self.index(name).ok_or_else(|| Error::NoSuchColumn {
            name: name.to_owned(),
        })?;
        let value = self.row.as_ref(index).unwrap_or(&Value::NULL);
        convert_value(value, &self.row.columns_ref()[index], index)
    }

    /// The value of a column, as the driver's type; `None` if there is no such column.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.row.as_ref(self.index(name)?)
    }

    /// The columns, each with its name and value.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, &Value)> {
        let columns = self.row.columns_ref();
        (0..columns.len())
            .filter_map(|index| Some((name_of(columns, index), self.row.as_ref(index)?)))
    }

    /// The row, as the driver's type.
    pub fn into_row(self) -> Row {
        self.row
    }

    fn index(&self, name: &str) -> Option<usize> {
        let columns = self.row.columns_ref();
        let first = columns
            .iter()
            .position(|column| column.name_ref() == name.as_bytes());
        first.or_else(|| (0..columns.len()).find(|index| name_of(columns, *index) == name))
    }
}

/// The key of a column: its name, or `table.name` if a column before it has the same name.
fn name_of(columns: &[Column], index: usize) -> Cow<'_, str> {
    let column = &columns[index];
    let before = &columns[..index];
    match before
        .iter()
        .any(|other| other.name_ref() == column.name_ref())
    {
        true => format!("{}.{}", column.table_str(), column.name_str()).into(),
        false => column.name_str(),
    }
}

impl IntoIterator for Dict {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(mut self) -> Self::IntoIter {
        let columns = self.row.columns();
        let pairs: Vec<(String, Value)> = (0..columns.len())
            .filter_map(|index| {
                let value = self.row.take_opt(index)?.ok()?;
                Some((name_of(&columns, index).into_owned(), value))
            })
            .collect();
        pairs.into_iter()
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use mysql_async::consts::ColumnType;

    use super::*;

    fn column(table: &str, name: &str) -> Column {
        Column::new(ColumnType::MYSQL_TYPE_LONG)
            .with_table(table.as_bytes())
            .with_name(name.as_bytes())
    }

    #[test]
    fn a_name_that_is_there_twice_gets_its_table() {
        let columns = [
            column("a", "id"),
            column("a", "x"),
            column("b", "id"),
            column("b", "y"),
        ];
        let names: Vec<_> = (0..4).map(|index| name_of(&columns, index)).collect();
        assert_eq!(names, ["id", "x", "b.id", "y"]);
    }
}
