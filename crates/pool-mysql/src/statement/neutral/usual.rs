//! The short way to the answer, for the statements that most programs send.
//!
//! Each byte is looked up once in a table of classes, and a word in the list of the refused ones only where one of these has
//! its length and its first letter. The answer is that of [`reads_as_plain`](super::reads_as_plain), or there is none.

use crate::statement::opening::Verb;

use super::words::{is_function, is_modifier, is_refused, may_be_refused, takes_brackets};

/// What a byte outside of quotes is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// It begins a word or continues it.
    Letter,
    /// It begins a number, or continues a word or a number.
    Digit,
    /// A blank, or a sign that is plain beside every other sign.
    Sign,
    OpeningBracket,
    /// `-`, `/` or `*`: plain, except where two of them may begin or end a comment.
    HalfOfComment,
    Colon,
    Semicolon,
    /// It begins a text.
    SingleQuote,
    /// It begins a name or, in double quotes, perhaps a text.
    NameQuote,
    /// No statement with it is plain.
    Refused,
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Refused; 256];
    let mut byte = 0;
    while byte < classes.len() {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b' ' | b'\t' | b'\n' | b'\r' | b')' | b',' | b'.' | b'?' => Class::Sign,
            b'=' | b'<' | b'>' | b'!' | b'+' | b'%' | b'&' => Class::Sign,
            b'(' => Class::OpeningBracket,
            b'-' | b'/' | b'*' => Class::HalfOfComment,
            b':' => Class::Colon,
            b';' => Class::Semicolon,
            b'\'' => Class::SingleQuote,
            b'"' | b'`' => Class::NameQuote,
            _ => Class::Refused,
        };
        byte += 1;
    }
    classes
};

fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether a byte in these quotes ends nothing, means the same to every server and is no `;`.
const fn is_plain_content(byte: u8, quote: u8) -> bool {
    let is_ascii = (b' ' <= byte) & (byte <= b'~') & (byte != b'\\') & (byte != b';');
    let is_beyond = (byte >= 0x80) & (quote == b'\'');
    let is_blank = (byte == b'\t') | (byte == b'\n') | (byte == b'\r');
    (is_ascii | is_beyond | is_blank) & (byte != quote)
}

const fn plain_contents(quote: u8) -> [bool; 256] {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < plain.len() {
        plain[byte] = is_plain_content(byte as u8, quote);
        byte += 1;
    }
    plain
}

/// How many bytes come before the first one that is not plain in these quotes.
fn plain_content(bytes: &[u8], quote: u8) -> usize {
    const NEAR: usize = 24;
    static IN_TEXT: [bool; 256] = plain_contents(b'\'');
    static IN_NAME: [bool; 256] = plain_contents(b'`');
    static IN_DOUBLE: [bool; 256] = plain_contents(b'"');
    let plain = match quote {
        b'\'' => &IN_TEXT,
        b'`' => &IN_NAME,
        _ => &IN_DOUBLE,
    };
    let count = |bytes: &[u8]| {
        bytes
            .iter()
            .position(|byte| !plain[usize::from(*byte)])
            .unwrap_or(bytes.len())
    };
    let near = count(&bytes[..bytes.len().min(NEAR)]);
    if near < NEAR {
        return near;
    }
    // A long text: without a branch a byte, the compiler looks at many bytes at once.
    let is_plain = |byte: &u8| is_plain_content(*byte, quote);
    let all_plain = |chunk: &&[u8; 32]| chunk.iter().fold(true, |all, byte| all & is_plain(byte));
    let chunks = bytes.as_chunks().0.iter().take_while(all_plain).count();
    32 * chunks + count(&bytes[32 * chunks..])
}

/// Where a word that has begun before this place ends.
fn end_of_word(sql: &[u8], mut at: usize) -> usize {
    while let Some(byte) = sql.get(at)
        && matches!(class(*byte), Class::Letter | Class::Digit)
    {
        at += 1;
    }
    at
}

fn refuse(word: &[u8]) -> Result<(), End> {
    match may_be_refused(word) && is_refused(word) {
        true => Err(End::NotPlain),
        false => Ok(()),
    }
}

/// Why the reading ends before the statement does.
enum End {
    /// The statement is not plain.
    NotPlain,
    /// Something is in the statement that is too rare to be known here.
    Unsure,
}

/// Whether the statement, which begins with this verb, is plain; `None` where that is not found out here.
///
/// In one that is plain there is no `;`, except at its end.
pub(super) fn is_plain(sql: &[u8], verb: Verb) -> Option<bool> {
    let (Verb::Select { end } | Verb::Insert { end }) = verb else {
        return None;
    };
    let mut reader = Reader {
        sql,
        at: end,
        // REPLACE is longer, but what stands behind it is no call.
        word: end - "SELECT".len(),
    };
    let head = match verb {
        Verb::Insert { .. } => reader.head(),
        _ => Ok(()),
    };
    match head.and_then(|()| reader.rest()) {
        Ok(()) => Some(true),
        Err(End::NotPlain) => Some(false),
        Err(End::Unsure) => None,
    }
}

struct Reader<'a> {
    sql: &'a [u8],
    at: usize,
    /// Where the last word, number or name of a parameter begins.
    word: usize,
}

