//! What came of a run.

use std::fmt;
use std::ops::AddAssign;

/// A promise was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// After how many operations; one more than there are: at the end.
    pub after: usize,
    /// What must not be.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after operation {}: {}", self.after, self.what)
    }
}

/// What runs have seen. A simulator that sees none of a thing proves nothing about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Runs.
    pub runs: u64,
    /// Operations that had something to work on.
    pub ops: u64,
    /// Connections that were handed out.
    pub served: u64,
    /// Pings that were answered.
    pub pings: u64,
    /// Acquires that ran into a time-out.
    pub timeouts: u64,
    /// Other errors of acquires, releases and fills.
    pub errors: u64,
    /// Futures that were dropped before their end.
    pub cancelled: u64,
    /// Steps of the manager that did not succeed at once.
    pub faults: u64,
    /// States at which everything had run that could.
    pub rests: u64,
    /// Steps of the manager that were dropped at their deadline.
    pub late_steps: u64,
    /// Connections that were aborted.
    pub aborts: u64,
    /// Pools that were made smaller than they were.
    pub shrinks: u64,
    /// Shutdowns whose time was over.
    pub late_shutdowns: u64,
    /// Runs that tried again.
    pub repeats: u64,
}

impl AddAssign for Coverage {
    fn add_assign(&mut self, other: Self) {
        self.runs += other.runs;
        self.ops += other.ops;
        self.served += other.served;
        self.pings += other.pings;
        self.timeouts += other.timeouts;
        self.errors += other.errors;
        self.cancelled += other.cancelled;
        self.faults += other.faults;
        self.rests += other.rests;
        self.late_steps += other.late_steps;
        self.aborts += other.aborts;
        self.shrinks += other.shrinks;
        self.late_shutdowns += other.late_shutdowns;
        self.repeats += other.repeats;
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} runs, {} operations, {} connections handed out, {} pings answered, {} time-outs, {} other errors, {} futures dropped, \
             {} faults, {} states at rest, {} steps ended by their deadline, {} connections aborted, \
             {} pools made smaller than they were, {} late shutdowns, {} runs repeated",
            self.runs,
            self.ops,
            self.served,
            self.pings,
            self.timeouts,
            self.errors,
            self.cancelled,
            self.faults,
            self.rests,
            self.late_steps,
            self.aborts,
            self.shrinks,
            self.late_shutdowns,
            self.repeats
        )
    }
}
