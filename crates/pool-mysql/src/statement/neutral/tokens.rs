//! The tokens of a statement that every server reads in the same way.

use crate::statement::scanner::{Dialect, Kind, Scanner};

/// A token with a meaning that no `sql_mode` and no character set of a client changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A keyword, or a name without quotes.
    Word(&'a [u8]),
    /// The content between backticks or double quotes: a name or, as the `sql_mode` says, a text.
    Quoted(&'a [u8]),
    /// The name in `:name`.
    Parameter(&'a [u8]),
    /// A text in single quotes.
    Text,
    /// A number, or a name that begins with a digit.
    Number,
    /// One sign.
    Symbol(u8),
}

impl<'a> Token<'a> {
    pub(super) fn word(self) -> Option<&'a [u8]> {
        match self {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// Reads one token after the other.
pub(super) struct Tokens<'a> {
    sql: &'a [u8],
    scanner: Scanner<'a>,
    /// Where the last token ends.
    end: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(sql: &'a [u8], dialect: Dialect) -> Self {
        Self {
            sql,
            scanner: Scanner::new(sql, dialect),
            end: 0,
        }
    }

    /// Whether an opening bracket follows without a blank.
    pub(super) fn is_at_bracket(&self) -> bool {
        self.sql.get(self.end) == Some(&b'(')
    }

    /// The next token, `Some(None)` at the end; `None` for a token that servers may read differently.
    pub(super) fn next(&mut self) -> Option<Option<Token<'a>>> {
        let Some(token) = self.scanner.next() else {
            return Some(None);
        };
        self.end = token.end();
        let bytes = token.bytes;
        let token = match token.kind {
            Kind::Word | Kind::Name if is_plain_word(bytes) => Token::Word(bytes),
            Kind::Number if is_plain_word(bytes) => Token::Number,
            Kind::Parameter => Token::Parameter(&bytes[1..]),
            Kind::Question => Token::Symbol(b'?'),
            Kind::Text | Kind::QuotedName => quoted(bytes)?,
            // The end of the statement must be the end of the text, or there is a second statement.
            Kind::Symbol(b';') => return self.scanner.next().is_none().then_some(None),
            Kind::Symbol(symbol) if is_plain_symbol(symbol, self.sql.get(self.end)) => {
                Token::Symbol(symbol)
            }
            _ => return None,
        };
        Some(Some(token))
    }
}

fn is_plain_word(bytes: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    bytes.iter().all(is_plain)
}

/// With a backslash inside, the end of the token would depend on the `sql_mode`. Bytes beyond ASCII can be halves of
/// characters whose other half looks like ASCII; no character set of a client has a half that looks like a single quote.
fn quoted(bytes: &[u8]) -> Option<Token<'_>> {
    let quote = bytes[0];
    let is_plain = |byte: u8| {
        let is_ascii = (b' '..=b'~').contains(&byte) & (byte != b'\\');
        let is_beyond = (byte >= 0x80) & (quote == b'\'');
        is_ascii | is_beyond | matches!(byte, b'\t' | b'\n' | b'\r')
    };
    // Without a branch a byte, the compiler looks at many bytes at once.
    let all_plain = bytes.iter().fold(true, |all, byte| all & is_plain(*byte));
    let token = match quote {
        b'\'' => Token::Text,
        _ => Token::Quoted(&bytes[1..bytes.len() - 1]),
    };
    all_plain.then_some(token)
}

/// Signs that calculate, compare, separate or stand for a parameter; none that names a variable or could be a part of a
/// comment for another server.
fn is_plain_symbol(symbol: u8, next: Option<&u8>) -> bool {
    match (symbol, next) {
        (b'-', Some(b'-')) | (b'*', Some(b'/')) => false,
        (b':', Some(b'A'..=b'Z')) => true,
        // `^`, `|` and `~` are letters in one character set of clients (swe7).
        (b'(' | b')' | b',' | b'.', _) => true,
        (b'=' | b'<' | b'>' | b'!' | b'+' | b'-' | b'*' | b'/' | b'%' | b'&', _) => true,
        _ => false,
    }
}
