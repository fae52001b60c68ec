//! The in-memory workloads, a file each.

mod crowd;
mod fill;
mod hand_off;
pub(crate) mod instructions;
mod memory;
mod no_wait;
mod statement;
mod storm;
mod uncontended;

use crate::effort::Effort;
use crate::workload::Workload;

/// All in-memory workloads, in the order in which they run.
pub(crate) fn all(effort: Effort) -> Vec<Workload> {
    [
        uncontended::workloads(effort),
        instructions::workloads(effort),
        no_wait::workloads(effort),
        crowd::workloads(effort),
        hand_off::workloads(effort),
        fill::workloads(effort),
        storm::workloads(effort),
        memory::workloads(effort),
        statement::workloads(effort),
    ]
    .into_iter()
    .flatten()
    .collect()
}
