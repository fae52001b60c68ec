//! The list of rows in which a peer was better than ours.

use super::table::{align, number};
use crate::arithmetic::{median, ratio_within_rounds};
use crate::workload::{Better, Outcome, Row};

/// A smaller ratio is noise.
const NOISE: f64 = 1.05;

/// Which of ours is compared with which peers. A peer is listed if it promises as much about the session as ours, or less.
const PAIRS: [(&str, &[&str]); 3] = [
    (
        "pool-core",
        &[
            "asyncband",
            "deadpool",
            "bb8",
            "mobc",
            "sqlx",
            "r2d2 (blocking)",
        ],
    ),
    (
        "pool-mysql",
        &[
            "mysql_async's pool",
            "deadpool, reset",
            "deadpool, ping",
            "bb8",
            "sqlx",
        ],
    ),
    (
        "pool-mysql, no reset",
        &[
            "mysql_async's pool, no reset",
            "deadpool, nothing",
            "bb8, no test",
            "sqlx, no test",
        ],
    ),
];

/// The section of the page.
pub(super) fn section(outcomes: &[Outcome]) -> String {
    let mut rows = vec![
        ["workload", "ours", "", "who is better", "", "by"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for outcome in outcomes {
        for (ours, peers) in PAIRS {
            rows.extend(peers.iter().filter_map(|peer| loss(outcome, ours, peer)));
        }
    }
    let words = "## Where a peer is better\n\nBy more than 5 % in the first column of a table:";
    match rows.len() {
        1 => format!("{words} nowhere in this run.\n"),
        _ => format!("{words}\n\n{}", align(&rows)),
    }
}

fn loss(outcome: &Outcome, ours: &str, peer: &str) -> Option<Vec<String>> {
    let column = outcome.columns[0];
    let (ours, peer) = (outcome.row(ours)?, outcome.row(peer)?);
    let (mine, theirs) = (ours.rounds(column.name), peer.rounds(column.name));
    let ratio = match column.better {
        Better::Less => ratio_within_rounds(&mine, &theirs)?,
        Better::More => ratio_within_rounds(&theirs, &mine)?,
        Better::Neutral => return None,
    };
    (ratio > NOISE).then_some(())?;
    let value = |row: &Row| {
        let median = median(&row.values(column.name))?;
        Some(format!("{} {}", number(median), column.name))
    };
    Some(vec![
        outcome.id.to_owned(),
        ours.contender.to_owned(),
        value(ours)?,
        peer.contender.to_owned(),
        value(peer)?,
        format!("{:.0} %", (ratio - 1.0) * 100.0),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Column, Sample, less, more};

    fn outcome(columns: &'static [Column], ours: f64, theirs: f64) -> Outcome {
        let row = |contender, value| Row {
            contender,
            samples: vec![Some(Sample::of([("x", value)]))],
            notes: Vec::new(),
        };
        Outcome {
            id: "w",
            title: "w".to_owned(),
            columns,
            baseline: "pool-core",
            rows: vec![row("pool-core", ours), row("bb8", theirs)],
            others_share: Vec::new(),
        }
    }

    #[test]
    fn a_peer_that_is_better_is_named() {
        const MORE: &[Column] = &[more("x")];
        const LESS: &[Column] = &[less("x")];
        let row = loss(&outcome(MORE, 10.0, 15.0), "pool-core", "bb8");
        assert_eq!(
            row.expect("a loss"),
            ["w", "pool-core", "10 x", "bb8", "15 x", "50 %"]
        );
        assert!(section(&[outcome(LESS, 10.0, 5.0)]).contains("100 %"));
        assert!(section(&[outcome(LESS, 10.0, 9.9)]).contains("nowhere"));
        assert!(section(&[outcome(MORE, 10.0, 5.0)]).contains("nowhere"));
    }
}
