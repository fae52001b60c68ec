//! The traits of a statement as its tokens tell them: what the short ways to them are compared with.

use crate::statement::database::may_change_by_tokens;
use crate::statement::neutral::is_neutral;
use crate::statement::opening::Opening;
use crate::statement::text::StatementTraits;

/// The traits as the tokens tell them.
pub(crate) fn by_tokens(sql: &[u8], watched: bool) -> StatementTraits {
    let opening = Opening::of(sql);
    let begins_transaction = opening.begins_transaction();
    let ends_transaction = opening.ends_transaction();
    let neutral = watched && (ends_transaction || begins_transaction || is_neutral(sql));
    StatementTraits {
        neutral,
        is_commit: opening.is_commit(),
        begins_transaction,
        ends_transaction,
        may_commit: opening.may_commit(),
        may_change_database: !neutral && may_change_by_tokens(sql),
    }
}
