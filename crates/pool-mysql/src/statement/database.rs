//! May a statement change the current database?
//!
//! A reset does not put the session back into the database it started in, and the server does not say which one it is in.
//! So every statement is looked at, and only after one that may have changed the database it is set again.

/// Longer texts are not looked at.
const LONGEST: usize = 64 * 1024;

/// The words without which no statement changes the database: by its name, by dropping it, by a text that is made at run
/// time, by a procedure, by a block of statements (each of them ends in END).
const WORDS: &[&[u8]] = &[b"use", b"drop", b"prepare", b"execute", b"call", b"end"];

/// `true` where it cannot be excluded.
pub(crate) fn may_change(sql: &[u8]) -> bool {
    let is_suspect = |word: &[u8]| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known));
    sql.len() > LONGEST || words(sql).any(is_suspect)
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
            "BEGIN WORK",
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
            "IF 1 THEN p(); END IF",
            "SET @a = 1;\tUsE\nmysql",
            "SELECT '\u{fc}'; USE mysql",
        ] {
            assert!(may_change(sql.as_bytes()), "{sql}");
        }
        assert!(may_change(&[b' '; LONGEST + 1]));
    }
}
