//! The words, names, literals and signs of a statement.

/// A piece of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A keyword, or a name without quotes.
    Word(&'a [u8]),
    /// What stands between backticks or double quotes: a name or, as the `sql_mode` has it, a text.
    Quoted(&'a [u8]),
    /// What stands between single quotes.
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
#[derive(Clone)]
pub(super) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub(super) fn of(sql: &'a [u8]) -> Self {
        Self { rest: sql }
    }

    /// Whether an opening bracket follows without a blank.
    pub(super) fn is_at_bracket(&self) -> bool {
        self.rest.first() == Some(&b'(')
    }

    /// The next token, `Some(None)` at the end; `None` for what is not to be trusted.
    pub(super) fn next(&mut self) -> Option<Option<Token<'a>>> {
        self.rest = self.rest.trim_ascii_start_strictly();
        let Some(&first) = self.rest.first() else {
            return Some(None);
        };
        let token = match first {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => Token::Word(self.word()),
            b'0'..=b'9' => {
                self.word();
                Token::Number
            }
            b'\'' => {
                self.quoted(b'\'')?;
                Token::Text
            }
            b'"' | b'`' => Token::Quoted(self.quoted(first)?),
            _ => Token::Symbol(self.symbol(first)?),
        };
        match token {
            // The end of a statement is the end of all, or there is a second one.
            Token::Symbol(b';') => self
                .rest
                .trim_ascii_start_strictly()
                .is_empty()
                .then_some(None),
            token => Some(Some(token)),
        }
    }

    fn word(&mut self) -> &'a [u8] {
        let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let end = self.rest.iter().position(|byte| !is_inside(byte));
        self.take(end.unwrap_or(self.rest.len()))
    }

    /// What stands between two quotes; a doubled one stands for itself.
    ///
    /// With backslashes its end would depend on the `sql_mode`. Bytes beyond ASCII can be halves of characters whose other
    /// half looks like ASCII; no character set of a client has one that looks like a single quote.
    fn quoted(&mut self, quote: u8) -> Option<&'a [u8]> {
        let mut end = 1;
        loop {
            match *self.rest.get(end)? {
                byte if byte == quote => match self.rest.get(end + 1) {
                    Some(next) if *next == quote => end += 2,
                    _ => break,
                },
                b'\\' => return None,
                b' '..=b'~' | b'\t' | b'\n' | b'\r' => end += 1,
                0x80.. if quote == b'\'' => end += 1,
                _ => return None,
            }
        }
        let inside = self.take(end + 1);
        Some(&inside[1..end])
    }

    /// Signs that calculate, compare, separate or stand for a parameter; none that begins a comment or names a variable.
    fn symbol(&mut self, first: u8) -> Option<u8> {
        let second = self.rest.get(1).copied();
        match (first, second) {
            (b'-', Some(b'-')) | (b'/', Some(b'*')) | (b'*', Some(b'/')) => return None,
            (b':', Some(b'A'..=b'Z' | b'a'..=b'z' | b'_')) => {}
            (b'(' | b')' | b',' | b'.' | b';' | b'?', _) => {}
            (b'=' | b'<' | b'>' | b'!' | b'+' | b'-' | b'*' | b'/' | b'%' | b'&', _) => {}
            // `^`, `|` and `~` are letters in one character set of clients (swe7).
            _ => return None,
        }
        self.take(1);
        Some(first)
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (token, rest) = self.rest.split_at(length);
        self.rest = rest;
        token
    }
}

/// Only the blanks that every server and every character set takes for blanks.
trait TrimStrictly {
    fn trim_ascii_start_strictly(&self) -> &Self;
}

impl TrimStrictly for [u8] {
    fn trim_ascii_start_strictly(&self) -> &Self {
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let start = self.iter().position(|byte| !is_blank(byte));
        &self[start.unwrap_or(self.len())..]
    }
}
