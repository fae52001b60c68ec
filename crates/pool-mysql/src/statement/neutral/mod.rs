//! Does a statement leave the session as it was?
//!
//! `ResetPolicy::IfDirty` spares the reset of a session in which nothing but such statements were run. A wrong no costs a
//! reset; a wrong yes gives one user's session to the next. So this is no parser of SQL: whatever it does not know, or what
//! one server reads otherwise than another (comments, backslashes, blanks beyond ASCII), is a no. What it accepts reads the
//! same under every `sql_mode` and every character set that a client may have.

#[cfg(test)]
mod dirty;
#[cfg(test)]
mod tests;
mod tokens;
mod words;

use self::tokens::{Token, Tokens};
use self::words::{is_function, is_refused, takes_brackets};

/// Longer texts are not looked at.
const LONGEST: usize = 16 * 1024;

/// Whether this is one plain SELECT, INSERT, UPDATE, DELETE or REPLACE that calls nothing but well-known functions without
/// memory.
///
/// What a trigger, a view or a column's default calls behind it cannot be seen.
pub(crate) fn is_neutral(sql: &[u8]) -> bool {
    sql.len() <= LONGEST && reads_as_plain(Tokens::of(sql)).is_some()
}

/// Whether this begins or ends a transaction and does nothing else; what it leaves open the server says.
pub(crate) fn is_transaction_verb(sql: &[u8]) -> bool {
    const BEGINS: &[&str] = &[
        "BEGIN",
        "BEGIN WORK",
        "START TRANSACTION",
        "START TRANSACTION READ ONLY",
        "START TRANSACTION READ WRITE",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT",
    ];
    ends_transaction(sql) || is_one_of(BEGINS, sql)
}

/// Whether this ends a transaction and does nothing else.
pub(crate) fn ends_transaction(sql: &[u8]) -> bool {
    is_one_of(&["COMMIT", "COMMIT WORK", "ROLLBACK", "ROLLBACK WORK"], sql)
}

fn is_one_of(verbs: &[&str], sql: &[u8]) -> bool {
    let sql = sql.trim_ascii();
    let sql = sql.strip_suffix(b";").unwrap_or(sql);
    let is = |verb: &&str| {
        let words = sql.split(u8::is_ascii_whitespace);
        let mut words = words.filter(|word| !word.is_empty());
        let mut next_is = |part: &str| {
            let word = words.next();
            word.is_some_and(|word| word.eq_ignore_ascii_case(part.as_bytes()))
        };
        verb.split(' ').all(&mut next_is) && words.next().is_none()
    };
    // The longest has 42 letters; a long statement is not taken apart for this.
    sql.len() <= 80 && verbs.iter().any(is)
}

/// Nothing where it does not.
fn reads_as_plain(mut tokens: Tokens<'_>) -> Option<()> {
    let mut token = tokens.next()??;
    let verb = token.word()?;
    let is = |word: &[u8]| verb.eq_ignore_ascii_case(word);
    if is(b"INSERT") || is(b"REPLACE") {
        tokens = past_the_table(tokens)?;
        // The list of columns may follow the table's name, which looks like a call.
        token = Token::Symbol(b',');
    } else if !(is(b"SELECT") || is(b"UPDATE") || is(b"DELETE")) {
        return None;
    }
    let mut after_dot = false;
    loop {
        let touches = tokens.is_at_bracket();
        let next = tokens.next()?;
        let opens = next == Some(Token::Symbol(b'('));
        match token {
            Token::Word(word) | Token::Quoted(word) if is_refused(word) => return None,
            Token::Word(word) if opens => {
                let is_known = takes_brackets(word) || (touches && is_function(word));
                if after_dot || !is_known {
                    return None;
                }
            }
            // A name in quotes is no keyword and no function of the server's, but may be somebody's own.
            Token::Quoted(_) | Token::Number | Token::Text if opens => return None,
            // The character set of a literal: `_gbk'...'`.
            Token::Word([b'_', ..]) if next == Some(Token::Text) => return None,
            _ => {}
        }
        after_dot = token == Token::Symbol(b'.');
        match next {
            Some(next) => token = next,
            None => return Some(()),
        }
    }
}

/// Reads on to the end of the table's name in an INSERT or REPLACE.
fn past_the_table(mut tokens: Tokens<'_>) -> Option<Tokens<'_>> {
    const MODIFIERS: &[&[u8]] = &[b"LOW_PRIORITY", b"HIGH_PRIORITY", b"IGNORE", b"INTO"];
    let mut name = tokens.next()??;
    while let Token::Word(word) = name
        && MODIFIERS
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
    {
        name = tokens.next()??;
    }
    loop {
        match name {
            Token::Word(word) | Token::Quoted(word) if !is_refused(word) => {}
            _ => return None,
        }
        let mut ahead = tokens.clone();
        if ahead.next()? != Some(Token::Symbol(b'.')) {
            return Some(tokens);
        }
        tokens = ahead;
        name = tokens.next()??;
    }
}
