//! The same values in both protocols.
//!
//! A statement without parameters is answered in text, one with parameters in binary. The driver keeps a number or a date of
//! the text protocol as bytes. Here it becomes the value that the binary protocol would have had, as aiomysql converts by the
//! type of the column.

use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::{Column, Row, Value};

/// What is in a text, by the type of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Integer,
    Float,
    Double,
    Date,
    Time,
}

/// The columns whose texts have a type of their own.
#[derive(Default)]
pub(super) struct Typing(Vec<(usize, Kind)>);

impl Typing {
    pub(super) fn of(columns: &[Column]) -> Self {
        let kinds = columns.iter().enumerate();
        Self(
            kinds
                .filter_map(|(index, column)| Some((index, kind_of(column)?)))
                .collect(),
        )
    }

    /// Gives the texts of a row their types. A text that its column does not explain stays as it is.
    pub(super) fn apply(&self, row: &mut Row) {
        for &(index, kind) in &self.0 {
            if let Some(Value::Bytes(text)) = row.as_ref(index)
                && let Some(value) = parse(kind, text)
            {
                row.place(index, value);
            }
        }
    }
}

fn kind_of(column: &Column) -> Option<Kind> {
    use ColumnType::{
        MYSQL_TYPE_DATE, MYSQL_TYPE_DATETIME, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_FLOAT,
        MYSQL_TYPE_INT24, MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_NEWDATE,
        MYSQL_TYPE_SHORT, MYSQL_TYPE_TIME, MYSQL_TYPE_TIMESTAMP, MYSQL_TYPE_TINY, MYSQL_TYPE_YEAR,
    };
    match column.column_type() {
        MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_INT24 | MYSQL_TYPE_LONG
        | MYSQL_TYPE_LONGLONG | MYSQL_TYPE_YEAR => Some(Kind::Integer),
        MYSQL_TYPE_FLOAT => Some(Kind::Float),
        MYSQL_TYPE_DOUBLE => Some(Kind::Double),
        MYSQL_TYPE_DATE | MYSQL_TYPE_NEWDATE | MYSQL_TYPE_DATETIME | MYSQL_TYPE_TIMESTAMP => {
            Some(Kind::Date)
        }
        MYSQL_TYPE_TIME => Some(Kind::Time),
        _ => None,
    }
}

fn parse(kind: Kind, text: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(text).ok()?;
    match kind {
        Kind::Integer => match text.parse() {
            Ok(number) => Some(Value::Int(number)),
            Err(_) => text.parse().ok().map(Value::UInt),
        },
        Kind::Float => text.parse().ok().map(Value::Float),
        Kind::Double => text.parse().ok().map(Value::Double),
        Kind::Date => date(text),
        Kind::Time => time(text),
    }
}

/// `2024-02-29`, `2024-02-29 23:59:59.123456`, and the zero dates.
fn date(text: &str) -> Option<Value> {
    let (date, time) = match text.split_once(' ') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let [month, day] = [parts.next()?.parse().ok()?, parts.next()?.parse().ok()?];
    let (hour, minute, second, micros) = time.map_or(Some((0, 0, 0, 0)), clock)?;
    let hour = u8::try_from(hour).ok()?;
    Some(Value::Date(year, month, day, hour, minute, second, micros))
}

/// `-838:59:59.000000`
fn time(text: &str) -> Option<Value> {
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (hours, minutes, seconds, micros) = clock(text)?;
    let (days, hours) = (hours / 24, u8::try_from(hours % 24).ok()?);
    Some(Value::Time(
        is_negative,
        days,
        hours,
        minutes,
        seconds,
        micros,
    ))
}

/// `23:59:59.123456`
fn clock(text: &str) -> Option<(u32, u8, u8, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.splitn(3, ':');
    let hours = parts.next()?.parse().ok()?;
    let [minutes, seconds] = [parts.next()?.parse().ok()?, parts.next()?.parse().ok()?];
    if fraction.len() > 6 {
        return None;
    }
    let micros = match fraction {
        "" => 0,
        digits => format!("{digits:0<6}").parse().ok()?,
    };
    Some((hours, minutes, seconds, micros))
}

/// Whether the server fills the numbers of a column with zeros.
pub(super) fn is_zero_filled(column: &Column) -> bool {
    column.flags().contains(ColumnFlags::ZEROFILL_FLAG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_numbers() {
        for (kind, text, value) in [
            (Kind::Integer, "-128", Value::Int(-128)),
            (Kind::Integer, "0042", Value::Int(42)),
            (Kind::Integer, "9223372036854775807", Value::Int(i64::MAX)),
            (Kind::Integer, "18446744073709551615", Value::UInt(u64::MAX)),
            (Kind::Float, "1.5", Value::Float(1.5)),
            (Kind::Double, "-1e-300", Value::Double(-1e-300)),
        ] {
            assert_eq!(parse(kind, text.as_bytes()), Some(value), "{text}");
        }
    }

    #[test]
    fn dates_and_times_become_dates_and_times() {
        for (kind, text, value) in [
            (Kind::Date, "0000-00-00", Value::Date(0, 0, 0, 0, 0, 0, 0)),
            (
                Kind::Date,
                "2024-00-00",
                Value::Date(2024, 0, 0, 0, 0, 0, 0),
            ),
            (
                Kind::Date,
                "9999-12-31 23:59:59.9",
                Value::Date(9999, 12, 31, 23, 59, 59, 900_000),
            ),
            (
                Kind::Time,
                "-838:59:59",
                Value::Time(true, 34, 22, 59, 59, 0),
            ),
            (
                Kind::Time,
                "00:00:00.000001",
                Value::Time(false, 0, 0, 0, 0, 1),
            ),
        ] {
            assert_eq!(parse(kind, text.as_bytes()), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_neither_stays() {
        for (kind, text) in [
            (Kind::Integer, "1.5"),
            (Kind::Integer, ""),
            (Kind::Date, "2024-02"),
            (Kind::Date, "2024-02-29 12"),
            (Kind::Time, "1:2:3.1234567"),
        ] {
            assert_eq!(parse(kind, text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse(Kind::Integer, b"\xff"), None);
    }
}
