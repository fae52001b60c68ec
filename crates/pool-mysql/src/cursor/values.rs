//! Turns an INSERT with one row of parameters into one with many rows.

use std::ops::Range;

use crate::statement::scanner::{Dialect, Kind, Scanner, Token};

/// The maximum number of rows in one statement.
const ROWS: usize = 1024;

/// The maximum number of parameters of a prepared statement.
const PARAMETERS: usize = u16::MAX as usize;

/// An INSERT or REPLACE that can take many rows, and the place of its one row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OneRow<'a> {
    sql: &'a str,
    row: Range<usize>,
}

impl<'a> OneRow<'a> {
    /// `None` unless the statement is a `… VALUES (…)` with `arity` times `?` in that row and none elsewhere.
    pub(super) fn find(sql: &'a str, arity: usize) -> Option<Self> {
        // Where a text with a backslash ends depends on the `sql_mode` of the session.
        if sql.contains('\\') {
            return None;
        }
        let tokens = Scanner::new(sql.as_bytes(), Dialect::DEFAULT);
        let mut tokens = tokens.filter(|token| !token.is_skipped()).peekable();
        if !tokens.next()?.is_one_of(&["INSERT", "REPLACE"]) {
            return None;
        }
        let mut depth = 0_usize;
        loop {
            let token = tokens.next()?;
            match token.kind {
                Kind::Symbol(b'(') => depth += 1,
                Kind::Symbol(b')') => depth = depth.checked_sub(1)?,
                Kind::Question | Kind::Parameter | Kind::Symbol(b';') => return None,
                _ if depth == 0 && token.is_one_of(&["VALUES", "VALUE"]) => break,
                _ => {}
            }
        }
        let open = tokens
            .next()
            .filter(|token| token.kind == Kind::Symbol(b'('))?;
        let mut questions = 0;
        depth = 1;
        let end = loop {
            let token = tokens.next()?;
            match token.kind {
                Kind::Symbol(b'(') => depth += 1,
                Kind::Symbol(b')') if depth == 1 => break token.end(),
                Kind::Symbol(b')') => depth -= 1,
                Kind::Question => questions += 1,
                Kind::Parameter => return None,
                _ => {}
            }
        };
        let has_more_rows = matches!(
            tokens.peek(),
            Some(Token {
                kind: Kind::Symbol(b','),
                ..
            })
        );
        // After the row no other parameter and no other statement may come.
        let mut has_ended = false;
        let is_last = !has_more_rows
            && tokens.all(|token| match token.kind {
                _ if has_ended => false,
                Kind::Question | Kind::Parameter => false,
                Kind::Symbol(b';') => {
                    has_ended = true;
                    true
                }
                _ => !token.is_keyword("RETURNING"),
            });
        (questions == arity && arity > 0 && is_last).then_some(Self {
            sql,
            row: open.start..end,
        })
    }

    /// The statement with this number of rows.
    pub(super) fn times(&self, rows: usize) -> String {
        let row = &self.sql[self.row.clone()];
        let (before, after) = (&self.sql[..self.row.start], &self.sql[self.row.end..]);
        let mut text = String::with_capacity(self.sql.len() + (row.len() + 1) * rows);
        text.push_str(before);
        for number in 0..rows {
            if number > 0 {
                text.push(',');
            }
            text.push_str(row);
        }
        text + after
    }
}

