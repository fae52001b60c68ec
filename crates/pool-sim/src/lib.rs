//! Runs a pool through random schedules, faults and cancellations, and checks its promises after every step.
//!
//! A [`Script`] is a list of operations, the outcomes of the manager's methods, and the settings of the pool. It decides
//! everything: which future is polled next, which waker runs its task at once, when a timer strikes and how late. So the
//! same script always does the same, and a script that fails can be made shorter ([`shrink`]) and kept as a test
//! ([`Script`] is read from its own text). [`generate`] makes a script from a seed.
//!
//! Everything runs on one thread. What several threads do at once is the business of the models with shuttle and loom.

#![forbid(unsafe_code)]

mod aborts;
mod calls;
mod connection;
mod generate;
mod govern;
mod handout;
mod held;
mod history;
mod interceptor;
mod laws;
mod lifetimes;
mod manager;
mod ops;
mod order;
mod pings;
mod promises;
mod report;
mod run;
mod runtime;
mod script;
mod settle;
mod shrink;
mod simulated;
mod steps;
mod task;
mod text;
mod world;

pub use crate::generate::generate;
pub use crate::report::{Coverage, Failure};
pub use crate::script::{Op, Outcome, Script, Settings, Spawner, Verb};
pub use crate::shrink::{shrink, shrink_under};
pub use crate::text::ScriptError;
pub use crate::world::run;
