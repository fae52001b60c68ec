//! Takes a statement's text apart, as far as it takes to find its parameters.

use std::ops::Range;

/// A piece of a statement that means something here; what stands in quotes and in comments does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A `?`.
    Question(usize),
    /// A `:name`, in lower case, as the driver has it.
    Named(Range<usize>),
    /// A keyword, a name, or a number.
    Word(Range<usize>),
    /// Anything else but blanks; also the first byte of a quoted text.
    Symbol(u8, usize),
}

pub(crate) struct Lexer<'a> {
    sql: &'a [u8],
    at: usize,
    /// Whether a backslash in a text escapes what follows it.
    escapes: bool,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(sql: &'a str, escapes: bool) -> Self {
        Self {
            sql: sql.as_bytes(),
            at: 0,
            escapes,
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.sql.get(self.at + ahead).copied().unwrap_or_default()
    }

    /// At `/*!`, `/*M!` or `/*+`: the server reads what stands there.
    fn is_at_hint(&self) -> bool {
        matches!(
            (self.peek(2), self.peek(3)),
            (b'!' | b'+', _) | (b'M', b'!')
        )
    }

    /// Goes behind the next `end`, or to the end of the text.
    fn skip_past(&mut self, end: &[u8]) {
        let rest = &self.sql[self.at..];
        let found = rest.windows(end.len()).position(|bytes| bytes == end);
        self.at = found.map_or(self.sql.len(), |found| self.at + found + end.len());
    }

    fn skip_quoted(&mut self, quote: u8) {
        self.at += 1;
        while self.at < self.sql.len() {
            match self.peek(0) {
                b'\\' if self.escapes && quote != b'`' => self.at += 2,
                byte if byte == quote => {
                    self.at += 1;
                    // A quote that is doubled is a part of the text: the next round takes it as a new one.
                    return;
                }
                _ => self.at += 1,
            }
        }
        self.at = self.sql.len();
    }

    fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> usize {
        while self.at < self.sql.len() && belongs(self.sql[self.at]) {
            self.at += 1;
        }
        self.at
    }
}

impl Iterator for Lexer<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        loop {
            let start = self.at;
            let byte = *self.sql.get(start)?;
            match byte {
                b'\'' | b'"' | b'`' => {
                    self.skip_quoted(byte);
                    return Some(Piece::Symbol(byte, start));
                }
                b'#' => self.skip_past(b"\n"),
                b'-' if self.peek(1) == b'-' && self.peek(2) <= b' ' => self.skip_past(b"\n"),
                b'/' if self.peek(1) == b'*' && !self.is_at_hint() => {
                    self.at += 2;
                    self.skip_past(b"*/");
                }
                b'?' => {
                    self.at += 1;
                    return Some(Piece::Question(start));
                }
                b':' if matches!(self.peek(1), b'a'..=b'z' | b'_') => {
                    self.at += 1;
                    let end =
                        self.take_while(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
                    return Some(Piece::Named(start..end));
                }
                byte if is_word(byte) => {
                    let end = self.take_while(is_word);
                    return Some(Piece::Word(start..end));
                }
                byte if byte.is_ascii_whitespace() => self.at += 1,
                byte => {
                    self.at += 1;
                    return Some(Piece::Symbol(byte, start));
                }
            }
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'@' | b'.' | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(sql: &str, escapes: bool) -> Vec<&str> {
        Lexer::new(sql, escapes)
            .filter_map(|piece| match piece {
                Piece::Question(at) => Some(&sql[at..=at]),
                Piece::Named(range) => Some(&sql[range]),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn parameters_are_found_where_they_are_some() {
        for (sql, expected) in [
            ("SELECT ?, ?+1", &["?", "?"][..]),
            ("SELECT '?', \"?\", `?`, ?", &["?"]),
            ("SELECT 'it''s ?', 'it\\'s ?', ?", &["?"]),
            ("SELECT ? -- not ?\n, ? # nor ?\n", &["?", "?"]),
            ("SELECT /* ? */ ?, 5--? ", &["?", "?"]),
            ("SELECT /*! ? */ /*M! ? */ /*M ? */ ?", &["?", "?", "?"]),
            ("SELECT :a, ':b', :a_1x", &[":a", ":a_1x"]),
            ("SELECT @a := 5, ä", &[]),
            ("SELECT 'no end ?", &[]),
            ("SELECT 'no end \\", &[]),
            ("SELECT /* no end ?", &[]),
            ("", &[]),
        ] {
            assert_eq!(parameters(sql, true), expected, "{sql}");
        }
    }

    #[test]
    fn a_backslash_is_one_where_the_server_says_so() {
        let sql = r"SELECT '\', ?, '";
        assert_eq!(parameters(sql, false), ["?"]);
        assert!(parameters(sql, true).is_empty());
    }
}
