//! May a statement change the current database?
//!
//! A reset does not return the session to the database it started in, and the server does not say which one it is in. So
//! every statement is read, and the database is set again only after a statement that may have changed it.

use crate::statement::scanner::{Dialect, Kind, Scanner};

/// Longer statements are not read; the answer is "yes".
const LONGEST: usize = 64 * 1024;

/// `true` where a change cannot be excluded.
pub(crate) fn may_change(sql: &[u8]) -> bool {
    sql.len() > LONGEST
        || Scanner::new(sql, Dialect::DEFAULT).any(|token| match token.kind {
            Kind::Word | Kind::Name => is_suspect(token.bytes),
            // Words inside of texts and comments count too: where these end depends on the `sql_mode` and on the character
            // set. A number such as 1.5e3 can be followed by a word without a blank.
            Kind::Number | Kind::Text | Kind::QuotedName | Kind::Unclosed | Kind::Comment => {
                has_suspect(token.bytes)
            }
            _ => false,
        })
}

/// Whether every statement that has the word may change the database, and every statement that changes it has such a word:
/// it names the database, drops it, builds its text at run time, calls a procedure, or is a block of statements, which ends
/// in END.
fn is_suspect(word: &[u8]) -> bool {
    let is = |known: &[u8]| word.eq_ignore_ascii_case(known);
    match word.len() {
        3 => is(b"USE") || is(b"END"),
        4 => is(b"DROP") || is(b"CALL"),
        7 => is(b"PREPARE") || is(b"EXECUTE"),
        _ => false,
    }
}

fn has_suspect(text: &[u8]) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | 0x80..);
    let mut length = 0;
    for (end, byte) in text.iter().enumerate() {
        if is_letter(*byte) {
            length += 1;
        } else {
            // Most words are told apart by their length alone.
            if length > 2 && is_suspect(&text[end - length..end]) {
                return true;
            }
            length = 0;
        }
    }
    is_suspect(&text[text.len() - length..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_change(sql: &str) -> bool {
        super::may_change(sql.as_bytes())
    }

    #[test]
    fn ordinary_statements_leave_the_database_alone() {
        for sql in [
            "SELECT 1",
            "select * from users where used = 'x'",
            "INSERT INTO dropped VALUES (1)",
            "UPDATE callers SET executed = 1",
            "BEGIN",
            "BEGIN WORK",
            "START TRANSACTION",
            "COMMIT",
            "SET sql_mode = ''",
            "",
        ] {
            assert!(!may_change(sql), "{sql}");
        }
    }

    #[test]
    fn whatever_may_change_it_is_suspected() {
        for sql in [
            "USE mysql",
            "use`mysql`",
            "SELECT 1;USE mysql",
            "/**/USE/**/mysql",
            "/*!USE mysql*/",
            "/*!50000USE mysql*/",
            "/*!999999USE mysql*/",
            "SELECT @a.use",
            "SELECT 1.5e3END",
            "DROP DATABASE x",
            "drop schema x",
            "PREPARE s FROM @sql",
            "EXECUTE s",
            "EXECUTE IMMEDIATE CONCAT('U', 'SE mysql')",
            "CALL p()",
            "BEGIN NOT ATOMIC p(); END",
            "IF 1 THEN p(); END IF",
            "SET @a = 1;\tUsE\nmysql",
            "SELECT '\u{fc}'; USE mysql",
            // With NO_BACKSLASH_ESCAPES the text ends at the second quote.
            r"SELECT '\'; USE mysql; -- '",
            "SELECT 'a -- '\nUSE mysql",
        ] {
            assert!(may_change(sql), "{sql}");
        }
    }

    #[test]
    fn a_long_statement_is_not_read() {
        let text = |length: usize| format!("SELECT '{}'", "x".repeat(length - 9));
        assert!(!may_change(&text(LONGEST)));
        assert!(may_change(&text(LONGEST + 1)));
        assert!(may_change(&" ".repeat(LONGEST + 1)));
    }
}
