//! Splits rows of parameters into bulks.

use std::mem::{Discriminant, discriminant};

use mysql_async::Value;

/// Splits rows into bulks. The driver sends a bulk as one command, so the affected rows in its answer are those of all its
/// rows.
///
/// In a bulk each column has one type, or NULL: the driver tells the server one type for all rows of a command.
pub(super) fn bulks(rows: Vec<Vec<Value>>, limit: usize) -> Vec<Vec<Vec<Value>>> {
    let mut bulks: Vec<Vec<Vec<Value>>> = Vec::new();
    let mut types: Vec<Option<Discriminant<Value>>> = Vec::new();
    let mut bytes = 0;
    for row in rows {
        let row_types: Vec<_> = row.iter().map(type_of).collect();
        let row_bytes = size(&row);
        let fits = !bulks.is_empty()
            && bytes + row_bytes <= limit
            && types
                .iter()
                .zip(&row_types)
                .all(|(known, new)| known.is_none() || new.is_none() || known == new);
        match bulks.last_mut() {
            Some(bulk) if fits => {
                bytes += row_bytes;
                for (known, new) in types.iter_mut().zip(row_types) {
                    *known = known.or(new);
                }
                bulk.push(row);
            }
            _ => {
                bytes = row_bytes;
                types = row_types;
                bulks.push(vec![row]);
            }
        }
    }
    bulks
}

fn type_of(value: &Value) -> Option<Discriminant<Value>> {
    (*value != Value::NULL).then(|| discriminant(value))
}

/// An upper limit for the bytes that a row takes on the wire.
pub(super) fn size(row: &[Value]) -> usize {
    row.iter()
        .map(|value| match value {
            Value::Bytes(bytes) => bytes.len() + 10,
            _ => 14,
        })
        .sum()
}

/// Whether each column has one type in all rows.
pub(super) fn is_uniform(rows: &[Vec<Value>]) -> bool {
    let mut types: Vec<Option<Discriminant<Value>>> = Vec::new();
    rows.iter().all(|row| {
        types.resize(row.len(), None);
        types.iter_mut().zip(row).all(|(known, value)| {
            let new = type_of(value);
            let fits = known.is_none() || new.is_none() || *known == new;
            *known = known.or(new);
            fits
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(rows: Vec<Vec<Value>>, limit: usize) -> Vec<usize> {
        bulks(rows, limit).iter().map(Vec::len).collect()
    }

    #[test]
    fn rows_with_the_same_types_are_one_bulk() {
        let row = || vec![Value::Int(1), Value::Bytes(b"x".to_vec())];
        assert_eq!(lengths(vec![row(), row(), row()], 1000), [3]);
        assert!(lengths(vec![], 1000).is_empty());
    }

    #[test]
    fn a_bulk_ends_where_a_type_changes() {
        let rows = [
            Value::NULL,
            Value::Int(1),
            Value::NULL,
            Value::UInt(1),
            Value::UInt(2),
            Value::Int(-1),
        ];
        let rows = rows.into_iter().map(|value| vec![value]).collect();
        assert_eq!(lengths(rows, 1000), [3, 2, 1]);
    }

    #[test]
    fn a_bulk_ends_where_it_is_full() {
        let row = |length| vec![Value::Bytes(vec![0; length])];
        assert_eq!(lengths(vec![row(40), row(40), row(40)], 100), [2, 1]);
        assert_eq!(lengths(vec![row(400), row(1), row(400)], 100), [1, 1, 1]);
    }

    #[test]
    fn rows_are_uniform_where_only_nulls_differ() {
        let rows = |values: &[Value]| -> Vec<Vec<Value>> {
            values.iter().map(|value| vec![value.clone()]).collect()
        };
        assert!(is_uniform(&rows(&[
            Value::NULL,
            Value::Int(1),
            Value::NULL
        ])));
        assert!(!is_uniform(&rows(&[
            Value::Int(1),
            Value::NULL,
            Value::UInt(1)
        ])));
    }
}
