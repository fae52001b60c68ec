//! The one scanner of SQL text: it cuts a statement into tokens by the rules of MySQL and MariaDB.
//!
//! It allocates nothing, never fails and never skips a byte that is not a blank. A reader that must be sure (`neutral`)
//! rejects the tokens whose meaning depends on the server; a reader that looks for parameters (`cursor`) passes over them.

#[cfg(test)]
#[path = "scanner_tests.rs"]
mod tests;

/// The two settings of `sql_mode` that decide where a token ends and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// A backslash in a text escapes the next byte: `NO_BACKSLASH_ESCAPES` is off.
    pub(crate) backslash_escapes: bool,
    /// Double quotes enclose a name, not a text: `ANSI_QUOTES` is on.
    pub(crate) ansi_quotes: bool,
}

impl Dialect {
    /// The default of every server.
    pub(crate) const DEFAULT: Self = Self {
        backslash_escapes: true,
        ansi_quotes: false,
    };
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword, or a name without quotes.
    Word,
    /// A name without quotes that cannot be a keyword, because it follows a `.` or an `@`.
    Name,
    /// A number up to its decimal point, or a name that begins with a digit.
    Number,
    /// A text in single or double quotes, with the quotes.
    Text,
    /// A name in backticks or, with `ANSI_QUOTES`, in double quotes, with the quotes.
    QuotedName,
    /// A text or a quoted name without its closing quote; it reaches to the end of the statement.
    Unclosed,
    /// A comment that the server skips: `-- …`, `# …` or `/* … */`.
    Comment,
    /// The beginning of a comment whose content the server reads: `/*!50000`, `/*M!100100` or `/*+`.
    CommentOpen,
    /// The `*/` that ends such a comment.
    CommentClose,
    /// A `?`.
    Question,
    /// A `:name`, in lower case, as the driver defines it.
    Parameter,
    /// A vertical tab or a form feed: a blank in most character sets, but not in all.
    RareBlank,
    /// Any other byte.
    Symbol(u8),
}

/// A token: what it is, its bytes, and where they begin in the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) bytes: &'a [u8],
    pub(crate) start: usize,
}

impl Token<'_> {
    pub(crate) fn end(&self) -> usize {
        self.start + self.bytes.len()
    }

    /// Whether it is this keyword.
    pub(crate) fn is_keyword(&self, keyword: &str) -> bool {
        self.kind == Kind::Word && self.bytes.eq_ignore_ascii_case(keyword.as_bytes())
    }

    /// Whether it is one of these keywords.
    pub(crate) fn is_one_of(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is_keyword(keyword))
    }

    /// Whether the server passes over it: a comment or a blank.
    pub(crate) fn is_skipped(&self) -> bool {
        matches!(self.kind, Kind::Comment | Kind::RareBlank)
    }
}

/// Which bytes continue a word. A table, because most bytes of a statement are looked up here.
const IS_IN_WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        let letter = byte as u8;
        table[byte] = letter.is_ascii_alphanumeric() || matches!(letter, b'_' | b'$' | 0x80..);
        byte += 1;
    }
    table
};

/// Whether a word goes on with the byte.
pub(crate) fn is_in_word(byte: u8) -> bool {
    IS_IN_WORD[usize::from(byte)]
}

/// How many bytes come before the first `a` or `b`. It looks at eight bytes at once, because texts can be long.
fn length_before(bytes: &[u8], a: u8, b: u8) -> usize {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & TOPS != 0;
    let (all_a, all_b) = (u64::from_ne_bytes([a; 8]), u64::from_ne_bytes([b; 8]));
    let (chunks, _) = bytes.as_chunks::<8>();
    let without = chunks.iter().position(|chunk| {
        let word = u64::from_ne_bytes(*chunk);
        has_zero(word ^ all_a) || has_zero(word ^ all_b)
    });
    let start = 8 * without.unwrap_or(chunks.len());
    let rest = &bytes[start..];
    let length = rest.iter().position(|byte| *byte == a || *byte == b);
    start + length.unwrap_or(rest.len())
}

