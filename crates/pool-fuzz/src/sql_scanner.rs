//! The scanner of SQL text, beside a second one that is written in another way.

use crate::statement::DIALECTS;
use crate::statement::scanner::{Dialect, Kind, Scanner};

/// In each dialect every byte is in one token or is a blank, and the same `?` are parameters as a second scanner finds.
pub fn sql_scanner(sql: &[u8]) {
    for dialect in DIALECTS {
        let mut end = 0;
        let mut questions = Vec::new();
        for token in Scanner::new(sql, dialect) {
            assert!(token.start >= end && !token.bytes.is_empty());
            assert_eq!(&sql[token.start..token.end()], token.bytes);
            assert!(are_blanks(&sql[end..token.start]));
            if token.kind == Kind::Question {
                questions.push(token.start);
            }
            end = token.end();
        }
        assert!(are_blanks(&sql[end..]));
        assert_eq!(questions, questions_in(sql, dialect), "{dialect:?}");
    }
}

fn are_blanks(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_whitespace)
}

/// Where the scanner is that only looks for `?`: one step for each byte.
#[derive(Clone, Copy)]
enum Place {
    Outside,
    /// In quotes; whether the byte before was a backslash that escapes.
    Quoted(u8, bool),
    ToEndOfLine,
    ToEndOfComment,
}

/// The places of the `?` that the server counts as parameters.
fn questions_in(sql: &[u8], dialect: Dialect) -> Vec<usize> {
    let mut found = Vec::new();
    let mut place = Place::Outside;
    // Comments whose content the server reads.
    let mut open_comments = 0;
    let mut at = 0;
    while let Some(&byte) = sql.get(at) {
        let next = sql.get(at + 1).copied();
        let mut length = 1;
        place = match (place, byte) {
            (Place::Outside, b'\'' | b'"' | b'`') => Place::Quoted(byte, false),
            (Place::Outside, b'#') => Place::ToEndOfLine,
            (Place::Outside, b'-') if is_line_comment(&sql[at..]) => Place::ToEndOfLine,
            (Place::Outside, b'/') if next == Some(b'*') => {
                length = 2;
                match &sql[at + 2..] {
                    [b'!' | b'+', ..] | [b'M', b'!', ..] => {
                        open_comments += 1;
                        Place::Outside
                    }
                    _ => Place::ToEndOfComment,
                }
            }
            // Otherwise `*/*` is a sign and the beginning of a comment.
            (Place::Outside, b'*') if next == Some(b'/') && open_comments > 0 => {
                length = 2;
                open_comments -= 1;
                Place::Outside
            }
            (Place::Outside, b'?') => {
                found.push(at);
                Place::Outside
            }
            (Place::Quoted(quote, true), _) => Place::Quoted(quote, false),
            (Place::Quoted(quote, false), b'\\') => {
                let is_name = quote == b'`' || (quote == b'"' && dialect.ansi_quotes);
                Place::Quoted(quote, dialect.backslash_escapes && !is_name)
            }
            // A doubled quote opens what it has just closed.
            (Place::Quoted(quote, false), byte) if byte == quote => Place::Outside,
            (Place::ToEndOfLine, b'\n') => Place::Outside,
            (Place::ToEndOfComment, b'*') if next == Some(b'/') => {
                length = 2;
                Place::Outside
            }
            (same, _) => same,
        };
        at += length;
    }
    found
}

fn is_line_comment(sql: &[u8]) -> bool {
    matches!(sql, [b'-', b'-', rest @ ..] if rest.first().is_none_or(|byte| *byte <= b' '))
}
