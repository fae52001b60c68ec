//! A workload, its rows, and how they are measured: contenders in turns, round by round.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::progress::Progress;
use crate::quiet::{self, Watch};

/// How often a disturbed measurement is made at most.
const TRIES: u32 = 4;

/// What one contender gave in one round: a value for some of the columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) values: Vec<(&'static str, f64)>,
    /// What went wrong without stopping it: hung tasks, lost connections.
    pub(crate) notes: Vec<String>,
}

impl Sample {
    pub(crate) fn of(values: impl Into<Vec<(&'static str, f64)>>) -> Self {
        Self {
            values: values.into(),
            notes: Vec::new(),
        }
    }

    pub(crate) fn noting(mut self, bad: bool, note: impl FnOnce() -> String) -> Self {
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

/// What is in a column and how it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) better: Better,
}

/// Which values are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Less,
    More,
    /// Neither: it is told, not judged.
    Told,
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

pub(crate) const fn told(name: &'static str) -> Column {
    Column {
        name,
        better: Better::Told,
    }
}

/// A workload that can be run. The first column is the one it is about.
pub(crate) struct Workload {
    pub(crate) id: &'static str,
    pub(crate) title: String,
    pub(crate) columns: &'static [Column],
    /// The contender that the others are compared with.
    pub(crate) baseline: &'static str,
    pub(crate) rounds: usize,
    /// Whether strangers on the machine spoil it: a measurement that they disturbed is repeated.
    pub(crate) needs_quiet: bool,
    pub(crate) cells: Vec<Cell>,
}

/// What a contender gave in all rounds.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) contender: &'static str,
    /// One a round; nothing in a round that failed.
    pub(crate) samples: Vec<Option<Sample>>,
    /// Why it could not be measured, or what happened on the way.
    pub(crate) notes: Vec<String>,
}

impl Row {
    /// A column round by round, with nothing where a round gave no value.
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

    /// The values of a column, without the rounds that gave none.
    pub(crate) fn values(&self, column: &str) -> Vec<f64> {
        self.rounds(column).into_iter().flatten().collect()
    }

    /// Whether it was tried and gave nothing so far.
    fn cannot_do_it(&self) -> bool {
        !self.notes.is_empty() && self.samples.iter().all(Option::is_none)
    }
}

/// The rows of a workload that was run.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// What it is called in files.
    pub(crate) id: &'static str,
    pub(crate) title: String,
    pub(crate) columns: &'static [Column],
    pub(crate) baseline: &'static str,
    pub(crate) rows: Vec<Row>,
    /// The share of the machine that strangers had in each measurement, where they spoil it.
    pub(crate) strangers: Vec<f64>,
}

impl Outcome {
    pub(crate) fn row(&self, contender: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.contender == contender)
    }
}

impl Workload {
    /// How many measurements it takes.
    pub(crate) fn turns(&self) -> usize {
        self.rounds * self.cells.len()
    }

    /// Measures all rounds. In each, every contender has its turn, and each round another one begins.
    pub(crate) fn run(mut self, progress: &Progress, patience: &mut Patience) -> Outcome {
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
        let mut strangers = Vec::new();
        for round in 0..self.rounds {
            for turn in 0..count {
                let index = (turn + round) % count;
                let (cell, row) = (&mut self.cells[index], &mut rows[index]);
                progress.turn(self.id, cell.contender);
                if row.cannot_do_it() {
                    row.samples.push(None);
                    continue;
                }
                let notes = match measure(cell, self.needs_quiet, patience) {
                    Ok((sample, share)) => {
                        let notes = sample.notes.clone();
                        row.samples.push(Some(sample));
                        if self.needs_quiet {
                            strangers.push(share);
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
            strangers,
        }
    }
}

/// How much time there is for measurements to be repeated, and whose use of the machine is ours.
pub(crate) struct Patience {
    pub(crate) left: Duration,
    pub(crate) pids: Vec<u32>,
}

/// Measures once; again where strangers disturbed it, and keeps the try that they disturbed least.
fn measure(
    cell: &mut Cell,
    needs_quiet: bool,
    patience: &mut Patience,
) -> Result<(Sample, f64), String> {
    let mut best: Option<(Sample, f64)> = None;
    for again in 0..TRIES {
        let start = Instant::now();
        let watch = Watch::begin(&patience.pids);
        let sample = match catch_unwind(AssertUnwindSafe(|| (cell.measure)())) {
            Ok(result) => result?,
            Err(panic) => return Err(format!("PANIC: {}", words_of(panic.as_ref()))),
        };
        let share = watch.strangers().unwrap_or_default();
        if again > 0 {
            patience.left = patience.left.saturating_sub(start.elapsed());
        }
        if best.as_ref().is_none_or(|&(_, least)| share < least) {
            best = Some((sample, share));
        }
        if !needs_quiet || share <= quiet::LIMIT || patience.left.is_zero() {
            break;
        }
    }
    best.ok_or_else(|| "it was not measured".to_owned())
}

/// What a panic says, in its first line.
fn words_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let words = match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(words), _) => words.as_str(),
        (None, Some(words)) => words,
        (None, None) => "it says nothing",
    };
    words.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs rounds of which each gives what is listed.
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
        let mut patience = Patience {
            left: Duration::ZERO,
            pids: Vec::new(),
        };
        let progress = Progress::new(rounds);
        let outcome = workload.run(&progress, &mut patience);
        progress.done();
        outcome
    }

    fn sample(ns: f64) -> Sample {
        Sample::of([("ns", ns)])
    }

    #[test]
    fn a_later_note_does_not_hide_an_earlier_one_and_none_is_told_twice() {
        let bad = || {
            sample(1.0)
                .noting(true, || "HANGS".to_owned())
                .noting(false, || "LOSES".to_owned())
                .noting(true, || "STARVES".to_owned())
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
    fn who_cannot_do_it_in_the_first_round_is_not_asked_again() {
        let outcome = run(vec![Err("PANICS".to_owned()), Ok(sample(1.0))]);
        let row = &outcome.rows[0];
        assert_eq!(row.rounds("ns"), [None, None]);
        assert_eq!(row.notes, ["PANICS"]);
    }
}
