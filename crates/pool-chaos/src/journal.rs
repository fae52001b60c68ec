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

/// What a journal says about one move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) outcome: Outcome,
    /// Whether the move runs plain statements only, so that `ResetPolicy::IfDirty` may skip the reset after it.
    pub(crate) is_plain: bool,
}

/// The moves of all journals, by their ids.
pub(crate) type Entries = BTreeMap<u64, Entry>;

/// A file whose lines are on the disk before the task goes on.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
}

impl Journal {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        File::create_new(path).map(|file| Self { file })
    }

    pub(crate) fn begin(&mut self, id: u64, is_plain: bool) -> io::Result<()> {
        self.write(&begin_line(id, is_plain))
    }

    pub(crate) fn end(&mut self, id: u64, outcome: Outcome) -> io::Result<()> {
        self.write(&end_line(id, outcome))
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        self.file.write_all(line.as_bytes())?;
        self.file.sync_data()
    }
}

fn begin_line(id: u64, is_plain: bool) -> String {
    let kind = if is_plain { "plain" } else { "dirty" };
    format!("begin {id} {kind}\n")
}

fn end_line(id: u64, outcome: Outcome) -> String {
    let word = match outcome {
        Outcome::Ok => "ok",
        Outcome::Failed => "fail",
        Outcome::Unknown => "unknown",
    };
    format!("{word} {id}\n")
}

/// Reads all journals of a folder.
pub(crate) fn read_all(folder: &Path) -> io::Result<Entries> {
    let mut entries = Entries::new();
    for file in fs::read_dir(folder)? {
        let text = fs::read_to_string(file?.path())?;
        add(&text, &mut entries).map_err(io::Error::other)?;
    }
    Ok(entries)
}

/// Adds the moves of one journal. A move that has begun and has no end is unknown.
fn add(text: &str, entries: &mut Entries) -> Result<(), String> {
    for line in text.lines() {
        let wrong = || format!("not a line of a journal: {line}");
        let words: Vec<&str> = line.split(' ').collect();
        let (outcome, id, is_plain) = match words[..] {
            ["begin", id, "plain"] => (None, id, true),
            ["begin", id, "dirty"] => (None, id, false),
            ["ok", id] => (Some(Outcome::Ok), id, false),
            ["fail", id] => (Some(Outcome::Failed), id, false),
            ["unknown", id] => (Some(Outcome::Unknown), id, false),
            _ => return Err(wrong()),
        };
        let id: u64 = id.parse().map_err(|_| wrong())?;
        match outcome {
            None => {
                let outcome = Outcome::Unknown;
                let before = entries.insert(id, Entry { outcome, is_plain });
                if before.is_some() {
                    return Err(format!("move {id} has begun twice"));
                }
            }
            Some(outcome) => {
                let begun = entries.get_mut(&id);
                begun
                    .ok_or_else(|| format!("move {id} has ended and not begun"))?
                    .outcome = outcome;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Entries, String> {
        let mut entries = Entries::new();
        add(text, &mut entries).map(|()| entries)
    }

    #[test]
    fn what_is_written_is_read() {
        let outcomes = [Outcome::Ok, Outcome::Failed, Outcome::Unknown];
        let mut text = String::new();
        for (id, outcome) in (1..).zip(outcomes) {
            text += &begin_line(id, id == 1);
            text += &end_line(id, outcome);
        }
        let entries = read(&text).expect("a journal");
        for (id, outcome) in (1..).zip(outcomes) {
            let is_plain = id == 1;
            assert_eq!(entries[&id], Entry { outcome, is_plain });
        }
    }

    #[test]
    fn a_move_without_an_end_is_unknown() {
        let entries = read("begin 7 plain\n").expect("a journal");
        assert_eq!(entries[&7].outcome, Outcome::Unknown);
    }

    #[test]
    fn a_journal_that_makes_no_sense_is_an_error() {
        for wrong in [
            "ok 7\n",
            "begin 7 plain\nbegin 7 dirty\n",
            "begin 7\n",
            "begin x plain\n",
            "begin 7 plain\ndone 7\n",
            "\n",
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_lines_of_a_file_are_those_that_were_written() {
        let name = format!("pool-chaos-journal-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).expect("a folder");
        let mut journal = Journal::create(&folder.join("1.txt")).expect("a file");
        journal.begin(7, true).expect("written");
        journal.end(7, Outcome::Failed).expect("written");
        let entries = read_all(&folder);
        fs::remove_dir_all(&folder).expect("removed");
        let failed = Entry {
            outcome: Outcome::Failed,
            is_plain: true,
        };
        assert_eq!(entries.expect("a journal"), Entries::from([(7, failed)]));
    }
}
