//! The first words of a statement, and what they do to a transaction.

use crate::statement::scanner::{Dialect, Kind, Scanner, Token, is_in_word};

/// The longest of the statements that begin a transaction has five words.
const MOST: usize = 5;

/// The statements that begin a transaction and do nothing else. What they leave open is in the server's answer.
const BEGINS: &[&[&str]] = &[
    &["BEGIN"],
    &["BEGIN", "WORK"],
    &["START", "TRANSACTION"],
    &["START", "TRANSACTION", "READ", "ONLY"],
    &["START", "TRANSACTION", "READ", "WRITE"],
    &["START", "TRANSACTION", "WITH", "CONSISTENT", "SNAPSHOT"],
];

/// The statements that end a transaction and do nothing else.
const ENDS: &[&[&str]] = &[
    &["COMMIT"],
    &["COMMIT", "WORK"],
    &["ROLLBACK"],
    &["ROLLBACK", "WORK"],
];

/// The first words of the statements above, and of XA COMMIT. Behind another first word nothing is read.
const FIRST: &[&str] = &["COMMIT", "BEGIN", "ROLLBACK", "START", "XA"];

/// The statements for which no server commits what was done before them. A stored function and a trigger cannot commit; a
/// procedure can.
const NEVER_COMMIT: &[&str] = &[
    "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "DO", "SHOW",
];

/// What the first word of a statement tells without any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// SELECT, UPDATE or DELETE, and where the word ends.
    Select { end: usize },
    /// INSERT or REPLACE, and where the word ends.
    Insert { end: usize },
    /// The whole statement is BEGIN.
    Begin,
    /// The whole statement is COMMIT.
    Commit,
    /// The whole statement is ROLLBACK.
    Rollback,
    /// The statement has to be read.
    Other,
}

impl Verb {
    pub(crate) fn of(sql: &[u8]) -> Self {
        let mut start = 0;
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = sql.get(start) {
            start += 1;
        }
        let sql = &sql[start..];
        let Some(six) = lower::<6>(sql) else {
            return match lower::<5>(sql) {
                Some(five) if &five == b"begin" => Self::Begin,
                _ => Self::Other,
            };
        };
        let (verb, length) = match &six {
            b"select" | b"update" | b"delete" => (Self::Select { end: start + 6 }, 6),
            b"insert" => (Self::Insert { end: start + 6 }, 6),
            b"replac" if matches!(sql.get(6), Some(b'e' | b'E')) => {
                (Self::Insert { end: start + 7 }, 7)
            }
            b"commit" if sql.len() == 6 => return Self::Commit,
            b"rollba" if sql.len() == 8 && lower(&sql[6..]) == Some(*b"ck") => {
                return Self::Rollback;
            }
            _ => return Self::Other,
        };
        match sql.get(length) {
            Some(byte) if is_in_word(*byte) => Self::Other,
            _ => verb,
        }
    }
}

/// The first bytes, with capital letters made small. Other bytes than letters never become letters.
fn lower<const N: usize>(sql: &[u8]) -> Option<[u8; N]> {
    sql.first_chunk().map(|bytes| bytes.map(|byte| byte | 0x20))
}

/// The longest first word of a statement that is shown.
const LONGEST: usize = 32;

