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
    pub(crate) note: Option<String>,
}

impl Sample {
    pub(crate) fn of(values: impl Into<Vec<(&'static str, f64)>>) -> Self {
        Self {
            values: values.into(),
            note: None,
        }
    }

    pub(crate) fn noting(mut self, bad: bool, note: impl FnOnce() -> String) -> Self {
        if bad {
            self.note = Some(note());
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
    pub(crate) samples: Vec<Sample>,
    /// Why it could not be measured, or what happened on the way.
    pub(crate) notes: Vec<String>,
}

impl Row {
    /// The values of a column, one a round.
    pub(crate) fn values(&self, column: &str) -> Vec<f64> {
        self.samples
            .iter()
            .flat_map(|sample| &sample.values)
            .filter(|(name, _)| *name == column)
            .map(|&(_, value)| value)
            .collect()
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
                if row.samples.is_empty() && !row.notes.is_empty() {
                    // It cannot do it.
                    continue;
                }
                let note = match measure(cell, self.needs_quiet, patience) {
                    Ok((sample, share)) => {
                        let note = sample.note.clone();
                        row.samples.push(sample);
                        if self.needs_quiet {
                            strangers.push(share);
                        }
                        note
                    }
                    Err(why) => Some(why),
                };
                if let Some(note) = note
                    && !row.notes.contains(&note)
                {
                    row.notes.push(note);
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
