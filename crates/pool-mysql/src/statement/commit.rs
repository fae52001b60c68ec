//! Finds statements that commit a transaction.

/// Whether a statement begins with COMMIT or XA COMMIT. A COMMIT behind other statements is not found.
pub(crate) fn is_commit(sql: &[u8]) -> bool {
    let after = |sql: &[u8], word: &[u8]| -> Option<usize> {
        let start = sql.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let end = start + word.len();
        let is_word = sql.get(start..end)?.eq_ignore_ascii_case(word)
            && !sql.get(end).is_some_and(u8::is_ascii_alphanumeric);
        is_word.then_some(end)
    };
    match after(sql, b"XA") {
        Some(end) => after(&sql[end..], b"COMMIT").is_some(),
        None => after(sql, b"COMMIT").is_some(),
    }
}

/// Whether a statement may commit what was done before it. Only a single plain statement cannot.
///
/// A stored function or trigger, which a plain statement may call, cannot commit. A procedure can.
pub(crate) fn may_commit(sql: &[u8]) -> bool {
    const PLAIN: &[&[u8]] = &[
        b"SELECT", b"INSERT", b"UPDATE", b"DELETE", b"REPLACE", b"WITH", b"DO", b"SHOW",
    ];
    let sql = sql.trim_ascii();
    let sql = sql.strip_suffix(b";").unwrap_or(sql);
    let end = sql.iter().position(|byte| !byte.is_ascii_alphabetic());
    let (first, rest) = sql.split_at(end.unwrap_or(sql.len()));
    let is_plain = PLAIN.iter().any(|word| first.eq_ignore_ascii_case(word));
    !is_plain || rest.contains(&b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_known_by_its_first_word() {
        for sql in [
            "COMMIT",
            " commit;",
            "Commit AND CHAIN",
            "XA COMMIT 'a'",
            "commit\n",
        ] {
            assert!(is_commit(sql.as_bytes()), "{sql}");
        }
        for sql in [
            "COMMITTED",
            "SELECT 1",
            "XA ROLLBACK 'a'",
            "",
            " ",
            "COMMI",
            "XA",
            "XACOMMIT",
        ] {
            assert!(!is_commit(sql.as_bytes()), "{sql}");
        }
    }

    #[test]
    fn one_plain_statement_commits_nothing() {
        for sql in [
            "SELECT 1",
            " insert into t values (1) ; ",
            "UPDATE t SET a = 1",
            "(SELECT 1)".trim_matches(['(', ')']),
            "select",
        ] {
            assert!(!may_commit(sql.as_bytes()), "{sql}");
        }
        for sql in [
            "",
            "COMMIT",
            "COMMIT AND CHAIN",
            "SELECT 1; COMMIT",
            "CALL p()",
            "CREATE TABLE t (a INT)",
            "SET autocommit = 1",
            "/*!50000 COMMIT */",
            "-- x\nCOMMIT",
            "INSERTED",
            "XA COMMIT 'a'",
            "EXECUTE s",
            "BEGIN",
        ] {
            assert!(may_commit(sql.as_bytes()), "{sql}");
        }
    }
}
