//! The goals of the two crates, and whether a run reached them.

mod in_memory;
mod on_mysql;

use crate::arithmetic::{median, ratio_within_rounds};
use crate::report::table::{align, number};
use crate::workload::{Outcome, Row};

/// What our value is compared with.
#[derive(Clone, Copy, Debug)]
enum Of {
    /// Nothing: the limit is for the value itself.
    Itself,
    /// One contender, within each round.
    One(&'static str),
    /// The best of these.
    Best(&'static [&'static str]),
    /// The best of those that give every task its share.
    BestFair(&'static [&'static str]),
    /// The same contender in another workload.
    OursIn(&'static str),
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    AtMost(f64),
    Below(f64),
    AtLeast(f64),
}

impl Limit {
    /// Whether a value is within the limit.
    fn admits(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::Below(limit) => value < limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }

    /// `<= 0.33`
    fn words(self) -> String {
        let (sign, limit) = match self {
            Self::AtMost(limit) => ("<=", limit),
            Self::Below(limit) => ("<", limit),
            Self::AtLeast(limit) => (">=", limit),
        };
        format!("{sign} {}", number(limit))
    }
}

/// One goal.
#[derive(Clone, Copy, Debug)]
struct Goal {
    workload: &'static str,
    column: &'static str,
    ours: &'static str,
    of: Of,
    limit: Limit,
}

/// A goal and the result of a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judged {
    pub(crate) workload: &'static str,
    /// The contender and the column.
    pub(crate) what: String,
    /// The limit, and the contender that we are compared with.
    pub(crate) goal: String,
    /// Our value or ratio, and whether it is within the limit. `None` if one of the two has no value.
    pub(crate) measured: Option<(f64, bool)>,
}

/// The goals of the selected workloads.
pub(crate) fn judge(outcomes: &[Outcome], wants: impl Fn(&str) -> bool) -> Vec<Judged> {
    in_memory::goals()
        .iter()
        .chain(&on_mysql::goals())
        .filter(|goal| wants(goal.workload))
        .map(|goal| goal.judge(outcomes))
        .collect()
}

