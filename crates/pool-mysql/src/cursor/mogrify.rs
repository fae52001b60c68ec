//! A statement's text with its parameters in it.

use mysql_async::consts::StatusFlags;
use mysql_async::{Params, Value};

use crate::connection::Connection;
use crate::error::Error;
use crate::statement::literal::literal;
use crate::statement::scanner::{Dialect, Kind, Scanner};

/// How the session reads texts, as far as its last answer tells: the server does not report `ANSI_QUOTES`.
pub(super) fn dialect(conn: &Connection) -> Dialect {
    let no_escapes = conn
        .status_flags()
        .is_some_and(|flags| flags.contains(StatusFlags::SERVER_STATUS_NO_BACKSLASH_ESCAPES));
    Dialect {
        backslash_escapes: !no_escapes,
        ..Dialect::DEFAULT
    }
}

/// Writes the values into the statement.
pub(super) fn mogrify(query: &str, params: &Params, dialect: Dialect) -> Result<String, Error> {
    if let Params::Empty = params {
        // `execute` without parameters sends the text as it is, also with a `?` in it.
        return Ok(query.to_owned());
    }
    let mut text = String::with_capacity(query.len());
    let mut copied = 0;
    let mut questions = 0;
    for token in Scanner::new(query.as_bytes(), dialect) {
        let value = match (token.kind, params) {
            (Kind::Question, Params::Positional(values)) => {
                questions += 1;
                // With too few values there is an error below.
                values.get(questions - 1).unwrap_or(&Value::NULL)
            }
            (Kind::Question, _) => return Err(Error::NamedParameters),
            (Kind::Parameter, Params::Named(values)) => {
                let name = &token.bytes[1..];
                values.get(name).ok_or_else(|| Error::MissingParameter {
                    name: String::from_utf8_lossy(name).into_owned(),
                })?
            }
            _ => continue,
        };
        text.push_str(&query[copied..token.start]);
        text.push_str(&literal(value));
        copied = token.end();
    }
    text.push_str(&query[copied..]);
    match params {
        Params::Positional(values) if values.len() != questions => Err(Error::ParameterCount {
            expected: questions,
            given: values.len(),
        }),
        _ => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use mysql_async::params;

    use super::*;

    fn text(query: &str, params: impl Into<Params>) -> String {
        mogrify(query, &params.into(), Dialect::DEFAULT).expect("it fits")
    }

    #[test]
    fn values_are_written_as_the_server_reads_them() {
        let values = (-1, 0.5, "it's", None::<i32>, vec![0xff_u8, 0]);
        let expected = "SELECT -1, 0.5, 'it''s', NULL, X'FF00'";
        assert_eq!(text("SELECT ?, ?, ?, ?, ?", values), expected);
        let values = Params::Positional(vec![
            Value::Date(2026, 11, 22, 0, 0, 0, 0),
            Value::Time(true, 1, 2, 3, 4, 0),
            Value::UInt(u64::MAX),
        ]);
        let expected = "SELECT '2026-11-22', '-026:03:04', 18446744073709551615";
        assert_eq!(text("SELECT ?, ?, ?", values), expected);
        let sql = r"SELECT '\', ?";
        let no_escapes = Dialect {
            backslash_escapes: false,
            ..Dialect::DEFAULT
        };
        let text = mogrify(sql, &(r"\",).into(), no_escapes).expect("it fits");
        assert_eq!(text, r"SELECT '\', _utf8mb4 X'5C'");
    }

    #[test]
    fn a_value_cannot_become_a_parameter() {
        assert_eq!(text("SELECT ?, ?", ("?", 2)), "SELECT '?', 2");
        let named = params! { "a" => ":b", "b" => 1 };
        assert_eq!(text("SELECT :a, :b, ':a'", named), "SELECT ':b', 1, ':a'");
        assert_eq!(text("SELECT '?'", ()), "SELECT '?'");
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let error = mogrify("SELECT ?", &(1, 2).into(), Dialect::DEFAULT);
        assert!(matches!(
            error,
            Err(Error::ParameterCount {
                expected: 1,
                given: 2
            })
        ));
        assert!(mogrify("SELECT ?, ?", &(1,).into(), Dialect::DEFAULT).is_err());
        assert!(mogrify("SELECT :b", &params! { "a" => 1 }, Dialect::DEFAULT).is_err());
        assert!(mogrify("SELECT ?", &params! { "a" => 1 }, Dialect::DEFAULT).is_err());
    }
}
