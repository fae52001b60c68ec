//! A workload, its rows, and how they are measured: in each round, every contender has one turn.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::progress::Progress;
use crate::quiet::{self, Watch};

/// A disturbed measurement is made at most this many times.
const TRIES: u32 = 4;

/// The result of one contender in one round: values for some of the columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) values: Vec<(&'static str, f64)>,
    /// Faults that did not end the measurement: hung tasks, lost connections.
    pub(crate) notes: Vec<String>,
}

impl Sample {
    pub(crate) fn of(values: impl Into<Vec<(&'static str, f64)>>) -> Self {
        Self {
            values: values.into(),
            notes: Vec::new(),
        }
    }

    pub(crate) fn note_if(mut self, bad: bool, note: impl FnOnce() -> String) -> Self {
        if bad {
            self.notes.push(note());
        }
        self
    }
}

/// Measures one contender once.
pub(crate) type Measure = Box<dyn FnMut() -> Result<Sample, String>>;

/// One contender in one workload.
pub(crate) struct Cell {
    pub(crate) contender: &'static str,
    pub(crate) measure: Measure,
}

/// The name of a column, and which of its values are better.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) better: Better,
}

/// Which values are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Less,
    More,
    /// The column is shown, but not judged.
    Neutral,
}

pub(crate) const fn less(name: &'static str) -> Column {
    Column {
        name,
        better: Better::Less,
    }
}

pub(crate) const fn more(name: &'static str) -> Column {
    Column {
        name,
        better: Better::More,
    }
}

pub(crate) const fn neutral(name: &'static str) -> Column {
    Column {
        name,
        better: Better::Neutral,
    }
}

/// A workload. The first column is its main result.
pub(crate) struct Workload {
    pub(crate) id: &'static str,
    pub(crate) title: String,
    pub(crate) columns: &'static [Column],
    /// The contender with which the others are compared.
    pub(crate) baseline: &'static str,
    pub(crate) rounds: usize,
    /// Whether other processes change the result. A measurement that they disturbed is then repeated.
    pub(crate) needs_quiet: bool,
    pub(crate) cells: Vec<Cell>,
}

/// The results of a contender in all rounds.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) contender: &'static str,
    /// One for each round; `None` if the round failed.
    pub(crate) samples: Vec<Option<Sample>>,
    /// Why it could not be measured, and the notes of its samples.
    pub(crate) notes: Vec<String>,
}

impl Row {
    /// The values of a column, one for each round; `None` if the round has no value.
    pub(crate) fn rounds(&self, column: &str) -> Vec<Option<f64>> {
        let value = |sample: &Sample| {
            let mut values = sample.values.iter();
            let found = values.find(|(name, _)| *name == column);
            found.map(|&(_, value)| value)
        };
        self.samples
            .iter()
            .map(|sample| sample.as_ref().and_then(value))
            .collect()
    }

    /// The values of a column, without the rounds that have no value.
    pub(crate) fn values(&self, column: &str) -> Vec<f64> {
        self.rounds(column).into_iter().flatten().collect()
    }

    /// Whether every round so far has failed.
    fn has_only_failed(&self) -> bool {
        !self.notes.is_empty() && self.samples.iter().all(Option::is_none)
    }
}

/// The rows of a finished workload.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The name of the workload in files.
    pub(crate) id: &'static str,
    pub(crate) title: String,
    pub(crate) columns: &'static [Column],
    pub(crate) baseline: &'static str,
    pub(crate) rows: Vec<Row>,
    /// The share of the machine that other processes used in each measurement, if `needs_quiet` is set.
    pub(crate) others_share: Vec<f64>,
}

impl Outcome {
    pub(crate) fn row(&self, contender: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.contender == contender)
    }
}

impl Workload {
    /// The number of measurements.
    pub(crate) fn turns(&self) -> usize {
        self.rounds * self.cells.len()
    }

