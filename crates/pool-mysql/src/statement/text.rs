//! What the text of a statement tells about its effects.

use std::collections::HashMap;

use crate::statement::database;
use crate::statement::neutral::is_neutral;
use crate::statement::opening::Opening;

/// The effects that a statement may have, as far as its text tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatementTraits {
    pub(crate) neutral: bool,
    pub(crate) is_commit: bool,
    pub(crate) begins_transaction: bool,
    pub(crate) ends_transaction: bool,
    pub(crate) may_commit: bool,
    pub(crate) may_change_database: bool,
}

impl StatementTraits {
    /// The traits of a statement whose text is not known: it may do everything.
    pub(crate) const UNKNOWN: Self = Self {
        neutral: false,
        is_commit: false,
        begins_transaction: false,
        ends_transaction: false,
        may_commit: true,
        may_change_database: true,
    };

    /// Reads a statement. Whether it is neutral is only found out if `watched`; otherwise it counts as not neutral.
    pub(crate) fn of(sql: &[u8], watched: bool) -> Self {
        let opening = Opening::of(sql);
        let begins_transaction = opening.begins_transaction();
        let ends_transaction = opening.ends_transaction();
        // What a transaction leaves open is in the server's answer.
        let neutral = watched && (ends_transaction || begins_transaction || is_neutral(sql));
        Self {
            neutral,
            is_commit: opening.is_commit(),
            begins_transaction,
            ends_transaction,
            may_commit: opening.may_commit(),
            may_change_database: !neutral && database::may_change(sql),
        }
    }
}

/// How many prepared statements are remembered; a statement beyond that number counts as unknown.
const MOST: usize = 256;

/// The traits of prepared statements, by the number that the server gave them. The server never uses a number twice.
#[derive(Default)]
pub(crate) struct Prepared(HashMap<u32, StatementTraits>);

impl Prepared {
    pub(crate) fn add(&mut self, id: u32, traits: StatementTraits) {
        if self.0.len() < MOST {
            self.0.insert(id, traits);
        }
    }

    pub(crate) fn get(&self, id: u32) -> Option<StatementTraits> {
        self.0.get(&id).copied()
    }

    pub(crate) fn remove(&mut self, id: u32) {
        self.0.remove(&id);
    }

    /// Forgets all statements, after a reset of the session has dropped them at the server.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reading_says_all() {
        let of = |sql: &str, watched| StatementTraits::of(sql.as_bytes(), watched);
        let plain = StatementTraits {
            neutral: true,
            is_commit: false,
            begins_transaction: false,
            ends_transaction: false,
            may_commit: false,
            may_change_database: false,
        };
        assert_eq!(of("SELECT 'drop it' FROM t", true), plain);
        let unwatched = StatementTraits {
            neutral: false,
            ..plain
        };
        assert_eq!(of("SELECT 'x' FROM t", false), unwatched);
        assert_eq!(of("SELECT f()", true), unwatched);
        assert!(of("SELECT 'drop it' FROM t", false).may_change_database);
        // The word stands before the token that is not plain, or behind it.
        assert!(of("SELECT 'drop it', f()", true).may_change_database);
        assert!(of("SELECT f(), 'drop it'", true).may_change_database);
        let commit = StatementTraits {
            is_commit: true,
            ends_transaction: true,
            may_commit: true,
            ..plain
        };
        assert_eq!(of("COMMIT", true), commit);
        assert_eq!(of("CALL p()", true), StatementTraits::UNKNOWN);
    }
}
