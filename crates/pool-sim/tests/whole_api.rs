//! The simulator uses the whole public API of a pool: whoever adds a method adds it there, or says here why not.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of pool-core whose public methods the simulator does not use, and why.
const OTHER_ROOMS: &[(&str, &str)] = &[
    (
        "runtime/",
        "a run has a runtime of its own, whose timers strike when the script says so",
    ),
    (
        "observers/",
        "they pass on what the run's own observer hears; tests/exporters.rs has them",
    ),
];

/// The public methods that the simulator does not use, each with its file and the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("config/mod.rs", "ConfigError::new", REFUSED),
    ("config/mod.rs", "ConfigError::field", REFUSED),
    ("config/mod.rs", "ConfigError::message", REFUSED),
    ("dyn_manager.rs", "BoxError::new", "`BoxManager` makes them"),
    (
        "dyn_manager.rs",
        "BoxError::into_inner",
        "`get_ref` has shown the content by then",
    ),
    (
        "labelled.rs",
        "::labelled",
        "the acquires of a run have labels of their own; tests/explained.rs has it",
    ),
    (
        "govern/dedicated.rs",
        "Pool::dedicated",
        "its connection is none of the pool's; tests/retain.rs has it",
    ),
];
const REFUSED: &str = "no script has a setting that is refused; tests/config.rs has them";

#[test]
fn every_public_method_is_used() {
    let used = simulator();
    let (mut seen, mut excepted, mut unused) = (0, 0, Vec::new());
    for (file, text) in pool_core() {
        let is_elsewhere = OTHER_ROOMS.iter().any(|(room, _)| file.starts_with(room));
        for (owner, name) in public_methods(&text).filter(|_| !is_elsewhere) {
            seen += 1;
            let whole = format!("{owner}::{name}");
            let mut exceptions = EXCEPTIONS.iter();
            if exceptions.any(|(room, method, _)| *room == file && *method == whole) {
                excepted += 1;
            } else if !is_used(&used, &owner, name) {
                unused.push(format!("{file}: {whole}"));
            }
        }
    }
    assert!(seen > 50, "{seen} public methods found");
    assert!(unused.is_empty(), "the simulator does not use {unused:#?}");
    assert_eq!(excepted, EXCEPTIONS.len(), "an exception is not there");
}

/// A default body that the simulator falls back on would not be tested.
#[test]
fn every_method_of_a_manager_is_implemented() {
    let manager = pool_core()
        .into_iter()
        .find(|(file, _)| file == "manager.rs");
    let (_, text) = manager.expect("pool-core has a manager");
    let (_, text) = text.split_once("pub trait Manager").expect("a trait");
    let (text, _) = text.split_once("\n}\n").expect("the end of the trait");
    let names: Vec<&str> = text.lines().filter_map(method).collect();
    assert!(names.len() >= 10, "{names:?}");
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/manager.rs");
    let scripted = fs::read_to_string(here).expect("a readable file");
    let implemented: Vec<&str> = scripted.lines().filter_map(method).collect();
    for name in names {
        assert!(implemented.contains(&name), "{name}");
    }
}

/// The text of the simulator.
fn simulator() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    files(&folder).into_iter().map(|(_, text)| text).collect()
}

/// The files of pool-core without its unit tests, each with its name in `src`.
fn pool_core() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pool-core/src");
    let mut files = files(&folder);
    files.retain(|(file, _)| !file.contains("/tests"));
    assert!(files.len() > 40, "{} files of pool-core", files.len());
    files
}

/// All files of Rust in a folder and below, each with its name there.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry of the folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(folder).expect("a file below the folder");
                let name = name.to_string_lossy().replace('\\', "/");
                found.push((name, fs::read_to_string(&path).expect("a readable file")));
            }
        }
    }
    found
}

/// Whether a text calls a method, or names it as a function. What many types have, `new`, counts with the type only.
fn is_used(text: &str, owner: &str, name: &str) -> bool {
    if name == "new" {
        return text.contains(&format!("{owner}::new"));
    }
    let calls = [format!(".{name}("), format!("::{name}(")];
    let names = [format!("::{name})"), format!("::{name},")];
    calls.iter().chain(&names).any(|use_| text.contains(use_))
}

/// The public methods of a file, each with the type that has it.
fn public_methods(text: &str) -> impl Iterator<Item = (String, &str)> {
    let mut owner = String::new();
    text.lines().filter_map(move |line| {
        if line.starts_with("impl") {
            owner = owner_of(line);
        }
        let line = line.trim_start();
        let name = line.starts_with("pub ").then(|| method(line)).flatten();
        name.map(|name| (owner.clone(), name))
    })
}

/// The type of a line such as `impl<M: Manager> Pool<M> {`.
fn owner_of(line: &str) -> String {
    let line = line.split(" for ").last().unwrap_or(line);
    let words = line.trim_end_matches(['{', ' ']).rsplit(' ').next();
    let name = words.unwrap_or_default().split('<').next();
    name.unwrap_or_default().to_owned()
}

/// The name of the method that a line declares.
fn method(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    let name = line.strip_prefix("fn ")?;
    name.split(['(', '<']).next()
}
