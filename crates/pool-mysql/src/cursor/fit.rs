//! Rows and values as the types that a caller asks for.

use std::any::type_name;

use mysql_async::prelude::{FromRow, FromValue};
use mysql_async::{Column, FromRowError, Row, Value, from_value_opt};

use super::misfit;
use super::printed::printed;
use crate::error::Error;

/// Which columns of a result a type wants as texts: numbers, dates and times that it reads into a `String`.
///
/// It is found out at the first row, for the last type that was asked for.
#[derive(Default)]
pub(super) struct WantedTexts {
    of_type: &'static str,
    columns: Vec<usize>,
}

impl WantedTexts {
    /// A row as a `T`; on failure it returns the row with the error. The error shows no values.
    pub(super) fn convert<T: FromRow>(&mut self, row: Row) -> Result<T, (Row, Error)> {
        let name = type_name::<T>();
        if !self.columns.is_empty() && self.of_type == name {
            let texts = with_texts(row.clone(), &self.columns);
            if let Ok(converted) = T::from_row_opt(texts) {
                return Ok(converted);
            }
        }
        let row = match T::from_row_opt(row) {
            Ok(converted) => return Ok(converted),
            Err(FromRowError(row)) => row,
        };
        let all: Vec<usize> = (0..row.len())
            .filter(|index| has_text(&row, *index))
            .collect();
        let texts = with_texts(row.clone(), &all);
        match T::from_row_opt(texts) {
            Ok(converted) if all.len() < 2 => {
                (self.of_type, self.columns) = (name, all);
                Ok(converted)
            }
            Ok(_) => {
                let needed = needed::<T>(&row, all);
                let texts = with_texts(row.clone(), &needed);
                (self.of_type, self.columns) = (name, needed);
                T::from_row_opt(texts).map_err(|FromRowError(texts)| {
                    let error = misfit::of_row::<T>(&row, &texts);
                    (row, error)
                })
            }
            Err(FromRowError(texts)) => {
                let error = misfit::of_row::<T>(&row, &texts);
                Err((row, error))
            }
        }
    }
}

/// Those of the columns that `T` takes only as texts.
fn needed<T: FromRow>(row: &Row, all: Vec<usize>) -> Vec<usize> {
    let mut needed = all;
    let mut at = 0;
    while at < needed.len() {
        let mut fewer = needed.clone();
        fewer.remove(at);
        match T::from_row_opt(with_texts(row.clone(), &fewer)) {
            Ok(_) => needed = fewer,
            Err(_) => at += 1,
        }
    }
    needed
}

fn has_text(row: &Row, index: usize) -> bool {
    let value = row.as_ref(index);
    value.is_some_and(|value| !matches!(value, Value::NULL | Value::Bytes(_)))
}

fn with_texts(mut row: Row, columns: &[usize]) -> Row {
    for &index in columns {
        let column = &row.columns_ref()[index];
        if let Some(text) = row.as_ref(index).and_then(|value| printed(value, column)) {
            row.place(index, Value::Bytes(text));
        }
    }
    row
}

/// A value as a `T`.
pub(super) fn convert_value<T: FromValue>(
    value: &Value,
    column: &Column,
    index: usize,
) -> Result<T, Error> {
    from_value_opt(value.clone())
        .or_else(|error| match printed(value, column) {
            Some(text) => from_value_opt(Value::Bytes(text)),
            None => Err(error),
        })
        .map_err(|_| misfit::of_value::<T>(value, column, index))
}
