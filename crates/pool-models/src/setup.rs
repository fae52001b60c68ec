//! The settings of a model's pool.

use std::time::Duration;

use pool_core::{CheckPolicy, Verdict};

use crate::step::Step;

/// What the runtime does with a background task.
#[derive(Clone, Copy)]
pub enum Spawner {
    /// Refuses it.
    None,
    /// Runs it on a thread of the model.
    Runs,
    /// Drops it unpolled on a thread of the model, as a runtime that shuts down does.
    Drops,
}

/// The settings of a model's pool, and what the steps of its manager do.
#[derive(Clone)]
pub struct Setup {
    /// The pool's minsize.
    pub minsize: usize,
    /// The pool's maxsize.
    pub maxsize: usize,
    /// The pool's check policy.
    pub check_policy: CheckPolicy,
    /// The pool's `acquire_timeout`.
    pub acquire_timeout: Option<Duration>,
    /// The pool's `max_uses`.
    pub max_uses: Option<u64>,
    /// Whether the pool has its background upkeep.
    pub upkeep: bool,
    /// What becomes of a connection that comes back.
    pub verdict: Verdict,
    /// What a connect does.
    pub connect: Step,
    /// What a check does.
    pub check: Step,
    /// What a recycle does.
    pub recycle: Step,
    /// What a close does.
    pub close: Step,
    /// What becomes of background tasks.
    pub spawner: Spawner,
    /// Whether the timer may be set by what it wakes.
    pub is_reentrant: bool,
}

impl Default for Setup {
    /// One connection, no background tasks, no time-outs; each step succeeds at once and a return needs none.
    fn default() -> Self {
        Self {
            minsize: 0,
            maxsize: 1,
            check_policy: CheckPolicy::Never,
            acquire_timeout: None,
            max_uses: None,
            upkeep: false,
            verdict: Verdict::Reuse,
            connect: Step::Succeeds,
            check: Step::Succeeds,
            recycle: Step::Succeeds,
            close: Step::Succeeds,
            spawner: Spawner::None,
            is_reentrant: true,
        }
    }
}
