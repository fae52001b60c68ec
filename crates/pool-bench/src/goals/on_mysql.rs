//! The goals of pool-mysql.

use super::Limit::{AtLeast, AtMost};
use super::{Goal, Limit, Of};

const OURS: &str = "pool-mysql";
const IF_DIRTY: &str = "pool-mysql, if dirty";
const NO_RESET: &str = "pool-mysql, no reset";
const RAW: Of = Of::One("raw connections");
const DRIVER: Of = Of::One("mysql_async's pool");
/// The peers that reset each session.
const CLEAN: Of = Of::Best(&["mysql_async's pool", "deadpool, reset"]);

fn speed(workload: &'static str, ours: &'static str, of: Of, least: f64) -> Goal {
    goal(workload, "queries/s", ours, of, AtLeast(least))
}

fn goal(
    workload: &'static str,
    column: &'static str,
    ours: &'static str,
    of: Of,
    limit: Limit,
) -> Goal {
    Goal {
        workload,
        column,
        ours,
        of,
        limit,
    }
}

/// Exactly one reset for each query and no ping, or neither of them. The tolerance is for the commands that open the pool.
fn commands(id: &'static str) -> [Goal; 3] {
    let column = "admin/query";
    [
        goal(id, column, OURS, Of::Itself, AtLeast(0.98)),
        goal(id, column, OURS, Of::Itself, AtMost(1.02)),
        goal(id, column, NO_RESET, Of::Itself, AtMost(0.02)),
    ]
}

/// Policies that send nothing after a plain statement.
fn quick(id: &'static str) -> [Goal; 3] {
    [
        speed(id, IF_DIRTY, RAW, 0.95),
        goal(id, "admin/query", IF_DIRTY, Of::Itself, AtMost(0.02)),
        speed(id, NO_RESET, RAW, 0.95),
    ]
}

/// Goals for one task.
fn alone(id: &'static str) -> Vec<Goal> {
    let mut goals = vec![
        speed(id, OURS, DRIVER, 0.95),
        goal(id, "p50 us", OURS, DRIVER, AtMost(1.1)),
        goal(id, "CPU us/query", OURS, DRIVER, AtMost(1.15)),
    ];
    goals.extend(quick(id));
    goals.extend(commands(id));
    goals
}

/// Goals for as many tasks as connections, or more.
fn busy(id: &'static str) -> Vec<Goal> {
    let mut goals = vec![
        speed(id, OURS, CLEAN, 0.97),
        goal(id, "CPU us/query", OURS, DRIVER, AtMost(1.15)),
    ];
    goals.extend(quick(id));
    goals.extend(commands(id));
    goals
}

fn fair(id: &'static str, least: f64) -> Goal {
    goal(id, "slowest/fastest", OURS, Of::Itself, AtLeast(least))
}

fn cold(id: &'static str) -> Goal {
    goal(id, "ms", OURS, RAW, AtMost(1.15))
}

/// One error for each task, found within 50 ms, and no session too many.
fn outage(ours: &'static str) -> [Goal; 4] {
    let goal = |column, most| goal("mysql-outage", column, ours, Of::Itself, AtMost(most));
    [
        goal("errors", 16.0),
        goal("ms to the first answer", 50.0),
        goal("ms to full throughput", 250.0),
        goal("most sessions", 16.0),
    ]
}

pub(super) fn goals() -> Vec<Goal> {
    let mut goals = Vec::new();
    for id in [
        "mysql-1-tcp",
        "mysql-1-block-on-tcp",
        "mysql-1-unix",
        "mysql-1-block-on-unix",
    ] {
        goals.extend(alone(id));
    }
    for id in [
        "mysql-8-tcp",
        "mysql-8-unix",
        "mysql-64-tcp",
        "mysql-64-unix",
        "mysql-512-tcp",
        "mysql-512-unix",
    ] {
        goals.extend(busy(id));
    }
    goals.extend([
        fair("mysql-64-tcp", 0.95),
        fair("mysql-64-unix", 0.95),
        fair("mysql-512-tcp", 0.9),
        fair("mysql-512-unix", 0.9),
        goal(
            "mysql-instructions-64",
            "instructions/query",
            OURS,
            Of::Itself,
            AtMost(22_000.0),
        ),
        speed(
            "mysql-cursor",
            "Cursor: execute, fetchone",
            Of::One("query_first"),
            0.97,
        ),
        cold("mysql-cold-tcp"),
        cold("mysql-cold-unix"),
    ]);
    goals.extend(outage(OURS));
    goals.extend(outage(IF_DIRTY));
    goals
}
