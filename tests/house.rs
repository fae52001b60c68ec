//! The house keeps its own rules: what is listed is compiled, floors are respected, the page tells the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

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

/// The floors of `docs/architecture.md`: from a room of pool-core to its number.
fn floors() -> BTreeMap<String, usize> {
    let page = read("docs/architecture.md");
    let mut floors = BTreeMap::new();
    for line in page.lines() {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let Some(floor) = cells
            .next()
            .and_then(|cell| cell.split(' ').next())
            .and_then(|number| number.parse().ok())
        else {
            continue;
        };
        for room in cells.next().unwrap_or_default().split('`') {
            let room = room.trim().trim_end_matches('/');
            if !room.is_empty() {
                floors.insert(room.to_owned(), floor);
            }
        }
    }
    floors
}

/// Every file below a folder.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// Items that the crate's root exports, by the room that they live in.
fn exports() -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    let text = read("crates/pool-core/src/lib.rs");
    for line in text.lines() {
        let Some(rest) = line.strip_prefix("pub use crate::") else {
            continue;
        };
        let (room, items) = rest
            .trim_end_matches(';')
            .split_once("::")
            .expect("a room and items");
        for item in items.trim_matches(['{', '}']).split(',') {
            exports.insert(item.trim().to_owned(), room.to_owned());
        }
    }
    exports
}

/// From each room of pool-core to the rooms that it names outside its tests.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let source = root().join("crates/pool-core/src");
    let exports = exports();
    let mut files = Vec::new();
    walk(&source, &mut files);
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files {
        let inside = file.strip_prefix(&source).expect("a file of pool-core");
        let first = inside.components().next().expect("a name");
        let room = first
            .as_os_str()
            .to_string_lossy()
            .trim_end_matches(".rs")
            .to_owned();
        if room == "lib" || inside.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a readable file");
        let code: String = text
            .split("#[cfg(test)]")
            .next()
            .unwrap_or_default()
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join(" ");
        for rest in code.split("crate::").skip(1) {
            let names: Vec<&str> = match rest.strip_prefix('{') {
                Some(list) => list
                    .split('}')
                    .next()
                    .unwrap_or_default()
                    .split(',')
                    .collect(),
                None => vec![rest],
            };
            for name in names {
                let name = name.trim();
                let end = name
                    .find(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap_or(name.len());
                let name = &name[..end];
                let named = exports.get(name).map_or(name, String::as_str);
                if !named.is_empty() && named != room {
                    imports
                        .entry(room.clone())
                        .or_default()
                        .insert(named.to_owned());
                }
            }
        }
        imports.entry(room).or_default();
    }
    imports
}

#[test]
fn every_room_of_pool_core_stands_on_a_floor_and_names_none_above_it() {
    let floors = floors();
    for (room, named) in imports() {
        let Some(floor) = floors.get(&room) else {
            assert_eq!(
                room, "doc_manager",
                "{room} is missing in docs/architecture.md"
            );
            continue;
        };
        for other in named {
            let below = floors
                .get(&other)
                .unwrap_or_else(|| panic!("{room} names {other}, which has no floor"));
            assert!(
                below <= floor,
                "{room} (floor {floor}) names {other} (floor {below})"
            );
        }
    }
}

#[test]
fn no_rooms_of_pool_core_go_round_in_a_circle() {
    let mut left = imports();
    loop {
        let free: Vec<String> = left
            .iter()
            .filter(|(_, named)| named.iter().all(|other| !left.contains_key(other)))
            .map(|(room, _)| room.clone())
            .collect();
        if free.is_empty() {
            break;
        }
        for room in free {
            left.remove(&room);
        }
    }
    assert!(left.is_empty(), "a circle: {left:?}");
}
