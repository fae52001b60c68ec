//! Which statements count as plain, so that `ResetPolicy::IfDirty` sends no reset after them.

use crate::statement::DIALECTS;
use crate::statement::by_tokens::by_tokens;
use crate::statement::neutral::is_neutral;
use crate::statement::scanner::{Kind, Scanner};
use crate::statement::text::StatementTraits;

/// The short ways to the traits give what the tokens give. What counts as plain reads the same in each dialect, has no
/// variable, comment or backslash, and is one statement.
pub fn neutral(sql: &[u8]) {
    let plain = is_neutral(sql);
    for watched in [true, false] {
        assert_eq!(StatementTraits::of(sql, watched), by_tokens(sql, watched));
    }
    let traits = StatementTraits::of(sql, true);
    assert!(traits.neutral || !plain);
    assert!(!StatementTraits::of(sql, false).neutral);
    if !plain {
        return;
    }
    assert!(!traits.ends_transaction && !traits.is_commit);
    // A `;` inside a text counts as a second statement there.
    let bare = sql.trim_ascii_end();
    let bare = bare.strip_suffix(b";").unwrap_or(bare);
    assert!(!traits.may_commit || bare.contains(&b';'));
    assert!(!traits.may_change_database);
    let read = |dialect| -> Vec<(usize, usize)> {
        Scanner::new(sql, dialect)
            .map(|token| (token.start, token.end()))
            .collect()
    };
    let [first, others @ ..] = DIALECTS;
    let ends = read(first);
    for dialect in others {
        assert_eq!(read(dialect), ends, "{dialect:?}");
    }
    let count = ends.len();
    let mut in_head = true;
    for (number, token) in Scanner::new(sql, first).enumerate() {
        in_head &= token.is_one_of(HEAD);
        let is_last = number + 1 == count;
        let is_refused = match token.kind {
            Kind::Comment | Kind::CommentOpen | Kind::CommentClose => true,
            Kind::Unclosed | Kind::RareBlank => true,
            Kind::Symbol(b';') => !is_last,
            Kind::Symbol(b'@' | b'\\' | b'$' | b'{' | b'#') => true,
            Kind::Word => !in_head && token.is_one_of(&["INTO", "FOR", "LOCK", "NEXTVAL"]),
            _ => false,
        };
        assert!(!is_refused, "{token:?}");
    }
    second_statement(sql);
}

/// What stands before the table of an INSERT.
const HEAD: &[&str] = &[
    "INSERT",
    "REPLACE",
    "LOW_PRIORITY",
    "HIGH_PRIORITY",
    "IGNORE",
    "INTO",
];

/// A second statement behind it, or a variable in it, is noticed.
fn second_statement(sql: &[u8]) {
    let bare = sql.trim_ascii_end();
    let bare = bare.strip_suffix(b";").unwrap_or(bare);
    for behind in ["; SET @a = 1", " , @a", " INTO @a", " /* x */", " -- x"] {
        let longer = [bare, behind.as_bytes()].concat();
        assert!(!is_neutral(&longer), "{behind:?}");
    }
}
