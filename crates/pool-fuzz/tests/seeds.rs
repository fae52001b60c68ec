//! Every seed goes through its target, and every target has seeds.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pool_fuzz::TARGETS;

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
