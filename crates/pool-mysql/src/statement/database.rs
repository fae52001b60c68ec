//! May a statement change the current database?
//!
//! A reset does not return the session to the database it started in, and the server does not say which one it is in. So
//! every statement is read, and the database is set again only after a statement that may have changed it.

use crate::statement::scanner::{Dialect, Kind, Scanner};

/// Longer statements are not read; the answer is "yes".
const LONGEST: usize = 64 * 1024;

/// What the words and signs of a statement tell, wherever in it they stand.
#[derive(Clone, Copy)]
pub(crate) struct Words {
    /// Whether the database may be changed; `None` where the tokens have to tell.
    may_change: Option<bool>,
    /// `false` where there is no `;`, not even at the end.
    pub(crate) may_have_semicolon: bool,
}

impl Words {
    pub(crate) fn of(sql: &[u8]) -> Self {
        match sql.len() > LONGEST {
            true => Self {
                may_change: Some(true),
                may_have_semicolon: true,
            },
            false => Self::in_windows(sql),
        }
    }

    /// `true` where a change of the current database cannot be excluded. It is the statement that was read.
    pub(crate) fn may_change_database(self, sql: &[u8]) -> bool {
        self.may_change.unwrap_or_else(|| may_change_by_tokens(sql))
    }
}

/// The long way to [`Words::may_change_database`]: what each token tells.
pub(crate) fn may_change_by_tokens(sql: &[u8]) -> bool {
    sql.len() > LONGEST
        || Scanner::new(sql, Dialect::DEFAULT).any(|token| match token.kind {
            Kind::Word | Kind::Name => is_suspect(token.bytes),
            // Words inside of texts and comments count too: where these end depends on the `sql_mode` and on the character
            // set. A number such as 1.5e3 can be followed by a word without a blank.
            Kind::Number | Kind::Text | Kind::QuotedName | Kind::Unclosed | Kind::Comment => {
                has_suspect(token.bytes)
            }
            _ => false,
        })
}

/// Whether every statement that has the word may change the database, and every statement that changes it has such a word:
/// it names the database, drops it, builds its text at run time, calls a procedure, or is a block of statements, which ends
/// in END.
fn is_suspect(word: &[u8]) -> bool {
    let is = |known: &[u8]| word.eq_ignore_ascii_case(known);
    match word.len() {
        3 => is(b"USE") || is(b"END"),
        4 => is(b"DROP") || is(b"CALL"),
        7 => is(b"PREPARE") || is(b"EXECUTE"),
        _ => false,
    }
}

fn has_suspect(text: &[u8]) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | 0x80..);
    let mut length = 0;
    for (end, byte) in text.iter().enumerate() {
        if is_letter(*byte) {
            length += 1;
        } else {
            // Most words are told apart by their length alone.
            if length > 2 && is_suspect(&text[end - length..end]) {
                return true;
            }
            length = 0;
        }
    }
    is_suspect(&text[text.len() - length..])
}

/// How many bytes are looked at together.
const WINDOW: usize = 64;

/// In how many of them a word may begin. The one before them shows whether it does, and the seven behind them whether it ends
/// where the longest suspect would end.
const STEP: usize = WINDOW - 8;

impl Words {
    /// As [`may_change_by_tokens`], without looking where a token begins.
    ///
    /// In whatever token a suspect is, there is no letter directly before it or behind it. So nothing is suspect where there is
    /// no such word, with one exception: a capital letter directly behind a `:name` begins a word of its own. And such a word
    /// is suspect, unless it is a name after a `:` or there may be digits or a `$` in it.
    fn in_windows(sql: &[u8]) -> Self {
        let mut words = Self {
            may_change: Some(false),
            may_have_semicolon: false,
        };
        let mut has_colon = false;
        // There is a blank before the statement.
        let mut window = [b' '; WINDOW];
        let length = sql.len().min(WINDOW - 1);
        window[1..=length].copy_from_slice(&sql[..length]);
        let mut is_last = sql.len() < WINDOW;
        let mut next = STEP;
        loop {
            let bits = Bits::of(&window);
            words.may_have_semicolon |= bits.has_semicolon;
            has_colon |= bits.has_colon;
            words.look_at(&window, bits.letters, is_last);
            if is_last {
                break;
            }
            let rest = &sql[next - 1..];
            next += STEP;
            match rest.first_chunk() {
                Some(whole) => window = *whole,
                None => {
                    window = [b' '; WINDOW];
                    window[..rest.len()].copy_from_slice(rest);
                    is_last = true;
                }
            }
        }
        if has_colon && has_word_behind_parameter(sql) {
            words.may_change = None;
        }
        words
    }

