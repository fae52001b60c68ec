//! An INSERT with one row of parameters as one with many.

use std::ops::Range;

use crate::statement::lexer::{Lexer, Piece};

/// The most rows that one statement gets.
const ROWS: usize = 1024;

/// How many parameters a prepared statement can have.
const PARAMETERS: usize = u16::MAX as usize;

/// An INSERT or REPLACE that can take many rows: where its one row stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OneRow<'a> {
    sql: &'a str,
    row: Range<usize>,
}

impl<'a> OneRow<'a> {
    /// Nothing where the statement is no `… VALUES (…)` with so many `?` in that row and none elsewhere.
    pub(super) fn find(sql: &'a str, arity: usize) -> Option<Self> {
        // What a backslash means depends on the session.
        if sql.contains('\\') {
            return None;
        }
        let mut pieces = Lexer::new(sql, true).peekable();
        let is = |piece: &Piece, words: &[&str]| match piece {
            Piece::Word(range) => words
                .iter()
                .any(|word| word.eq_ignore_ascii_case(&sql[range.clone()])),
            _ => false,
        };
        if !is(&pieces.next()?, &["INSERT", "REPLACE"]) {
            return None;
        }
        let mut depth = 0_usize;
        loop {
            match pieces.next()? {
                Piece::Symbol(b'(', _) => depth += 1,
                Piece::Symbol(b')', _) => depth = depth.checked_sub(1)?,
                Piece::Question(_) | Piece::Named(_) | Piece::Symbol(b';', _) => return None,
                piece if depth == 0 && is(&piece, &["VALUES", "VALUE"]) => break,
                _ => {}
            }
        }
        let Piece::Symbol(b'(', start) = pieces.next()? else {
            return None;
        };
        let mut questions = 0;
        depth = 1;
        let end = loop {
            match pieces.next()? {
                Piece::Symbol(b'(', _) => depth += 1,
                Piece::Symbol(b')', at) if depth == 1 => break at + 1,
                Piece::Symbol(b')', _) => depth -= 1,
                Piece::Question(_) => questions += 1,
                Piece::Named(_) => return None,
                _ => {}
            }
        };
        // Other rows, other parameters, other statements.
        let mut has_ended = false;
        let is_last = match pieces.peek() {
            Some(Piece::Symbol(b',', _)) => false,
            _ => pieces.all(|piece| match piece {
                _ if has_ended => false,
                Piece::Question(_) | Piece::Named(_) => false,
                Piece::Symbol(b';', _) => {
                    has_ended = true;
                    true
                }
                piece => !is(&piece, &["RETURNING"]),
            }),
        };
        (questions == arity && arity > 0 && is_last).then_some(Self {
            sql,
            row: start..end,
        })
    }

    /// The statement for so many rows.
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

/// How many of these rows go into one statement, by their sizes in bytes: a power of two, so that few statements are
/// prepared whatever the number of rows.
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
