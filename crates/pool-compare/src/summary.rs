//! One table: each number of this revision, that of the other one, and their ratio.

use crate::arithmetic::{median, range, ratio_within_rounds};
use crate::table::{align, number};
use crate::workload::{Better, Outcome, Row};

/// The names of one pool in the two revisions.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) now: &'static str,
    pub(crate) before: &'static str,
}

impl Pair {
    const fn of(now: &'static str, before: &'static str) -> Self {
        Self { now, before }
    }
}

pub(crate) const CORE: Pair = Pair::of("pool-core", "pool-core, before");
pub(crate) const CORE_RECYCLING: Pair =
    Pair::of("pool-core, recycling", "pool-core, recycling, before");
pub(crate) const MYSQL: Pair = Pair::of("pool-mysql", "pool-mysql, before");
pub(crate) const MYSQL_IF_DIRTY: Pair =
    Pair::of("pool-mysql, if dirty", "pool-mysql, if dirty, before");

const PAIRS: [Pair; 4] = [CORE, CORE_RECYCLING, MYSQL, MYSQL_IF_DIRTY];

/// The columns that are compared.
const COLUMNS: [&str; 7] = [
    "ns",
    "cycles/s",
    "queries/s",
    "CPU us/query",
    "allocations",
    "instructions",
    "instructions/query",
];

/// The rows of all workloads.
pub(crate) struct Summary {
    rows: Vec<Vec<String>>,
    /// What went wrong, and how busy the machine was.
    notes: Vec<String>,
}

impl Summary {
    pub(crate) fn new(revision: &str) -> Self {
        let head = [
            "workload",
            "pool",
            "what",
            "now",
            revision,
            "ratio",
            "best now",
            "best then",
            "ratio of the best",
        ];
        Self {
            rows: vec![head.map(str::to_owned).to_vec()],
            notes: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, outcome: &Outcome) {
        for pair in PAIRS {
            let (Some(now), Some(before)) = (outcome.row(pair.now), outcome.row(pair.before))
            else {
                continue;
            };
            for column in outcome.columns {
                if COLUMNS.contains(&column.name) {
                    let words = compare(now, before, column.name, column.better);
                    let mut row = vec![outcome.id.to_owned(), pair.now.to_owned()];
                    row.push(column.name.to_owned());
                    row.extend(words);
                    self.rows.push(row);
                }
            }
        }
        for row in &outcome.rows {
            let notes = row.notes.iter();
            self.notes
                .extend(notes.map(|note| format!("{}: {}: {note}", outcome.id, row.contender)));
        }
        if let Some(share) = median(&outcome.others_share) {
            self.notes.push(format!(
                "{}: other processes used {:.0} % of the machine",
                outcome.id,
                share * 100.0
            ));
        }
    }

    pub(crate) fn text(&self, rounds: usize) -> String {
        let mut text = align(&self.rows);
        for note in &self.notes {
            text += &format!("\n- {note}");
        }
        text + &format!(
            "\n\nMedians over {rounds} rounds, the median of the ratios within each round, and the best round of each. A ratio is what \
             this revision has, divided by what the other one has. The place of the code in the program alone changes a time by some \
             per cent: what counts is a ratio that stays when the run is repeated."
        )
    }
}

/// The medians and their ratio, then the best values and their ratio.
fn compare(now: &Row, before: &Row, column: &str, better: Better) -> [String; 6] {
    let best = |row: &Row| {
        let (least, most) = range(&row.values(column))?;
        Some(if better == Better::More { most } else { least })
    };
    let words = |value: Option<f64>| value.map_or("-".to_owned(), number);
    let ratio = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
    let of_best = || {
        let (now, before) = (best(now)?, best(before)?);
        (before != 0.0).then(|| now / before)
    };
    [
        words(median(&now.values(column))),
        words(median(&before.values(column))),
        ratio(ratio_within_rounds(
            &now.rounds(column),
            &before.rounds(column),
        )),
        words(best(now)),
        words(best(before)),
        ratio(of_best()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Column, Sample, less, more};

    fn row(contender: &'static str, values: &[f64]) -> Row {
        Row {
            contender,
            samples: values
                .iter()
                .map(|&value| Some(Sample::of([("ns", value)])))
                .collect(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn both_sides_have_their_medians_and_their_best_rounds() {
        let (now, before) = (row("a", &[30.0, 10.0, 20.0]), row("b", &[60.0, 40.0, 40.0]));
        let less = compare(&now, &before, "ns", Better::Less);
        assert_eq!(less, ["20", "40", "0.500", "10", "40", "0.250"]);
        let more = compare(&now, &before, "ns", Better::More);
        assert_eq!(more, ["20", "40", "0.500", "30", "60", "0.500"]);
    }

    #[test]
    fn a_pool_that_ran_in_one_revision_only_is_not_compared() {
        const COLUMNS: &[Column] = &[less("ns"), more("Jain")];
        let outcome = |rows| Outcome {
            id: "w",
            title: "w".to_owned(),
            columns: COLUMNS,
            baseline: CORE.now,
            rows,
            others_share: Vec::new(),
        };
        let mut summary = Summary::new("v1");
        summary.add(&outcome(vec![row(CORE.now, &[1.0])]));
        assert_eq!(summary.rows.len(), 1, "the head only");
        summary.add(&outcome(vec![
            row(CORE.now, &[1.0]),
            row(CORE.before, &[2.0]),
        ]));
        assert_eq!(summary.rows.len(), 2, "one column is compared");
        assert!(summary.text(1).contains(" v1 |"));
    }
}