/// An iterator over the tokens of a statement.
#[derive(Clone)]
pub(crate) struct Scanner<'a> {
    sql: &'a [u8],
    at: usize,
    dialect: Dialect,
    /// How many comments are open whose content the server reads. They nest.
    open_comments: u32,
    /// The last token was a `.` or an `@`.
    after_separator: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(sql: &'a [u8], dialect: Dialect) -> Self {
        Self {
            sql,
            at: 0,
            dialect,
            open_comments: 0,
            after_separator: false,
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.sql.get(self.at + ahead).copied()
    }

    /// Moves over the bytes that `belongs` accepts.
    fn skip_while(&mut self, belongs: impl Fn(u8) -> bool) {
        let mut at = self.at;
        while let Some(byte) = self.sql.get(at)
            && belongs(*byte)
        {
            at += 1;
        }
        self.at = at;
    }

    /// Moves behind the next `end`, or to the end of the statement.
    fn skip_past(&mut self, end: &[u8]) {
        let rest = &self.sql[self.at..];
        let found = rest.windows(end.len()).position(|bytes| bytes == end);
        self.at += found.map_or(rest.len(), |found| found + end.len());
    }

    fn comment_to_end_of_line(&mut self) -> Kind {
        self.skip_while(|byte| byte != b'\n');
        self.at = self.sql.len().min(self.at + 1);
        Kind::Comment
    }

    /// From `/*` on.
    fn comment(&mut self) -> Kind {
        let version_at = match (self.peek(2), self.peek(3)) {
            (Some(b'+'), _) => {
                self.at += 3;
                self.open_comments += 1;
                return Kind::CommentOpen;
            }
            (Some(b'!'), _) => 3,
            (Some(b'M'), Some(b'!')) => 4,
            _ => {
                self.at += 2;
                self.skip_past(b"*/");
                return Kind::Comment;
            }
        };
        self.at += version_at;
        // A version has five or six digits; fewer belong to the content.
        let digits = self.sql[self.at..].iter().take(6);
        let digits = digits.take_while(|byte| byte.is_ascii_digit()).count();
        if digits >= 5 {
            self.at += digits;
        }
        self.open_comments += 1;
        Kind::CommentOpen
    }

    /// From an opening quote to the closing one. A doubled quote is a part of the content.
    fn quoted(&mut self, quote: u8) -> Kind {
        let is_name = quote == b'`' || (quote == b'"' && self.dialect.ansi_quotes);
        let escapes = self.dialect.backslash_escapes && !is_name;
        self.at += 1;
        loop {
            self.at += length_before(&self.sql[self.at..], quote, b'\\');
            match (self.peek(0), self.peek(1)) {
                (None, _) => return Kind::Unclosed,
                (Some(b'\\'), _) if !escapes => self.at += 1,
                (Some(b'\\'), _) => self.at = self.sql.len().min(self.at + 2),
                (Some(_), Some(next)) if next == quote => self.at += 2,
                _ => break,
            }
        }
        self.at += 1;
        match is_name {
            true => Kind::QuotedName,
            false => Kind::Text,
        }
    }

    #[inline]
    fn kind(&mut self, first: u8) -> Kind {
        if IS_IN_WORD[usize::from(first)] {
            self.skip_while(|byte| IS_IN_WORD[usize::from(byte)]);
            return match first {
                b'0'..=b'9' => Kind::Number,
                _ if self.after_separator => Kind::Name,
                _ => Kind::Word,
            };
        }
        // Most signs stand for themselves.
        if matches!(first, b',' | b'.' | b'(' | b')' | b'=' | b'@' | b';') {
            self.at += 1;
            return Kind::Symbol(first);
        }
        self.sign(first)
    }

    /// The token that begins with a byte that is no part of a word.
    fn sign(&mut self, first: u8) -> Kind {
        match (first, self.peek(1)) {
            (b'\'' | b'"' | b'`', _) => self.quoted(first),
            (b'#', _) => self.comment_to_end_of_line(),
            // Two hyphens begin a comment only before a blank, a control character or the end; otherwise they are operators.
            (b'-', Some(b'-')) if self.peek(2).is_none_or(|byte| byte <= b' ') => {
                self.comment_to_end_of_line()
            }
            (b'/', Some(b'*')) => self.comment(),
            (b'*', Some(b'/')) if self.open_comments > 0 => {
                self.open_comments -= 1;
                self.at += 2;
                Kind::CommentClose
            }
            (b':', Some(b'a'..=b'z' | b'_')) => {
                self.at += 1;
                self.skip_while(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
                Kind::Parameter
            }
            _ => {
                self.at += 1;
                match first {
                    b'?' => Kind::Question,
                    b'\x0b' | b'\x0c' => Kind::RareBlank,
                    symbol => Kind::Symbol(symbol),
                }
            }
        }
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    #[inline]
    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        let start = self.at;
        let kind = self.kind(self.peek(0)?);
        self.after_separator = matches!(kind, Kind::Symbol(b'.' | b'@'));
        Some(Token {
            kind,
            bytes: &self.sql[start..self.at],
            start,
        })
    }
}