    /// Looks at the words that begin in this window.
    fn look_at(&mut self, window: &[u8; WINDOW], letters: u64, is_last: bool) {
        let begins = letters & !(letters << 1) & !1;
        let begins = match is_last {
            true => begins,
            false => begins & (u64::MAX >> (WINDOW - 1 - STEP)),
        };
        // Where at least so many letters follow each other, and then where it is exactly so many.
        let two = letters & (letters >> 1);
        let four = two & (two >> 2);
        let three = two & (letters >> 2) & !(letters >> 3);
        let seven = four & (four >> 3) & !(letters >> 7);
        let mut words = begins & (three | (four & !(letters >> 4)) | seven);
        while words != 0 {
            let start = words.trailing_zeros() as usize;
            words &= words - 1;
            if !matches!(window[start] | 0x20, b'c' | b'd' | b'e' | b'p' | b'u') {
                continue;
            }
            let end = start + (!(letters >> start)).trailing_zeros() as usize;
            if !is_suspect(&window[start..end]) {
                continue;
            }
            let is_in_word = |byte: &u8| byte.is_ascii_digit() || *byte == b'$';
            let before = &window[start - 1];
            let is_sure =
                !is_in_word(before) && *before != b':' && !window.get(end).is_some_and(is_in_word);
            self.may_change = self.may_change.filter(|_| is_sure).map(|_| true);
        }
    }
}

/// Whether a capital letter stands directly behind a `:name`.
fn has_word_behind_parameter(sql: &[u8]) -> bool {
    let is_in_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    let mut rest = sql;
    while let Some(colon) = rest.iter().position(|byte| *byte == b':') {
        rest = &rest[colon + 1..];
        let behind = rest.iter().find(|byte| !is_in_name(**byte));
        if behind.is_some_and(u8::is_ascii_uppercase) {
            return true;
        }
    }
    false
}

/// What the bytes of a window are.
struct Bits {
    /// One bit a byte: whether it is a letter as [`has_suspect`] understands it.
    letters: u64,
    has_colon: bool,
    has_semicolon: bool,
}

impl Bits {
    /// Without a branch a byte, the compiler looks at many bytes at once.
    fn of(window: &[u8; WINDOW]) -> Self {
        const ONES: u64 = u64::from_ne_bytes([1; 8]);
        let found = window.map(|byte| {
            let is_ascii = (byte | 0x20).wrapping_sub(b'a') < 26;
            let is_letter = is_ascii | (byte == b'_') | (byte >= 0x80);
            let (is_colon, is_semicolon) = (byte == b':', byte == b';');
            u8::from(is_letter) | (u8::from(is_colon) << 1) | (u8::from(is_semicolon) << 2)
        });
        let (mut letters, mut all) = (0, 0);
        let (eights, _) = found.as_chunks();
        for (number, eight) in eights.iter().enumerate() {
            let eight = u64::from_le_bytes(*eight);
            all |= eight;
            // The lowest bit of each byte moves into the highest byte.
            let byte = (eight & ONES).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            letters |= byte << (8 * number);
        }
        Self {
            letters,
            has_colon: all & (ONES << 1) != 0,
            has_semicolon: all & (ONES << 2) != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_change(sql: &str) -> bool {
        let sql = sql.as_bytes();
        Words::of(sql).may_change_database(sql)
    }

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
            assert!(!may_change(sql), "{sql}");
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
            "/*!999999USE mysql*/",
            "SELECT @a.use",
            "SELECT 1.5e3END",
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
            // With NO_BACKSLASH_ESCAPES the text ends at the second quote.
            r"SELECT '\'; USE mysql; -- '",
            "SELECT 'a -- '\nUSE mysql",
        ] {
            assert!(may_change(sql), "{sql}");
        }
    }

    #[test]
    fn a_long_statement_is_not_read() {
        let text = |length: usize| format!("SELECT '{}'", "x".repeat(length - 9));
        assert!(!may_change(&text(LONGEST)));
        assert!(may_change(&text(LONGEST + 1)));
        assert!(may_change(&" ".repeat(LONGEST + 1)));
    }
}