    /// Measures all rounds. In each round every contender has one turn. Each round begins with another contender.
    pub(crate) fn run(mut self, progress: &Progress, budget: &mut RepeatBudget) -> Outcome {
        let mut rows: Vec<Row> = self
            .cells
            .iter()
            .map(|cell| Row {
                contender: cell.contender,
                samples: Vec::new(),
                notes: Vec::new(),
            })
            .collect();
        let count = self.cells.len();
        let mut others_share = Vec::new();
        for round in 0..self.rounds {
            for turn in 0..count {
                let index = (turn + round) % count;
                let (cell, row) = (&mut self.cells[index], &mut rows[index]);
                progress.turn(self.id, cell.contender);
                if row.has_only_failed() {
                    row.samples.push(None);
                    continue;
                }
                let notes = match measure(cell, self.needs_quiet, budget) {
                    Ok((sample, share)) => {
                        let notes = sample.notes.clone();
                        row.samples.push(Some(sample));
                        if self.needs_quiet {
                            others_share.push(share);
                        }
                        notes
                    }
                    Err(why) => {
                        row.samples.push(None);
                        vec![why]
                    }
                };
                for note in notes {
                    if !row.notes.contains(&note) {
                        row.notes.push(note);
                    }
                }
            }
        }
        Outcome {
            id: self.id,
            title: self.title,
            columns: self.columns,
            baseline: self.baseline,
            rows,
            others_share,
        }
    }
}

/// The time that is left for repeated measurements, and the processes that do not count as others.
pub(crate) struct RepeatBudget {
    pub(crate) left: Duration,
    pub(crate) pids: Vec<u32>,
}

/// Measures once. If other processes disturbed it, it measures again, and keeps the least disturbed sample.
fn measure(
    cell: &mut Cell,
    needs_quiet: bool,
    budget: &mut RepeatBudget,
) -> Result<(Sample, f64), String> {
    let mut best: Option<(Sample, f64)> = None;
    for again in 0..TRIES {
        let start = Instant::now();
        let watch = Watch::begin(&budget.pids);
        let sample = match catch_unwind(AssertUnwindSafe(|| (cell.measure)())) {
            Ok(result) => result?,
            Err(panic) => return Err(format!("PANIC: {}", panic_message(panic.as_ref()))),
        };
        let share = watch.others_share().unwrap_or_default();
        if again > 0 {
            budget.left = budget.left.saturating_sub(start.elapsed());
        }
        if best.as_ref().is_none_or(|&(_, least)| share < least) {
            best = Some((sample, share));
        }
        if !needs_quiet || share <= quiet::LIMIT || budget.left.is_zero() {
            break;
        }
    }
    best.ok_or_else(|| "not measured".to_owned())
}

/// The first line of the message of a panic.
fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let words = match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(words), _) => words.as_str(),
        (None, Some(words)) => words,
        (None, None) => "no message",
    };
    words.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs rounds whose results are listed.
    fn run(listed: Vec<Result<Sample, String>>) -> Outcome {
        const COLUMNS: &[Column] = &[less("ns")];
        let rounds = listed.len();
        let mut listed = listed.into_iter();
        let workload = Workload {
            id: "w",
            title: "w".to_owned(),
            columns: COLUMNS,
            baseline: "a",
            rounds,
            needs_quiet: false,
            cells: vec![Cell {
                contender: "a",
                measure: Box::new(move || listed.next().expect("no more rounds than listed")),
            }],
        };
        let mut budget = RepeatBudget {
            left: Duration::ZERO,
            pids: Vec::new(),
        };
        let progress = Progress::new(rounds);
        let outcome = workload.run(&progress, &mut budget);
        progress.done();
        outcome
    }

    fn sample(ns: f64) -> Sample {
        Sample::of([("ns", ns)])
    }

    #[test]
    fn each_note_is_kept_once() {
        let bad = || {
            sample(1.0)
                .note_if(true, || "HANGS".to_owned())
                .note_if(false, || "LOSES".to_owned())
                .note_if(true, || "STARVES".to_owned())
        };
        let outcome = run(vec![Ok(bad()), Ok(bad())]);
        assert_eq!(outcome.rows[0].notes, ["HANGS", "STARVES"]);
    }

    #[test]
    fn a_round_that_failed_keeps_its_place() {
        let rounds = vec![Ok(sample(1.0)), Err("HANGS".to_owned()), Ok(sample(3.0))];
        let outcome = run(rounds);
        let row = &outcome.rows[0];
        assert_eq!(row.rounds("ns"), [Some(1.0), None, Some(3.0)]);
        assert_eq!(row.values("ns"), [1.0, 3.0]);
        assert_eq!(row.notes, ["HANGS"]);
    }

    #[test]
    fn a_contender_that_failed_in_the_first_round_is_not_measured_again() {
        let outcome = run(vec![Err("PANICS".to_owned()), Ok(sample(1.0))]);
        let row = &outcome.rows[0];
        assert_eq!(row.rounds("ns"), [None, None]);
        assert_eq!(row.notes, ["PANICS"]);
    }
}
