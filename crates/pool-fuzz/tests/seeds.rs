//! Every seed goes through its target, and every target has seeds.

#[path = "../../pool-mysql/src/statement/dice.rs"]
#[expect(dead_code, reason = "nothing is picked from a list here")]
mod dice;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use pool_fuzz::TARGETS;

use self::dice::Dice;

fn seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut entries: Vec<PathBuf> = read.map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    entries
}

#[test]
fn every_target_accepts_its_seeds() {
    for (name, target) in TARGETS {
        let files = entries(&seeds().join(name));
        assert!(files.len() >= 10, "{name} has only {} seeds", files.len());
        for file in files {
            let data = fs::read(&file).expect("a seed");
            // If the target panics, its last line says which seed it was.
            println!("{}", file.display());
            target(&data);
        }
    }
}

/// An input from one target is often good for another.
#[test]
fn every_target_accepts_the_seeds_of_the_others() {
    for (folder, _) in TARGETS {
        for file in entries(&seeds().join(folder)) {
            let data = fs::read(&file).expect("a seed");
            for (name, target) in TARGETS {
                println!("{} for {name}", file.display());
                target(&data);
            }
        }
    }
}

impl Dice {
    /// The seed with one to four changes: a byte, a part that is missing, or a part of another seed.
    fn damage(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut data = seeds[self.roll(seeds.len())].clone();
        for _ in 0..=self.roll(4) {
            let at = self.roll(data.len() + 1);
            let end = (at + self.roll(6)).min(data.len());
            let other = &seeds[self.roll(seeds.len())];
            let from = self.roll(other.len() + 1);
            let to = (from + self.roll(12)).min(other.len());
            match self.roll(3) {
                0 => drop(data.drain(at..end)),
                1 => data.insert(at, b"'\"`\\?#-/*!@:%;=[]\n \0\xff"[self.roll(21)]),
                _ => drop(data.splice(at..end, other[from..to].iter().copied())),
            }
        }
        data
    }
}

/// Without libFuzzer, with every compiler: two thousand inputs a target, or as many as `POOL_FUZZ_INPUTS` says.
#[test]
fn every_target_accepts_damaged_seeds() {
    let inputs =
        env::var("POOL_FUZZ_INPUTS").map_or(2_000, |inputs| inputs.parse().expect("a number"));
    for (name, target) in TARGETS {
        let read = |file: PathBuf| fs::read(file).expect("a seed");
        let seeds: Vec<Vec<u8>> = entries(&seeds().join(name)).into_iter().map(read).collect();
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        for number in 0..inputs {
            let data = dice.damage(&seeds);
            let accepts = std::panic::catch_unwind(|| target(&data));
            assert!(
                accepts.is_ok(),
                "{name}, input {number}: {}",
                data.escape_ascii()
            );
        }
    }
}

#[test]
fn every_target_is_a_program_and_has_a_folder() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let stems = |folder: &Path| -> BTreeSet<String> {
        let stem = |path: PathBuf| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        };
        entries(folder).into_iter().map(stem).collect()
    };
    assert_eq!(stems(&seeds()), targets);
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    assert_eq!(stems(&programs), targets);
}
