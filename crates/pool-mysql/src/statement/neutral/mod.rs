//! Does a statement leave the session as it was?
//!
//! `ResetPolicy::IfDirty` skips the reset of a session in which only such statements ran. A wrong "no" costs a reset; a
//! wrong "yes" gives the session of one user to the next. So this is no parser of SQL: the answer is "no" for everything
//! that it does not know, and for everything that one server reads differently from another (comments, backslashes, blanks
//! beyond ASCII). A statement for which the answer is "yes" reads the same under every `sql_mode` and every character set
//! that a client may have.

#[cfg(test)]
mod dirty;
mod table;
#[cfg(test)]
mod tests;
mod tokens;
mod usual;
mod words;

#[cfg(test)]
pub(crate) use self::dirty::DIRTY;
#[cfg(test)]
pub(crate) use self::tests::NEUTRAL;
#[cfg(test)]
pub(crate) use self::words::{FUNCTIONS, REFUSED, RESERVED};

use self::tokens::{Token, Tokens};
use self::words::{is_function, is_modifier, is_refused, takes_brackets};
use crate::statement::opening::Verb;
use crate::statement::scanner::Dialect;

/// Longer statements are not read; the answer is "no".
const LONGEST: usize = 16 * 1024;

/// Whether the statement is one plain SELECT, INSERT, UPDATE, DELETE or REPLACE that calls only well-known functions that
/// leave nothing behind in the session.
///
/// What a trigger, a view or the default of a column calls cannot be seen in the text.
pub(crate) fn is_neutral(sql: &[u8]) -> bool {
    // Every dialect gives the same answer.
    sql.len() <= LONGEST && reads_as_plain(Tokens::of(sql, Dialect::DEFAULT)).is_some()
}

/// As [`is_neutral`], for a statement with this verb; `None` where [`is_neutral`] has to find out.
///
/// In one that is plain there is no `;`, except at its end.
pub(crate) fn is_plain(sql: &[u8], verb: Verb) -> Option<bool> {
    match sql.len() <= LONGEST {
        true => usual::is_plain(sql, verb),
        false => Some(false),
    }
}

/// `None` where the statement is not plain.
fn reads_as_plain(mut tokens: Tokens<'_>) -> Option<()> {
    let mut token = tokens.next()??;
    let mut touches = tokens.is_at_bracket();
    let verb = token.word()?;
    let is = |word: &[u8]| verb.eq_ignore_ascii_case(word);
    let mut next = if is(b"INSERT") || is(b"REPLACE") {
        // The list of columns may follow the name of the table, which looks like a call.
        token = Token::Symbol(b',');
        behind_the_table(&mut tokens)?
    } else if is(b"SELECT") || is(b"UPDATE") || is(b"DELETE") {
        tokens.next()?
    } else {
        return None;
    };
    let mut after_dot = false;
    loop {
        let opens = next == Some(Token::Symbol(b'('));
        match token {
            Token::Word(word) | Token::Quoted(word) | Token::Parameter(word)
                if is_refused(word) =>
            {
                return None;
            }
            Token::Word(word) if opens => {
                let is_known = takes_brackets(word) || (touches && is_function(word));
                if after_dot || !is_known {
                    return None;
                }
            }
            // A quoted name is no keyword and no function of the server, but can be a stored function.
            Token::Quoted(_) | Token::Parameter(_) | Token::Number | Token::Text if opens => {
                return None;
            }
            // The character set of a literal: `_gbk'...'`.
            Token::Word([b'_', ..]) | Token::Parameter([b'_', ..]) if next == Some(Token::Text) => {
                return None;
            }
            _ => {}
        }
        after_dot = token == Token::Symbol(b'.');
        let Some(following) = next else {
            return Some(());
        };
        token = following;
        touches = tokens.is_at_bracket();
        next = tokens.next()?;
    }
}

/// Reads the name of the table in an INSERT or REPLACE; returns the token behind it, as [`Tokens::next`].
fn behind_the_table<'a>(tokens: &mut Tokens<'a>) -> Option<Option<Token<'a>>> {
    let mut name = tokens.next()??;
    while let Token::Word(word) = name
        && is_modifier(word)
    {
        name = tokens.next()??;
    }
    loop {
        match name {
            Token::Word(word) | Token::Quoted(word) if !is_refused(word) => {}
            _ => return None,
        }
        let next = tokens.next()?;
        if next != Some(Token::Symbol(b'.')) {
            return Some(next);
        }
        name = tokens.next()??;
    }
}
