//! The rooms of a crate, the rooms that each of them names, and the floors that `docs/architecture.md` gives them.
//!
//! A room is a file or a folder at the top of `src`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::{read, root};

/// From each room to the rooms that it names outside its tests.
pub(crate) type Imports = BTreeMap<String, BTreeSet<String>>;

/// Every `.rs` file below a folder, without hidden folders and `target`.
pub(crate) fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !(name.starts_with('.') || name == "target") {
                walk(&path, files);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// The imports of `crates/NAME`.
pub(crate) fn imports(package: &str) -> Imports {
    let source = root().join(format!("crates/{package}/src"));
    let exports = exports(&read(format!("crates/{package}/src/lib.rs")));
    let mut files = Vec::new();
    walk(&source, &mut files);
    let mut imports = Imports::new();
    for file in files {
        let inside = file.strip_prefix(&source).expect("a file of the crate");
        let parts: Vec<String> = inside
            .components()
            .map(Component::as_os_str)
            .map(|part| part.to_string_lossy().trim_end_matches(".rs").to_owned())
            .collect();
        let room = parts[0].clone();
        if room == "lib" || parts.iter().any(|part| part == "tests") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a readable file");
        let depth = parts.iter().filter(|part| *part != "mod").count();
        let named = imports.entry(room.clone()).or_default();
        for name in names_in(&code(&text), depth) {
            let other = exports.get(&name).unwrap_or(&name);
            if *other != room {
                named.insert(other.clone());
            }
        }
    }
    imports
}

/// The items that a crate's root exports, each with the room that it lives in.
fn exports(lib: &str) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for rest in code(lib).split("pub use crate::").skip(1) {
        let path = rest.split(';').next().expect("a path");
        let (room, items) = path.split_once("::").expect("a room and items");
        for item in items.trim_end_matches('}').split([',', '{']) {
            let item = item.rsplit("::").next().unwrap_or(item).trim();
            exports.insert(item.to_owned(), room.to_owned());
        }
    }
    exports
}

/// A file without its comments and its tests, in one line.
pub(crate) fn code(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        if line == "#[cfg(test)]" {
            let item = lines.find(|line| !line.trim_start().starts_with("#["));
            if item.is_some_and(|item| item.ends_with('{')) {
                let indent = item.map_or(0, |item| item.len() - item.trim_start().len());
                let end = format!("{:indent$}}}", "");
                lines.find(|line| *line == end);
            }
        } else if !line.starts_with("//") {
            kept.push_str(line);
            kept.push(' ');
        }
    }
    kept
}

/// The names behind `crate::`, and behind as many `super::` as lead to the crate's root.
fn names_in(code: &str, depth: usize) -> BTreeSet<String> {
    let supers = "super::".repeat(depth);
    let mut names = BTreeSet::new();
    for root in ["crate::", &supers] {
        for rest in code.split(root).skip(1) {
            let list = match rest.strip_prefix('{') {
                Some(list) => list.split('}').next().unwrap_or_default().split(','),
                None => rest.split(',').next().unwrap_or_default().split(','),
            };
            for name in list {
                let name = name.trim();
                let end = name
                    .find(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap_or(name.len());
                if end > 0 {
                    names.insert(name[..end].to_owned());
                }
            }
        }
    }
    names
}

/// The rooms that name each other in a circle, with what lies between two circles; empty where there is none.
pub(crate) fn circles(mut imports: Imports) -> Imports {
    loop {
        let left: BTreeSet<String> = imports.keys().cloned().collect();
        for named in imports.values_mut() {
            named.retain(|other| left.contains(other));
        }
        let named: BTreeSet<String> = imports.values().flatten().cloned().collect();
        imports.retain(|room, others| !others.is_empty() && named.contains(room));
        if imports.len() == left.len() {
            return imports;
        }
    }
}

/// The floors of a crate in `docs/architecture.md`: from a room to its number.
pub(crate) fn floors(package: &str) -> BTreeMap<String, usize> {
    let page = read("docs/architecture.md");
    let source = format!("`crates/{package}/src`");
    let mut floors = BTreeMap::new();
    let table = page
        .lines()
        .skip_while(|line| !(line.starts_with("| floor") && line.contains(&source)))
        .take_while(|line| line.starts_with('|'));
    for line in table {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let number = cells.next().and_then(|cell| cell.split(' ').next());
        let Some(floor) = number.and_then(|number| number.parse().ok()) else {
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

#[test]
fn tests_and_comments_of_a_file_are_not_read() {
    let text = "use crate::a;\n\
                #[cfg(test)]\n#[path = \"x.rs\"]\nmod tests;\n\
                // crate::b\n\
                #[cfg(test)]\nmod more {\n    use crate::c;\n}\n\
                use crate::{d::D, e};\n";
    let names: Vec<String> = names_in(&code(text), 1).into_iter().collect();
    assert_eq!(names, ["a", "d", "e"]);
    let names = names_in("use super::f::F; use super::super::g;", 2);
    assert_eq!(names, BTreeSet::from(["g".to_owned()]));
}

#[test]
fn exports_are_found_in_one_line_and_in_several() {
    let exports = exports("pub use crate::a::{\n    B, c,\n};\npub use crate::d::e::F;\n");
    let room = |item: &str| exports.get(item).map(String::as_str);
    assert_eq!(
        ["B", "c", "F", "e"].map(room),
        [Some("a"), Some("a"), Some("d"), None]
    );
}

#[test]
fn a_circle_is_found_without_what_hangs_on_it() {
    let imports = |pairs: &[(&str, &str)]| {
        let mut imports = Imports::new();
        for (room, other) in pairs {
            let named = imports.entry((*room).to_owned()).or_default();
            named.insert((*other).to_owned());
        }
        imports
    };
    assert!(circles(imports(&[("a", "b"), ("b", "c")])).is_empty());
    let left = circles(imports(&[("a", "b"), ("b", "a"), ("c", "d")]));
    assert_eq!(left.into_keys().collect::<Vec<_>>(), ["a", "b"]);
    let left = circles(imports(&[("a", "b"), ("b", "a"), ("a", "c"), ("d", "b")]));
    assert_eq!(left.into_keys().collect::<Vec<_>>(), ["a", "b"]);
}
