//! What the text of a statement tells of what it may do.

use std::collections::HashMap;

use crate::statement::commit::{is_commit, may_commit};
use crate::statement::database;
use crate::statement::neutral::{ends_transaction, is_neutral, is_transaction_verb};

/// What the text of a statement tells; where nothing is known, the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) neutral: bool,
    pub(crate) is_commit: bool,
    pub(crate) ends_transaction: bool,
    pub(crate) may_commit: bool,
    pub(crate) may_change_database: bool,
}

impl Reading {
    /// Of a statement that we do not see.
    pub(crate) const OF_NOTHING: Self = Self {
        neutral: false,
        is_commit: false,
        ends_transaction: false,
        may_commit: true,
        may_change_database: true,
    };

    /// Of a text; whether it is neutral is only found out where that is of interest.
    pub(crate) fn of(sql: &[u8], watched: bool) -> Self {
        let neutral = watched && (is_neutral(sql) || is_transaction_verb(sql));
        Self {
            neutral,
            is_commit: is_commit(sql),
            ends_transaction: ends_transaction(sql),
            may_commit: may_commit(sql),
            may_change_database: !neutral && database::may_change(sql),
        }
    }
}

/// Of how many prepared statements the text is remembered; whoever keeps more of them has them read as unknown ones.
const MOST: usize = 256;

/// What was read in the texts of prepared statements, by their numbers at the server, which are never used twice.
#[derive(Default)]
pub(crate) struct Prepared(HashMap<u32, Reading>);

impl Prepared {
    pub(crate) fn add(&mut self, id: u32, reading: Reading) {
        if self.0.len() < MOST {
            self.0.insert(id, reading);
        }
    }

    pub(crate) fn get(&self, id: u32) -> Option<Reading> {
        self.0.get(&id).copied()
    }

    pub(crate) fn remove(&mut self, id: u32) {
        self.0.remove(&id);
    }

    /// A reset of the session has dropped them all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
