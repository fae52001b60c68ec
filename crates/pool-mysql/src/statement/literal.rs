//! Writes values as SQL literals.

use std::fmt::Write;

use mysql_async::Value;

/// The literal of a value in a statement.
///
/// The server reads it in the same way in every character set and `sql_mode`: a text with a backslash or with a character
/// beyond printable ASCII is written in hexadecimal.
pub(crate) fn literal(value: &Value) -> String {
    match value {
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if is_simple(text) => format!("'{}'", text.replace('\'', "''")),
            Ok(text) => hexadecimal("_utf8mb4 X'", text.as_bytes()),
            Err(_) => hexadecimal("X'", bytes),
        },
        value => value.as_sql(false),
    }
}

fn is_simple(text: &str) -> bool {
    text.bytes()
        .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\\')
}

fn hexadecimal(before: &str, bytes: &[u8]) -> String {
    let mut text = String::with_capacity(before.len() + 2 * bytes.len() + 1);
    text.push_str(before);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02X}");
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_end_its_literal() {
        let text = |text: &str| literal(&Value::from(text));
        assert_eq!(text("a"), "'a'");
        assert_eq!(text(""), "''");
        assert_eq!(text("O'Brien"), "'O''Brien'");
        assert_eq!(
            text(r"\' OR 1=1 -- "),
            "_utf8mb4 X'5C27204F5220313D31202D2D20'"
        );
        assert_eq!(text("\u{fc}"), "_utf8mb4 X'C3BC'");
        assert_eq!(text("\0\n"), "_utf8mb4 X'000A'");
        assert_eq!(literal(&Value::from(vec![0xff_u8, 0x27])), "X'FF27'");
        assert_eq!(literal(&Value::NULL), "NULL");
        assert_eq!(literal(&Value::from(-5)), "-5");
        assert_eq!(literal(&Value::from(true)), "1");
        assert_eq!(
            literal(&Value::Date(2020, 1, 2, 3, 4, 5, 6)),
            "'2020-01-02 03:04:05.000006'"
        );
    }
}
