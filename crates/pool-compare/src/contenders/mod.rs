//! The pools of the two revisions.

pub(crate) mod before;
pub(crate) mod now;

use crate::contender::{Contender, ContenderTask};
use crate::fake::SMALL;

/// The contender with which the others are compared.
pub(crate) const OURS: &str = now::Core::<SMALL, false>::NAME;

/// Runs a task for both revisions with connections of this padding: with connections that come back clean, and with a recycle of each
/// return.
pub(crate) fn run_for_all<const PAD: usize, T: ContenderTask>(task: &T) -> Vec<T::Output> {
    vec![
        task.run::<now::Core<PAD, false>>(),
        task.run::<before::Core<PAD, false>>(),
        task.run::<now::Core<PAD, true>>(),
        task.run::<before::Core<PAD, true>>(),
    ]
}

/// What an operator can turn on is not compared.
pub(crate) fn run_for_watched<T: ContenderTask>(_: &T) -> Vec<T::Output> {
    Vec::new()
}
