//! Values as the server prints them in the text protocol.

use mysql_async::consts::ColumnType;
use mysql_async::{Column, Value};

use super::typed::is_zero_filled;

/// The number of decimals that says: as many as it takes.
const NOT_FIXED: u8 = 31;

/// The significant digits that the server prints of a FLOAT.
const FLOAT_DIGITS: usize = 6;

/// From these powers of ten on, up and down, the server writes an exponent.
const PLAIN: std::ops::RangeInclusive<i32> = -14..=15;

/// A number, a date or a time as the server would print it; `None` for what is text already, and for NULL.
pub(super) fn printed(value: &Value, column: &Column) -> Option<Vec<u8>> {
    let text = match *value {
        Value::NULL | Value::Bytes(_) => return None,
        Value::Int(number) => integer(&number.to_string(), column),
        Value::UInt(number) => integer(&number.to_string(), column),
        Value::Float(number) => match column.decimals() {
            NOT_FIXED.. => {
                let digits = FLOAT_DIGITS - 1;
                shortest(&format!("{number:.digits$e}"))
            }
            decimals => fixed(f64::from(number), decimals),
        },
        Value::Double(number) => match column.decimals() {
            NOT_FIXED.. => shortest(&format!("{number:e}")),
            decimals => fixed(number, decimals),
        },
        Value::Date(year, month, day, hour, minute, second, micros) => {
            let date = format!("{year:04}-{month:02}-{day:02}");
            match column.column_type() {
                ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => date,
                _ => {
                    let fraction = fraction(micros, column);
                    format!("{date} {hour:02}:{minute:02}:{second:02}{fraction}")
                }
            }
        }
        Value::Time(is_negative, days, hours, minutes, seconds, micros) => {
            let sign = if is_negative { "-" } else { "" };
            let hours = days * 24 + u32::from(hours);
            let fraction = fraction(micros, column);
            format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{fraction}")
        }
    };
    Some(text.into_bytes())
}

fn integer(digits: &str, column: &Column) -> String {
    let width = match column.column_type() {
        ColumnType::MYSQL_TYPE_YEAR => 4,
        _ if is_zero_filled(column) => column.column_length() as usize,
        _ => 0,
    };
    format!("{digits:0>width$}")
}

fn fraction(micros: u32, column: &Column) -> String {
    match usize::from(column.decimals()) {
        0 => String::new(),
        digits => {
            let micros = format!("{micros:06}");
            format!(".{}", &micros[..digits.min(6)])
        }
    }
}

fn fixed(number: f64, decimals: u8) -> String {
    let decimals = usize::from(decimals);
    format!("{number:.decimals$}")
}

/// From `-1.25000e-3` to `-0.00125`, or `-1.25e-20`.
fn shortest(scientific: &str) -> String {
    let (sign, scientific) = match scientific.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", scientific),
    };
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(|char| *char != '.').collect();
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        return format!("{sign}0");
    }
    // How many digits stand before the decimal point; negative: so many zeros stand behind it.
    let point = exponent + 1;
    let text = if !PLAIN.contains(&point) {
        match digits.split_at(1) {
            (first, "") => format!("{first}e{exponent}"),
            (first, rest) => format!("{first}.{rest}e{exponent}"),
        }
    } else if point <= 0 {
        let zeros = "0".repeat(point.unsigned_abs() as usize);
        format!("0.{zeros}{digits}")
    } else if digits.len() <= point as usize {
        format!("{digits:0<width$}", width = point as usize)
    } else {
        let (whole, rest) = digits.split_at(point as usize);
        format!("{whole}.{rest}")
    };
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use mysql_async::consts::ColumnFlags;

    use super::*;

    fn text(value: Value, column_type: ColumnType, decimals: u8) -> String {
        let column = Column::new(column_type).with_decimals(decimals);
        String::from_utf8(printed(&value, &column).expect("it is no text")).expect("ASCII")
    }

    #[test]
    fn floating_point_numbers_have_the_digits_that_they_need() {
        for (number, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1e14, "100000000000000"),
            (1e15, "1e15"),
            (123_456_789_012_345_680.0, "1.2345678901234568e17"),
            (0.1, "0.1"),
            (1e-15, "0.000000000000001"),
            (1e-16, "1e-16"),
            (-1.25, "-1.25"),
            (f64::MAX, "1.7976931348623157e308"),
        ] {
            let double = text(Value::Double(number), ColumnType::MYSQL_TYPE_DOUBLE, 31);
            assert_eq!(double, expected);
        }
        for (number, expected) in [(16_777_216.0, "16777200"), (0.1, "0.1"), (1e20, "1e20")] {
            let float = text(Value::Float(number), ColumnType::MYSQL_TYPE_FLOAT, 31);
            assert_eq!(float, expected);
        }
        let fixed = text(Value::Float(1.0), ColumnType::MYSQL_TYPE_FLOAT, 3);
        assert_eq!(fixed, "1.000");
    }

    #[test]
    fn dates_and_times_have_the_fraction_of_their_column() {
        let moment = Value::Date(2024, 2, 29, 1, 2, 3, 450_000);
        let of = |value: &Value, kind, decimals| text(value.clone(), kind, decimals);
        assert_eq!(of(&moment, ColumnType::MYSQL_TYPE_DATE, 0), "2024-02-29");
        let datetime = ColumnType::MYSQL_TYPE_DATETIME;
        assert_eq!(of(&moment, datetime, 0), "2024-02-29 01:02:03");
        assert_eq!(of(&moment, datetime, 3), "2024-02-29 01:02:03.450");
        let time = Value::Time(true, 34, 22, 59, 59, 0);
        assert_eq!(of(&time, ColumnType::MYSQL_TYPE_TIME, 0), "-838:59:59");
        assert_eq!(
            of(&time, ColumnType::MYSQL_TYPE_TIME, 6),
            "-838:59:59.000000"
        );
    }

    #[test]
    fn integers_are_filled_where_the_column_says_so() {
        let column = Column::new(ColumnType::MYSQL_TYPE_LONG).with_column_length(5);
        assert_eq!(printed(&Value::Int(42), &column), Some(b"42".to_vec()));
        let filled = column.with_flags(ColumnFlags::ZEROFILL_FLAG);
        assert_eq!(printed(&Value::Int(42), &filled), Some(b"00042".to_vec()));
        assert_eq!(text(Value::Int(0), ColumnType::MYSQL_TYPE_YEAR, 0), "0000");
    }
}
