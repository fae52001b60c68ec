//! The scenarios, a file each family. The ids are those of the project's list of pool bugs.

mod accounting;
mod broken;
mod cancel;
mod close;
mod errors;
mod fairness;
mod idle;
mod leaks;
mod lifetime;
mod many;
mod panics;
mod runtime_gone;
mod wake_ups;

use crate::runner::Scenario;

/// All scenarios, in the order of the table.
pub(crate) fn all() -> Vec<Scenario> {
    [
        cancel::ALL,
        wake_ups::ALL,
        accounting::ALL,
        fairness::ALL,
        close::ALL,
        runtime_gone::ALL,
        panics::ALL,
        errors::ALL,
        broken::ALL,
        lifetime::ALL,
        idle::ALL,
        many::ALL,
        leaks::ALL,
    ]
    .concat()
}
