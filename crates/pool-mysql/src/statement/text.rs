//! What the text of a statement tells about its effects.

use std::collections::HashMap;

use crate::statement::database::Words;
use crate::statement::neutral::{is_neutral, is_plain};
use crate::statement::opening::{Opening, Verb, has_second};

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

    /// A statement that may leave traces in the session, but cannot touch the transaction or the database.
    const PLAIN: Self = Self {
        neutral: false,
        is_commit: false,
        begins_transaction: false,
        ends_transaction: false,
        may_commit: false,
        may_change_database: false,
    };

    /// Reads a statement. Whether it is neutral is only found out if `watched`; otherwise it counts as not neutral.
    pub(crate) fn of(sql: &[u8], watched: bool) -> Self {
        let verb = Verb::of(sql);
        match verb {
            Verb::Select { .. } | Verb::Insert { .. } => Self::of_usual(sql, verb, watched),
            // What a transaction leaves open is in the server's answer.
            Verb::Begin => Self {
                neutral: watched,
                begins_transaction: true,
                may_commit: true,
                ..Self::PLAIN
            },
            Verb::Commit | Verb::Rollback => Self {
                neutral: watched,
                is_commit: verb == Verb::Commit,
                ends_transaction: true,
                may_commit: true,
                ..Self::PLAIN
            },
            Verb::Other => Self::of_other(sql, watched),
        }
    }

    /// A SELECT, INSERT, UPDATE, DELETE or REPLACE.
    fn of_usual(sql: &[u8], verb: Verb, watched: bool) -> Self {
        let is_plain = match watched {
            true => is_plain(sql, verb),
            false => Some(false),
        };
        if is_plain == Some(true) {
            return Self {
                neutral: true,
                ..Self::PLAIN
            };
        }
        let neutral = is_plain.unwrap_or_else(|| is_neutral(sql));
        let words = Words::of(sql);
        Self {
            neutral,
            may_commit: words.may_have_semicolon && has_second(sql),
            may_change_database: !neutral && words.may_change_database(sql),
            ..Self::PLAIN
        }
    }

    /// A statement with any other first word.
    fn of_other(sql: &[u8], watched: bool) -> Self {
        let opening = Opening::of(sql);
        let begins_transaction = opening.begins_transaction();
        let ends_transaction = opening.ends_transaction();
        let neutral = watched && (ends_transaction || begins_transaction);
        Self {
            neutral,
            is_commit: opening.is_commit(),
            begins_transaction,
            ends_transaction,
            may_commit: opening.may_commit(),
            may_change_database: !neutral && Words::of(sql).may_change_database(sql),
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