/// The goals as a table.
pub(crate) fn table(goals: &[Judged]) -> String {
    let head = ["workload", "what", "goal", "measured", "reached"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(goals.iter().map(Judged::row));
    align(&rows)
}

impl Judged {
    fn row(&self) -> Vec<String> {
        let measured = match self.measured {
            None => "not measured".to_owned(),
            Some((value, _)) if value < 1.0 && value > 0.0 => format!("{value:.3}"),
            Some((value, _)) => number(value),
        };
        let reached = match self.measured {
            None => "-",
            Some((_, true)) => "yes",
            Some((_, false)) => "NO",
        };
        vec![
            self.workload.to_owned(),
            self.what.clone(),
            self.goal.clone(),
            measured,
            reached.to_owned(),
        ]
    }
}

impl Goal {
    fn judge(&self, outcomes: &[Outcome]) -> Judged {
        let measured = self.measure(outcomes);
        let whom = match (self.of, measured) {
            (Of::Itself, _) => String::new(),
            (Of::OursIn(workload), _) => format!(" x that of {workload}"),
            (_, Some((_, peer))) => format!(" x {peer}"),
            (Of::One(peer), None) => format!(" x {peer}"),
            (Of::Best(_), None) => " x the best peer".to_owned(),
            (Of::BestFair(_), None) => " x the best fair peer".to_owned(),
        };
        Judged {
            workload: self.workload,
            what: format!("{}: {}", self.ours, self.column),
            goal: format!("{}{whom}", self.limit.words()),
            measured: measured.map(|(value, _)| (value, self.limit.admits(value))),
        }
    }

    /// Our value or ratio, and the contender that we were compared with.
    fn measure(&self, outcomes: &[Outcome]) -> Option<(f64, &'static str)> {
        let outcome = run_of(outcomes, self.workload)?;
        let ours = outcome.row(self.ours)?;
        let peers = match self.of {
            Of::Itself => return Some((median(&ours.values(self.column))?, self.ours)),
            Of::OursIn(other) => {
                // The rounds of two workloads do not run at the same time, so there are no ratios within rounds.
                let theirs = run_of(outcomes, other)?.row(self.ours)?;
                let of = |row: &Row| median(&row.values(self.column));
                return Some((of(ours)? / of(theirs)?, self.ours));
            }
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
        let ours = ours.rounds(self.column);
        let ratios = peers.into_iter().filter_map(|peer| {
            let theirs = outcome.row(peer)?.rounds(self.column);
            Some((ratio_within_rounds(&ours, &theirs)?, peer))
        });
        // The best peer is the one with the worst ratio for us.
        match self.limit {
            Limit::AtMost(_) | Limit::Below(_) => {
                ratios.max_by(|one, other| one.0.total_cmp(&other.0))
            }
            Limit::AtLeast(_) => ratios.min_by(|one, other| one.0.total_cmp(&other.0)),
        }
    }
}

fn run_of<'a>(outcomes: &'a [Outcome], workload: &str) -> Option<&'a Outcome> {
    outcomes.iter().find(|run| run.id == workload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Row, Sample, less};

    fn outcome(id: &'static str) -> Outcome {
        let row = |contender, ns, jain| Row {
            contender,
            samples: vec![Some(Sample::of([("ns", ns), ("Jain", jain)]))],
            notes: Vec::new(),
        };
        const COLUMNS: &[crate::workload::Column] = &[less("ns")];
        Outcome {
            id,
            title: "w".to_owned(),
            columns: COLUMNS,
            baseline: "ours",
            rows: vec![
                row("ours", 10.0, 1.0),
                row("fair", 40.0, 1.0),
                row("hog", 20.0, 0.3),
            ],
            others_share: Vec::new(),
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

    fn measured(of: Of) -> Option<(f64, &'static str)> {
        goal(of).measure(&[outcome("w")])
    }

    #[test]
    fn the_best_peer_is_the_one_that_is_hardest_to_beat() {
        assert_eq!(measured(Of::Best(&["fair", "hog"])), Some((0.5, "hog")));
    }

    #[test]
    fn a_peer_that_starves_its_tasks_is_not_the_best_fair_one() {
        assert_eq!(
            measured(Of::BestFair(&["fair", "hog"])),
            Some((0.25, "fair"))
        );
    }

    #[test]
    fn a_goal_says_whether_it_was_reached() {
        let row = |of| goal(of).judge(&[outcome("w")]).row();
        assert_eq!(
            row(Of::One("fair")),
            ["w", "ours: ns", "<= 0.30 x fair", "0.250", "yes"]
        );
        assert_eq!(row(Of::Itself), ["w", "ours: ns", "<= 0.30", "10", "NO"]);
    }

    #[test]
    fn a_contender_can_be_compared_with_itself_in_another_workload() {
        let mut other = outcome("other");
        other.rows[0].samples = vec![Some(Sample::of([("ns", 50.0)]))];
        let row = goal(Of::OursIn("other"))
            .judge(&[outcome("w"), other])
            .row();
        let expected = ["w", "ours: ns", "<= 0.30 x that of other", "0.200", "yes"];
        assert_eq!(row, expected);
    }

    #[test]
    fn a_limit_may_be_strict() {
        assert!(Limit::AtMost(1.0).admits(1.0) && Limit::AtLeast(1.0).admits(1.0));
        assert!(Limit::Below(1.0).admits(0.99) && !Limit::Below(1.0).admits(1.0));
        assert_eq!(Limit::Below(1.0).words(), "< 1");
    }

    #[test]
    fn a_goal_without_a_value_is_listed_as_not_measured() {
        let row = |of, outcomes: &[Outcome]| goal(of).judge(outcomes).row();
        let nothing = ["w", "ours: ns", "<= 0.30", "not measured", "-"];
        assert_eq!(row(Of::Itself, &[]), nothing);
        let mut failed = outcome("w");
        failed.rows[1].samples = vec![None];
        let nobody = ["w", "ours: ns", "<= 0.30 x fair", "not measured", "-"];
        assert_eq!(row(Of::One("fair"), &[failed]), nobody);
        let all = judge(&[], |_| true);
        assert!(all.iter().all(|goal| goal.measured.is_none()));
        let some = judge(&[], |workload| workload == "storm");
        assert!(!some.is_empty() && some.len() < all.len());
    }

    #[test]
    fn the_columns_and_contenders_of_every_goal_exist() {
        let workloads = crate::workloads::all(crate::effort::Effort::Full);
        for goal in in_memory::goals() {
            let workload = workloads.iter().find(|one| one.id == goal.workload);
            let workload = workload.unwrap_or_else(|| panic!("no {}", goal.workload));
            let has = |name: &str| workload.cells.iter().any(|cell| cell.contender == name);
            let column = |name| workload.columns.iter().any(|column| column.name == name);
            assert!(has(goal.ours) && column(goal.column), "{goal:?}");
            match goal.of {
                Of::One(peer) => assert!(has(peer), "{goal:?}"),
                Of::Best(peers) | Of::BestFair(peers) => {
                    assert!(peers.iter().all(|peer| has(peer)), "{goal:?}");
                }
                Of::Itself | Of::OursIn(_) => {}
            }
        }
    }
}