/// The first word of a statement, in capital letters; `None` where it begins with something else.
pub(crate) fn operation(sql: &[u8]) -> Option<String> {
    let before = |token: &Token<'_>| matches!(token.kind, Kind::Comment | Kind::Symbol(b'('));
    let first = Scanner::new(sql, Dialect::DEFAULT).find(|token| !before(token))?;
    let is_plain = first.bytes.len() <= LONGEST && first.bytes.iter().all(u8::is_ascii_alphabetic);
    let word = (first.kind == Kind::Word && is_plain).then_some(first.bytes)?;
    Some(String::from_utf8_lossy(word).to_ascii_uppercase())
}

/// The words with which a statement begins, up to the first token that is no word.
///
/// A comment is such a token: what stands behind it is not looked at.
pub(crate) struct Opening<'a> {
    sql: &'a [u8],
    words: [Option<Token<'a>>; MOST],
    /// There is nothing else in the statement, except a `;` at its end.
    is_all: bool,
}

impl<'a> Opening<'a> {
    pub(crate) fn of(sql: &'a [u8]) -> Self {
        let mut opening = Self {
            sql,
            words: [None; MOST],
            is_all: false,
        };
        let mut tokens = Scanner::new(sql, Dialect::DEFAULT);
        let mut next = tokens.next();
        if let Some(first) = next
            && !first.is_one_of(FIRST)
        {
            opening.words[0] = Some(first);
            return opening;
        }
        for place in &mut opening.words {
            let Some(word) = next.filter(|token| token.kind == Kind::Word) else {
                break;
            };
            *place = Some(word);
            next = tokens.next();
        }
        if next.is_some_and(|token| token.kind == Kind::Symbol(b';')) {
            next = tokens.next();
        }
        opening.is_all = next.is_none();
        opening
    }

    fn starts_with(&self, words: &[&str]) -> bool {
        let is = |(token, word): (&Option<Token<'_>>, &&str)| {
            token.is_some_and(|token| token.is_keyword(word))
        };
        self.words.iter().zip(words).all(is)
    }

    fn is_one_of(&self, statements: &[&[&str]]) -> bool {
        if !self.is_all {
            return false;
        }
        let count = self.words.iter().flatten().count();
        let is = |words: &&[&str]| words.len() == count && self.starts_with(words);
        statements.iter().any(is)
    }

    /// Whether the statement begins a transaction and does nothing else.
    pub(crate) fn begins_transaction(&self) -> bool {
        self.is_one_of(BEGINS)
    }

    /// Whether the statement ends a transaction and does nothing else.
    pub(crate) fn ends_transaction(&self) -> bool {
        self.is_one_of(ENDS)
    }

    /// Whether the statement begins as a COMMIT does; a COMMIT behind another statement is not found.
    pub(crate) fn is_commit(&self) -> bool {
        self.starts_with(&["COMMIT"]) || self.starts_with(&["XA", "COMMIT"])
    }

    /// Whether the statement may commit what was done before it: `false` only for a single one of [`NEVER_COMMIT`].
    pub(crate) fn may_commit(&self) -> bool {
        let first = self.words[0];
        let never = first.is_some_and(|first| first.is_one_of(NEVER_COMMIT));
        !never || has_second(self.sql)
    }
}

/// Whether there may be a second statement behind the first one.
pub(crate) fn has_second(sql: &[u8]) -> bool {
    // Where a text ends depends on the `sql_mode`, so a `;` inside a text counts too.
    let sql = sql.trim_ascii_end();
    let sql = sql.strip_suffix(b";").unwrap_or(sql);
    sql.contains(&b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sql: &str) -> Opening<'_> {
        Opening::of(sql.as_bytes())
    }

    #[test]
    fn the_operation_is_the_first_word_behind_comments_and_parentheses() {
        for (sql, word) in [
            ("select 1", Some("SELECT")),
            ("  Insert INTO t VALUES (1)", Some("INSERT")),
            (
                "/* from the shop */ ((SELECT 1) UNION (SELECT 2))",
                Some("SELECT"),
            ),
            ("-- a line\nUPDATE t SET a = 1", Some("UPDATE")),
            ("/*!50000 COMMIT */", None),
            ("'a text'", None),
            ("12", None),
            ("", None),
            ("a_name_and_no_keyword", None),
        ] {
            assert_eq!(operation(sql.as_bytes()).as_deref(), word, "{sql}");
        }
    }

    #[test]
    fn a_commit_is_known_by_its_first_word() {
        for sql in [
            "COMMIT",
            " commit;",
            "Commit AND CHAIN",
            "XA COMMIT 'a'",
            "commit\n",
        ] {
            assert!(of(sql).is_commit(), "{sql}");
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
            assert!(!of(sql).is_commit(), "{sql}");
        }
    }

    #[test]
    fn one_plain_statement_commits_nothing() {
        for sql in [
            "SELECT 1",
            " insert into t values (1) ; ",
            "UPDATE t SET a = 1",
            "select",
        ] {
            assert!(!of(sql).may_commit(), "{sql}");
        }
        for sql in [
            "",
            "COMMIT",
            "COMMIT AND CHAIN",
            "SELECT 1; COMMIT",
            r"SELECT '\'; COMMIT -- '",
            "CALL p()",
            "CREATE TABLE t (a INT)",
            "SET autocommit = 1",
            "/*!50000 COMMIT */",
            "-- x\nCOMMIT",
            "INSERTED",
            "XA COMMIT 'a'",
            "EXECUTE s",
            "BEGIN",
            "(SELECT 1)",
        ] {
            assert!(of(sql).may_commit(), "{sql}");
        }
    }

    #[test]
    fn only_a_statement_that_does_nothing_else_begins_or_ends_a_transaction() {
        for sql in [
            "BEGIN",
            " begin\twork ;",
            "START TRANSACTION",
            "start transaction read only",
            "START TRANSACTION READ WRITE;",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        ] {
            assert!(
                of(sql).begins_transaction() && !of(sql).ends_transaction(),
                "{sql}"
            );
        }
        for sql in ["COMMIT", "Commit Work;", "ROLLBACK", "rollback\nwork"] {
            assert!(
                of(sql).ends_transaction() && !of(sql).begins_transaction(),
                "{sql}"
            );
        }
        for sql in [
            "",
            "COMMIT AND CHAIN",
            "COMMIT; SELECT 1",
            "COMMIT;;",
            "COMMIT -- x",
            "/**/ COMMIT",
            "ROLLBACK TO SAVEPOINT a",
            "BEGIN NOT ATOMIC SET @a = 1; END",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT x",
            "START TRANSACTION READ ONLY, WITH CONSISTENT SNAPSHOT",
            "START",
            "SELECT 1",
        ] {
            assert!(
                !of(sql).begins_transaction() && !of(sql).ends_transaction(),
                "{sql}"
            );
        }
    }
}