impl<'a> Reader<'a> {
    /// Reads to the end of the statement.
    fn rest(&mut self) -> Result<(), End> {
        let sql = self.sql;
        let mut at = self.at;
        while let Some(&byte) = sql.get(at) {
            match class(byte) {
                Class::Sign => at += 1,
                Class::Letter => {
                    self.word = at;
                    at = end_of_word(sql, at + 1);
                    refuse(&sql[self.word..at])?;
                }
                class => {
                    self.at = at;
                    self.special(class, byte)?;
                    at = self.at;
                }
            }
        }
        Ok(())
    }

    /// Reads what begins with a byte of a class that is less frequent.
    fn special(&mut self, class: Class, byte: u8) -> Result<(), End> {
        match class {
            Class::Digit => {
                self.word();
            }
            Class::OpeningBracket => {
                self.opening_bracket()?;
                self.at += 1;
            }
            Class::HalfOfComment => {
                let next = self.sql.get(self.at + 1);
                if let (b'-', Some(b'-')) | (b'/', Some(b'*')) | (b'*', Some(b'/')) = (byte, next) {
                    return Err(End::NotPlain);
                }
                self.at += 1;
            }
            Class::Colon => self.parameter()?,
            Class::Semicolon => {
                self.at += 1;
                self.skip_blanks();
                if self.at < self.sql.len() {
                    return Err(End::NotPlain);
                }
            }
            Class::SingleQuote => {
                // The character set of a literal may stand before it.
                if self
                    .word_before()
                    .is_some_and(|word| word.starts_with(b"_"))
                {
                    return Err(End::Unsure);
                }
                self.quoted(byte)?;
            }
            Class::NameQuote => refuse(self.quoted(byte)?)?,
            Class::Refused => return Err(End::NotPlain),
            Class::Letter | Class::Sign => return Err(End::Unsure),
        }
        Ok(())
    }

    fn skip_blanks(&mut self) {
        while self.sql.get(self.at).copied().is_some_and(is_blank) {
            self.at += 1;
        }
    }

    fn word(&mut self) -> &'a [u8] {
        self.word = self.at;
        self.at = end_of_word(self.sql, self.at);
        &self.sql[self.word..self.at]
    }

    /// A `:name`.
    fn parameter(&mut self) -> Result<(), End> {
        self.at += 1;
        if !matches!(self.sql.get(self.at), Some(b'a'..=b'z' | b'_')) {
            return Err(End::Unsure);
        }
        let name = self.word();
        // A capital letter ends the name.
        if name.iter().any(u8::is_ascii_uppercase) {
            return Err(End::Unsure);
        }
        refuse(name)
    }

    /// What stands in quotes.
    fn quoted(&mut self, quote: u8) -> Result<&'a [u8], End> {
        let rest = &self.sql[self.at + 1..];
        let (content, behind) = rest.split_at(plain_content(rest, quote));
        match behind {
            [end, next, ..] if *end == quote && *next == quote => return Err(End::Unsure),
            [end, ..] if *end == quote => {}
            _ => return Err(End::Unsure),
        }
        self.at += content.len() + 2;
        Ok(content)
    }

    /// The last byte before this place that is no blank.
    fn last_before(&self, at: usize) -> Option<usize> {
        self.sql[..at].iter().rposition(|byte| !is_blank(*byte))
    }

    /// The word, number or name of a parameter before this one, if only blanks stand between.
    fn word_before(&self) -> Option<&'a [u8]> {
        let last = self.last_before(self.at)?;
        let is_word = matches!(class(self.sql[last]), Class::Letter | Class::Digit);
        is_word.then(|| &self.sql[self.word..=last])
    }

    /// What stands before a bracket can make a call of it.
    fn opening_bracket(&self) -> Result<(), End> {
        let Some(word) = self.word_before() else {
            let last = self.last_before(self.at).map(|at| class(self.sql[at]));
            return match last {
                Some(Class::SingleQuote | Class::NameQuote) => Err(End::NotPlain),
                _ => Ok(()),
            };
        };
        let touches = self.word + word.len() == self.at;
        let is_known = takes_brackets(word) || (touches && is_function(word));
        let before = self.last_before(self.word).map(|at| self.sql[at]);
        match before {
            Some(b'.' | b':') => Err(End::NotPlain),
            _ if !is_known => Err(End::NotPlain),
            _ => Ok(()),
        }
    }

    /// Reads an INSERT or REPLACE up to the name of the table, and the bracket behind it, which makes no call.
    fn head(&mut self) -> Result<(), End> {
        self.skip_blanks();
        while let Some(Class::Letter) = self.sql.get(self.at).map(|byte| class(*byte)) {
            let before = self.at;
            let word = self.word();
            if !is_modifier(word) {
                self.at = before;
                break;
            }
            self.skip_blanks();
        }
        loop {
            let name = match self.sql.get(self.at) {
                Some(byte) if class(*byte) == Class::Letter => self.word(),
                Some(byte) if class(*byte) == Class::NameQuote => self.quoted(*byte)?,
                _ => return Err(End::Unsure),
            };
            refuse(name)?;
            self.skip_blanks();
            match self.sql.get(self.at) {
                Some(b'.') => {
                    self.at += 1;
                    self.skip_blanks();
                }
                Some(b'(') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Ok(()),
            }
        }
    }
}
