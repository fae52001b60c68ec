//! Which value of a row does not fit the type that a caller asks for.

use std::any::type_name;
use std::fmt::Write;

use mysql_async::prelude::FromRow;
use mysql_async::{Column, Row, Value};

use super::description::describe;
use crate::error::Error;
use crate::error::misfit::{Misfit, NULL};

/// The error for a row that does not fit `T`, nor does it with its numbers, dates and times as `texts`.
pub(super) fn of_row<T: FromRow>(row: &Row, texts: &Row) -> Error {
    let columns = row.columns_ref();
    let is_count_wrong = arity(type_name::<T>()).is_some_and(|arity| arity != columns.len());
    let misfit = match is_count_wrong {
        true => None,
        false => culprit::<T>(texts),
    };
    let misfit = misfit.and_then(|index| {
        let value = row.as_ref(index)?;
        Some(Box::new(about(value, &columns[index], index)))
    });
    Error::Conversion {
        target: type_name::<T>(),
        columns: listed(row),
        misfit,
    }
}

/// The error for a value that does not fit `T`.
pub(super) fn of_value<T>(value: &Value, column: &Column, index: usize) -> Error {
    let described = &describe(std::slice::from_ref(column))[0];
    Error::Conversion {
        target: type_name::<T>(),
        columns: format!("1 column ({} {})", described.name(), described.type_name()),
        misfit: Some(Box::new(about(value, column, index))),
    }
}

fn about(value: &Value, column: &Column, index: usize) -> Misfit {
    let described = &describe(std::slice::from_ref(column))[0];
    Misfit {
        index,
        name: described.name().to_owned(),
        column_type: described.type_name(),
        holds: holds(value),
    }
}

fn holds(value: &Value) -> &'static str {
    match value {
        Value::NULL => NULL,
        Value::Bytes(_) => "text or bytes",
        Value::Int(_) | Value::UInt(_) => "an integer",
        Value::Float(_) | Value::Double(_) => "a floating-point number",
        Value::Date(..) => "a date",
        Value::Time(..) => "a time",
    }
}

/// All columns, with what they hold.
fn listed(row: &Row) -> String {
    let mut text = format!("{} columns (", row.len());
    for (index, column) in describe(row.columns_ref()).iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        let _ = write!(text, "{comma}{} {}", column.name(), column.type_name());
        if row.as_ref(index) == Some(&Value::NULL) {
            text.push_str(" NULL");
        }
    }
    text.push(')');
    text
}

/// How many columns a tuple takes, from its name; `None` for other types.
fn arity(name: &str) -> Option<usize> {
    let inside = name.strip_prefix('(')?.strip_suffix(')')?;
    let (mut depth, mut full) = (0_usize, 0);
    let mut is_last_empty = true;
    for char in inside.chars() {
        match char {
            '(' | '<' | '[' => depth += 1,
            ')' | '>' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let ends_part = char == ',' && depth == 0;
        full += usize::from(ends_part);
        is_last_empty = ends_part || (is_last_empty && char == ' ');
    }
    Some(full + usize::from(!is_last_empty))
}

/// The column whose value keeps the row from being a `T`.
fn culprit<T: FromRow>(row: &Row) -> Option<usize> {
    if row.len() == 1 {
        return Some(0);
    }
    // The one with which any other value would do.
    let replaced = (0..row.len()).find(|index| {
        usual_values().into_iter().any(|value| {
            let mut row = row.clone();
            row.place(*index, value);
            T::from_row_opt(row).is_ok()
        })
    });
    replaced.or_else(|| first_null(row))
}

/// If several values do not fit, and one is NULL, it is the likeliest.
fn first_null(row: &Row) -> Option<usize> {
    (0..row.len()).find(|index| row.as_ref(*index) == Some(&Value::NULL))
}

/// One of these fits nearly every type.
fn usual_values() -> [Value; 9] {
    [
        Value::Int(0),
        Value::NULL,
        Value::Double(0.0),
        Value::from(""),
        Value::from("0"),
        Value::from("{}"),
        Value::from("2000-01-01"),
        Value::from("2000-01-01 00:00:00"),
        Value::from("00:00:00"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tuple_says_how_many_columns_it_takes() {
        assert_eq!(arity(type_name::<(u8, String)>()), Some(2));
        assert_eq!(arity(type_name::<(Option<Vec<u8>>,)>()), Some(1));
        assert_eq!(
            arity(type_name::<(u8, Result<u8, (u8, u8)>, u8)>()),
            Some(3)
        );
        assert_eq!(arity(type_name::<([u8; 4], (u8, u8))>()), Some(2));
        assert_eq!(arity(type_name::<Vec<u8>>()), None);
    }
}
