//! The house keeps its own rules: what is listed is compiled, floors are respected, the page tells the truth.

#[path = "house/files.rs"]
mod files;
#[path = "house/rooms.rs"]
mod rooms;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::files::imports_by_file;
use crate::rooms::{circles, floors, imports, walk};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests lie in the checkout")
        .to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names in a folder, with a slash behind those of folders.
fn names(folder: impl AsRef<Path>) -> BTreeSet<String> {
    let folder = root().join(folder);
    fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| {
            let entry = entry.expect("a readable entry");
            let name = entry.file_name().into_string().expect("a name in UTF-8");
            if entry.path().is_dir() {
                name + "/"
            } else {
                name
            }
        })
        .collect()
}

fn rust_files(folder: &str) -> BTreeSet<String> {
    names(folder)
        .into_iter()
        .filter(|name| name.ends_with(".rs"))
        .collect()
}

/// The values of `path = "…"` in a manifest.
fn listed(manifest: &str) -> BTreeSet<String> {
    read(manifest)
        .lines()
        .filter_map(|line| line.strip_prefix("path = \""))
        .filter_map(|rest| rest.strip_suffix('"'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_example_and_every_test_is_listed_and_so_compiled() {
    assert_eq!(rust_files("examples"), listed("examples/Cargo.toml"));
    assert_eq!(rust_files("tests"), listed("tests/Cargo.toml"));
}

#[test]
fn every_example_says_how_to_run_it_and_stands_in_the_reading_order() {
    let order = read("examples/README.md");
    for file in rust_files("examples") {
        let name = file.trim_end_matches(".rs");
        let text = read(format!("examples/{file}"));
        assert!(text.contains(&format!("--example {name}")), "{file}");
        assert!(order.contains(&file), "{file} is not in examples/README.md");
    }
}

#[test]
fn no_crate_allows_unsafe_code() {
    for package in names("crates") {
        for file in ["src/lib.rs", "src/main.rs"] {
            let path = format!("crates/{package}{file}");
            if root().join(&path).exists() {
                assert!(read(&path).contains("#![forbid(unsafe_code)]"), "{path}");
            }
        }
    }
}

#[test]
fn the_top_level_holds_nothing_but_its_rooms_and_the_usual_small_files() {
    let usual = [
        "Cargo.toml",
        "Cargo.lock",
        "crates/",
        "examples/",
        "tests/",
        "docs/",
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "deny.toml",
        "rustfmt.toml",
        "clippy.toml",
        ".cargo/",
        ".ci/",
        ".github/",
        ".git/",
        ".git",
        ".gitignore",
        "target/",
    ];
    for name in names("") {
        assert!(
            usual.contains(&name.as_str()),
            "{name} has no room at the top level"
        );
    }
}

#[test]
fn every_dependency_says_what_it_is_for() {
    for manifest in [
        "crates/pool-conformance/Cargo.toml",
        "crates/pool-core/Cargo.toml",
        "crates/pool-mysql/Cargo.toml",
    ] {
        let text = read(manifest);
        let mut explained = false;
        let mut in_dependencies = false;
        for line in text.lines() {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies");
                explained = line.contains("dependencies.");
            } else if line.starts_with('#') {
                explained = true;
            } else if in_dependencies && line.contains('=') {
                assert!(explained, "{manifest}: {line}");
                explained = false;
            }
        }
    }
}

/// A room of pool-core that is only compiled for its documentation, and so has no floor.
const WITHOUT_FLOOR: &str = "doc_manager";

#[test]
fn every_room_stands_on_a_floor_and_names_none_above_it() {
    for package in ["pool-core", "pool-mysql"] {
        let floors = floors(package);
        for (room, named) in imports(package) {
            let Some(floor) = floors.get(&room) else {
                assert_eq!(
                    room, WITHOUT_FLOOR,
                    "{package}: {room} is missing in docs/architecture.md"
                );
                continue;
            };
            for other in named {
                let below = floors
                    .get(&other)
                    .unwrap_or_else(|| panic!("{package}: {room} names {other}, without floor"));
                assert!(
                    below <= floor,
                    "{package}: {room} (floor {floor}) names {other} (floor {below})"
                );
            }
        }
    }
}

#[test]
fn no_rooms_go_round_in_a_circle() {
    for package in ["pool-core", "pool-mysql"] {
        let left = circles(imports(package));
        assert!(left.is_empty(), "{package} has a circle: {left:?}");
    }
}

/// Only in pool-mysql. In pool-core the parts of the ledger name the ledger, which consists of them, and `runtime` and its
/// adapters name each other.
#[test]
fn no_files_of_pool_mysql_go_round_in_a_circle() {
    let left = circles(imports_by_file("pool-mysql"));
    assert!(left.is_empty(), "pool-mysql has a circle: {left:#?}");
}

/// A file that grows past this wants to be two.
const MOST_LINES: usize = 400;

#[test]
fn no_rust_file_is_too_long() {
    let mut files = Vec::new();
    walk(&root(), &mut files);
    let mut long = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a readable file");
        let lines = text.lines().count();
        if lines > MOST_LINES {
            let inside = file.strip_prefix(root()).expect("a file of the checkout");
            long.push(format!("{} ({lines} lines)", inside.display()));
        }
    }
    assert!(long.is_empty(), "over {MOST_LINES} lines: {long:#?}");
}
