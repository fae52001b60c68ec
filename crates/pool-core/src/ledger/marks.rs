//! What the ledger notes of a connection while nobody holds it.

use std::time::Instant;

/// What has been found out about a connection since it was used last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Nobody gets it any more.
    pub(super) is_spent: bool,
    /// One like it was lost, so it has to be checked.
    pub(super) is_suspect: bool,
    /// When a check succeeded last.
    pub(super) alive_at: Option<Instant>,
}

impl Marks {
    /// Whether it can be handed out without a look at it.
    pub(super) fn is_plain(&self) -> bool {
        !self.is_spent && !self.is_suspect
    }
}

/// Whether a connection can be used, as far as its lifetime tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fitness {
    #[default]
    Fit,
    /// It is to be replaced, and can be used until its replacement stands.
    Due,
    /// Nobody gets it any more.
    Spent,
}
