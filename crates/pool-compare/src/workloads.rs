//! The in-memory workloads that are compared.

#[path = "../../pool-bench/src/workloads/crowd.rs"]
mod crowd;
#[path = "../../pool-bench/src/workloads/hand_off.rs"]
mod hand_off;
#[path = "../../pool-bench/src/workloads/instructions.rs"]
pub(crate) mod instructions;
#[path = "../../pool-bench/src/workloads/uncontended.rs"]
mod uncontended;

use crate::effort::Effort;
use crate::workload::Workload;

pub(crate) fn all(effort: Effort) -> Vec<Workload> {
    [
        instructions::workloads(effort),
        uncontended::workloads(effort),
        crowd::workloads(effort),
        hand_off::workloads(effort),
    ]
    .into_iter()
    .flatten()
    .collect()
}
