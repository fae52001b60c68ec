//! The journal of one task: what it has begun, and how that has ended for it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// How a move has ended for the task that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    Failed,
    Unknown,
}

/// A file whose lines are on the disk before the task goes on.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
}

impl Journal {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        File::create_new(path).map(|file| Self { file })
    }

    pub(crate) fn begin(&mut self, id: u64) -> io::Result<()> {
        self.write("begin", id)
    }

    pub(crate) fn end(&mut self, id: u64, outcome: Outcome) -> io::Result<()> {
        let word = match outcome {
            Outcome::Ok => "ok",
            Outcome::Failed => "fail",
            Outcome::Unknown => "unknown",
        };
        self.write(word, id)
    }

    fn write(&mut self, word: &str, id: u64) -> io::Result<()> {
        self.file.write_all(format!("{word} {id}\n").as_bytes())?;
        self.file.sync_data()
    }
}

/// Reads all journals of a folder. A move that has begun and has no end is unknown.
pub(crate) fn read_all(folder: &Path) -> io::Result<BTreeMap<u64, Outcome>> {
    let mut outcomes = BTreeMap::new();
    for file in fs::read_dir(folder)? {
        let text = fs::read_to_string(file?.path())?;
        for line in text.lines() {
            let (outcome, id) = match line.split_once(' ') {
                Some(("begin" | "unknown", id)) => (Outcome::Unknown, id),
                Some(("ok", id)) => (Outcome::Ok, id),
                Some(("fail", id)) => (Outcome::Failed, id),
                _ => return Err(io::Error::other(format!("no line of a journal: {line}"))),
            };
            outcomes.insert(id.parse().map_err(io::Error::other)?, outcome);
        }
    }
    Ok(outcomes)
}
