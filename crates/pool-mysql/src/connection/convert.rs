//! Rows of the driver as the types that a caller asks for.

use mysql_async::prelude::FromRow;
use mysql_async::{DriverError, FromRowError, Row};

/// A row as a `T`. A row that does not fit is an error; the driver would panic.
pub(crate) fn convert<T: FromRow>(row: Row) -> mysql_async::Result<T> {
    T::from_row_opt(row).map_err(|FromRowError(row)| DriverError::FromRow { row }.into())
}

pub(crate) fn convert_all<T: FromRow>(rows: Vec<Row>) -> mysql_async::Result<Vec<T>> {
    rows.into_iter().map(convert).collect()
}
