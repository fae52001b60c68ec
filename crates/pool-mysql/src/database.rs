//! May a statement change the current database?
//!
//! A reset does not put the session back into the database it started in, and the server does not say which one it is in.
//! So every statement is looked at, and only after one that may have changed the database it is set again.

/// Longer texts are not looked at.
const LONGEST: usize = 64 * 1024;

/// The words without which no statement changes the database: by its name, by dropping it, or in a text that is made at
/// run time.
const WORDS: &[&[u8]] = &[
    b"use", b"drop", b"prepare", b"execute", b"call", b"begin",
];

/// `true` where it cannot be excluded.
pub(crate) fn may_change(sql: &[u8]) -> bool {
    sql.len() > LONGEST || words(sql).any(|word| is_suspect(word, sql))
}

fn is_suspect(word: &[u8], sql: &[u8]) -> bool {
    WORDS
        .iter()
        .any(|suspect| word.eq_ignore_ascii_case(suspect))
        && !sql.trim_ascii().eq_ignore_ascii_case(b"begin")
}

/// All runs of letters; a digit ends one, because `/*!50000USE x*/` is a statement too.
fn words(sql: &[u8]) -> impl Iterator<Item = &[u8]> {
    sql.split(|byte| !(byte.is_ascii_alphabetic() || *byte == b'_' || *byte >= 0x80))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_statements_leave_the_database_alone() {
        for sql in [
            "SELECT 1",
            "select * from users where used = 'x'",
            "INSERT INTO dropped VALUES (1)",
            "UPDATE callers SET executed = 1",
            "BEGIN",
            " begin ",
            "START TRANSACTION",
            "COMMIT",
            "SET sql_mode = ''",
            "",
        ] {
            assert!(!may_change(sql.as_bytes()), "{sql}");
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
            "DROP DATABASE x",
            "drop schema x",
            "PREPARE s FROM @sql",
            "EXECUTE s",
            "EXECUTE IMMEDIATE CONCAT('U', 'SE mysql')",
            "CALL p()",
            "BEGIN NOT ATOMIC p(); END",
            "SET @a = 1;\tUsE\nmysql",
            "SELECT '\u{fc}'; USE mysql",
        ] {
            assert!(may_change(sql.as_bytes()), "{sql}");
        }
        assert!(may_change(&[b' '; LONGEST + 1]));
    }
}
