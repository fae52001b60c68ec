//! The goals of pool-core.

use super::Limit::{AtLeast, AtMost, Below};
use super::{Goal, Limit, Of};

const OURS: &str = "pool-core";
const PEERS: &[&str] = &["asyncband", "deadpool", "bb8", "mobc", "sqlx"];

fn goal(workload: &'static str, column: &'static str, of: Of, limit: Limit) -> Goal {
    Goal {
        workload,
        column,
        ours: OURS,
        of,
        limit,
    }
}

pub(super) fn goals() -> Vec<Goal> {
    let mut goals = vec![
        goal("uncontended", "ns", Of::Best(PEERS), AtMost(0.33)),
        goal("uncontended-1k", "ns", Of::Best(PEERS), AtMost(0.33)),
        goal("uncontended-smol", "ns", Of::Best(PEERS), AtMost(0.33)),
        goal("uncontended-smol-1k", "ns", Of::Best(PEERS), AtMost(0.33)),
        goal(
            "uncontended",
            "ns",
            Of::One("floor: ArrayQueue"),
            AtMost(2.0),
        ),
        goal("uncontended", "allocations", Of::Itself, AtMost(0.0)),
        goal("uncontended-1k", "allocations", Of::Itself, AtMost(0.0)),
        goal("instructions", "instructions", Of::Itself, AtMost(250.0)),
        goal("instructions-1k", "instructions", Of::Itself, AtMost(250.0)),
        goal("no-wait", "cycles/s", Of::One("deadpool"), AtLeast(3.0)),
        goal("no-wait-1k", "cycles/s", Of::One("deadpool"), AtLeast(3.0)),
        goal("crowd-64", "cycles/s", Of::BestFair(PEERS), AtLeast(1.4)),
        goal("crowd-64", "Jain", Of::Itself, AtLeast(0.99)),
        goal("crowd-64", "p99 us", Of::BestFair(PEERS), Below(1.0)),
        goal("crowd-1000", "cycles/s", Of::BestFair(PEERS), AtLeast(1.4)),
        goal("crowd-1000", "Jain", Of::Itself, AtLeast(0.99)),
        goal("crowd-1000", "p99 us", Of::BestFair(PEERS), Below(1.0)),
        goal("hand-off-10", "ns", Of::Best(PEERS), AtMost(0.6)),
        goal("hand-off-1000", "ns", Of::Best(PEERS), AtMost(0.6)),
        goal("hand-off-100000", "ns", Of::Best(PEERS), AtMost(0.6)),
        goal(
            "hand-off-1000",
            "ns",
            Of::OursIn("hand-off-10"),
            AtMost(1.1),
        ),
        goal(
            "hand-off-1000",
            "heap bytes/waiter, warm",
            Of::Itself,
            AtMost(0.0),
        ),
        goal(
            "hand-off-1000",
            "acquire future bytes",
            Of::Itself,
            AtMost(160.0),
        ),
        goal("fill", "cold ms", Of::Itself, AtMost(7.5)),
        goal("fill", "warm ms", Of::Itself, AtMost(7.5)),
    ];
    goals.push(goal(
        "memory",
        "bytes beside the connection",
        Of::Itself,
        AtMost(64.0),
    ));
    for ours in ["SELECT", "SELECT, if dirty"] {
        goals.push(Goal {
            ours,
            ..goal("statement", "ns", Of::Itself, AtMost(150.0))
        });
    }
    goals.push(Goal {
        ours: "pool-core, leak warning",
        ..goal("watched", "ns", Of::One(OURS), AtMost(1.95))
    });
    for ours in ["pool-core", "pool-core, recycling", "pool-core, checking"] {
        for column in ["lost of 4", "reconnects", "too many open"] {
            goals.push(Goal {
                ours,
                ..goal("storm", column, Of::Itself, AtMost(0.0))
            });
        }
    }
    goals
}