/// How many of these rows go into one statement, by their sizes in bytes. It is a power of two, so that few different
/// statements are prepared, whatever the number of rows.
pub(super) fn batch(sizes: impl Iterator<Item = usize>, arity: usize, limit: usize) -> usize {
    let most = ROWS.min(PARAMETERS / arity.max(1));
    let mut bytes = 0_usize;
    let fitting = sizes
        .take(most)
        .take_while(|size| {
            bytes = bytes.saturating_add(*size);
            bytes <= limit
        })
        .count()
        .max(1);
    1 << fitting.ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_becomes_many() {
        for (sql, arity, expected) in [
            (
                "INSERT INTO t VALUES (?, ?)",
                2,
                "INSERT INTO t VALUES (?, ?),(?, ?)",
            ),
            (
                "\n  insert ignore into `values` (a, b)\nvalue(?, 1 + ?)  ",
                2,
                "\n  insert ignore into `values` (a, b)\nvalue(?, 1 + ?),(?, 1 + ?)  ",
            ),
            (
                "REPLACE t (a) VALUES (LOWER(?)) -- ?",
                1,
                "REPLACE t (a) VALUES (LOWER(?)),(LOWER(?)) -- ?",
            ),
            ("INSERT t VALUES (?);\n", 1, "INSERT t VALUES (?),(?);\n"),
            (
                "INSERT t (a) VALUES (?) ON DUPLICATE KEY UPDATE a = VALUES(a)",
                1,
                "INSERT t (a) VALUES (?),(?) ON DUPLICATE KEY UPDATE a = VALUES(a)",
            ),
            (
                "INSERT INTO t (a, c) VALUES (?, ?) AS new ON DUPLICATE KEY UPDATE c = new.c",
                2,
                "INSERT INTO t (a, c) VALUES (?, ?),(?, ?) AS new ON DUPLICATE KEY UPDATE c = new.c",
            ),
            (
                "insert into t values(?)as new(m) on duplicate key update a = t.a + m;",
                1,
                "insert into t values(?),(?)as new(m) on duplicate key update a = t.a + m;",
            ),
            (
                "INSERT t VALUES (?) AS `values` ON DUPLICATE KEY UPDATE a = IF(`values`.a > 1, 1, 0)",
                1,
                "INSERT t VALUES (?),(?) AS `values` ON DUPLICATE KEY UPDATE a = IF(`values`.a > 1, 1, 0)",
            ),
        ] {
            let row = OneRow::find(sql, arity).unwrap_or_else(|| panic!("{sql}"));
            assert_eq!(row.times(2), expected);
            assert_eq!(row.times(1), sql);
        }
    }

    #[test]
    fn what_is_not_one_row_stays_what_it_is() {
        for sql in [
            "INSERT INTO t VALUES (?), (?)",
            "INSERT INTO t VALUES (1), (?)",
            "INSERT INTO t VALUES (1)",
            "INSERT INTO t SET a = ?",
            "INSERT INTO t SET a = ? ON DUPLICATE KEY UPDATE a = VALUES(a)",
            "INSERT INTO t SELECT ?",
            "INSERT INTO t VALUES (?) ON DUPLICATE KEY UPDATE a = ?",
            "INSERT INTO t VALUES (?) AS new ON DUPLICATE KEY UPDATE a = new.a + ?",
            "INSERT INTO t VALUES (?), (?) AS new ON DUPLICATE KEY UPDATE a = new.a",
            "INSERT INTO t VALUES ROW(?)",
            "INSERT INTO t VALUES (?) RETURNING a",
            "INSERT INTO t VALUES (?); SELECT 1",
            "INSERT INTO t VALUES (?",
            "INSERT INTO t VALUES (:a)",
            r"INSERT INTO t VALUES ('\'', ?)",
            "UPDATE t SET a = ?",
            "SELECT 1",
            "",
        ] {
            assert_eq!(OneRow::find(sql, 1), None, "{sql}");
        }
        assert_eq!(OneRow::find("INSERT INTO t VALUES (?, ?)", 1), None);
        assert_eq!(OneRow::find("INSERT INTO t VALUES ()", 0), None);
    }

    #[test]
    fn a_batch_is_bounded_by_bytes_rows_and_parameters() {
        let equal = |rows: usize, size: usize| std::iter::repeat_n(size, rows);
        assert_eq!(batch(equal(5, 10), 2, 1000), 4);
        assert_eq!(batch(equal(100, 10), 2, 1000), 64);
        assert_eq!(batch(equal(100, 10), 2, 100), 8);
        assert_eq!(batch(equal(3, 10_000), 2, 100), 1);
        assert_eq!(batch(equal(5_000, 1), 2, usize::MAX), 1024);
        assert_eq!(batch(equal(5_000, 1), 300, usize::MAX), 128);
        assert_eq!(batch(equal(5, usize::MAX), 1, 100), 1);
    }
}
