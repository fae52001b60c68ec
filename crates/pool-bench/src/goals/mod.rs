//! What the two crates are meant to reach, and whether a run reached it.

mod in_memory;
mod on_mysql;

use crate::arithmetic::{median, ratio_within_rounds};
use crate::report::table::{align, number};
use crate::workload::Outcome;

/// With what ours is compared.
#[derive(Clone, Copy, Debug)]
enum Of {
    /// With nothing: the value itself counts.
    Itself,
    /// With one contender, within each round.
    One(&'static str),
    /// With whichever of these is best.
    Best(&'static [&'static str]),
    /// With whichever of these is best and gives every task its share.
    BestFair(&'static [&'static str]),
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// One figure to reach.
#[derive(Clone, Copy, Debug)]
struct Goal {
    workload: &'static str,
    column: &'static str,
    ours: &'static str,
    of: Of,
    limit: Limit,
}

/// Everything that has a goal, as a table. What was not run is left out.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let mut rows = vec![
        ["workload", "what", "goal", "measured", "reached"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for goal in in_memory::goals().iter().chain(&on_mysql::goals()) {
        if let Some(row) = row(goal, outcomes) {
            rows.push(row);
        }
    }
    align(&rows)
}

fn row(goal: &Goal, outcomes: &[Outcome]) -> Option<Vec<String>> {
    let outcome = outcomes.iter().find(|run| run.id == goal.workload)?;
    let (value, whom) = measured(goal, outcome)?;
    let (sign, limit, reached) = match goal.limit {
        Limit::AtMost(limit) => ("<=", limit, value <= limit),
        Limit::AtLeast(limit) => (">=", limit, value >= limit),
    };
    let times = match whom {
        Some(whom) => format!(" x {whom}"),
        None => String::new(),
    };
    Some(vec![
        goal.workload.to_owned(),
        format!("{}: {}", goal.ours, goal.column),
        format!("{sign} {}{times}", number(limit)),
        match value < 1.0 && value > 0.0 {
            true => format!("{value:.3}"),
            false => number(value),
        },
        if reached { "yes" } else { "NO" }.to_owned(),
    ])
}

/// Our value or ratio, and with whom we were compared.
fn measured(goal: &Goal, outcome: &Outcome) -> Option<(f64, Option<&'static str>)> {
    let ours = outcome.row(goal.ours)?.values(goal.column);
    let peers = match goal.of {
        Of::Itself => return Some((median(&ours)?, None)),
        Of::One(peer) => vec![peer],
        Of::Best(peers) => peers.to_vec(),
        Of::BestFair(peers) => {
            let is_fair = |peer: &&str| {
                let row = outcome.row(peer);
                let jain = row.and_then(|row| median(&row.values("Jain")));
                jain.is_some_and(|jain| jain >= 0.95)
            };
            peers.iter().copied().filter(is_fair).collect()
        }
    };
    let ratios = peers.into_iter().filter_map(|peer| {
        let theirs = outcome.row(peer)?.values(goal.column);
        Some((ratio_within_rounds(&ours, &theirs)?, peer))
    });
    // The best peer is the one beside whom we look worst.
    let worst = match goal.limit {
        Limit::AtMost(_) => ratios.max_by(|one, other| one.0.total_cmp(&other.0)),
        Limit::AtLeast(_) => ratios.min_by(|one, other| one.0.total_cmp(&other.0)),
    };
    worst.map(|(ratio, peer)| (ratio, Some(peer)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Row, Sample, less};

    fn outcome() -> Outcome {
        let row = |contender, ns, jain| Row {
            contender,
            samples: vec![Sample::of([("ns", ns), ("Jain", jain)])],
            notes: Vec::new(),
        };
        const COLUMNS: &[crate::workload::Column] = &[less("ns")];
        Outcome {
            id: "w",
            title: "w".to_owned(),
            columns: COLUMNS,
            baseline: "ours",
            rows: vec![
                row("ours", 10.0, 1.0),
                row("fair", 40.0, 1.0),
                row("hog", 20.0, 0.3),
            ],
            strangers: Vec::new(),
        }
    }

    fn goal(of: Of) -> Goal {
        Goal {
            workload: "w",
            column: "ns",
            ours: "ours",
            of,
            limit: Limit::AtMost(0.3),
        }
    }

    #[test]
    fn the_best_peer_is_the_one_that_is_hardest_to_beat() {
        let best = measured(&goal(Of::Best(&["fair", "hog"])), &outcome());
        assert_eq!(best, Some((0.5, Some("hog"))));
    }

    #[test]
    fn a_peer_that_starves_its_tasks_is_not_the_best_fair_one() {
        let best = measured(&goal(Of::BestFair(&["fair", "hog"])), &outcome());
        assert_eq!(best, Some((0.25, Some("fair"))));
    }

    #[test]
    fn a_goal_says_whether_it_was_reached() {
        let row = row(&goal(Of::One("fair")), &[outcome()]).expect("it was run");
        assert_eq!(row, ["w", "ours: ns", "<= 0.30 x fair", "0.250", "yes"]);
        let row = super::row(&goal(Of::Itself), &[outcome()]).expect("it was run");
        assert_eq!(row, ["w", "ours: ns", "<= 0.30", "10", "NO"]);
        assert_eq!(super::row(&goal(Of::Itself), &[]), None, "it was not run");
    }
}
