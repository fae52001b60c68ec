//! The files of a crate, and the files that each of them names.
//!
//! A file names another one where it writes the path of the other one or of an item in it, in a `use` or elsewhere. `mod`
//! only declares a file, and `pub use` only hands an item on: neither counts, unless the item of a `pub use` is also used in
//! the same file. Whoever names an item that is handed on names the file in which it is written. No file is exempt: a
//! `mod.rs` may name its children, or its children may name it, but not both.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Component;

use crate::rooms::{Imports, code, walk};
use crate::root;

/// The names of a path, from the crate's root.
type Path = Vec<String>;

/// The source files of a crate: from the path of the module to its code. The root's is empty.
type Files = BTreeMap<Path, String>;

/// From each file of `crates/NAME` to those that it names outside its tests.
pub(crate) fn imports_by_file(package: &str) -> Imports {
    imports_of(&files(package))
}

fn files(package: &str) -> Files {
    let source = root().join(format!("crates/{package}/src"));
    let mut found = Vec::new();
    walk(&source, &mut found);
    let mut files = Files::new();
    for file in found {
        let inside = file.strip_prefix(&source).expect("a file of the crate");
        let path: Path = inside
            .components()
            .map(Component::as_os_str)
            .map(|part| part.to_string_lossy().trim_end_matches(".rs").to_owned())
            .filter(|part| part != "mod" && part != "lib")
            .collect();
        let of_tests = |part: &String| part == "tests" || part.ends_with("_tests");
        if !path.iter().any(of_tests) {
            let text = fs::read_to_string(&file).expect("a readable file");
            files.insert(path, code(&text));
        }
    }
    files
}

fn imports_of(files: &Files) -> Imports {
    let handed_on = handed_on(files);
    let mut imports = Imports::new();
    for (file, code) in files.iter().filter(|(file, _)| !file.is_empty()) {
        let named = paths_in(code, file, files)
            .into_iter()
            .filter(|named| !named.is_handed_on || is_used(code, named.item()))
            .map(|named| owner(&named.path, files, &handed_on))
            .filter(|other| other != file && !other.is_empty())
            .map(|other| other.join("/"))
            .collect();
        imports.insert(file.join("/"), named);
    }
    imports
}

/// Whether a word is written in this code beside the place that hands it on.
fn is_used(code: &str, word: &str) -> bool {
    code.split(|c: char| !is_of_word(c))
        .filter(|other| *other == word)
        .count()
        > 1
}

/// The paths under which files hand on items of others, each with the path of the item.
fn handed_on(files: &Files) -> BTreeMap<Path, Path> {
    let mut handed_on = BTreeMap::new();
    for (file, code) in files {
        for named in paths_in(code, file, files) {
            if named.is_handed_on {
                let here = file.iter().cloned().chain([named.item().to_owned()]);
                handed_on.insert(here.collect(), named.path);
            }
        }
    }
    handed_on
}

/// The file in which the item of this path is written.
fn owner(path: &[String], files: &Files, handed_on: &BTreeMap<Path, Path>) -> Path {
    let mut path = path.to_owned();
    loop {
        let file = (0..=path.len())
            .rev()
            .map(|end| &path[..end])
            .find(|start| files.contains_key(*start))
            .expect("at least the root is a file");
        let item = path.get(..=file.len()).unwrap_or(file);
        match handed_on.get(item) {
            Some(further) if further != item => path = further.clone(),
            _ => return file.to_owned(),
        }
    }
}

/// A path in a file.
struct Named {
    path: Path,
    /// It stands in a `pub use`.
    is_handed_on: bool,
}

impl Named {
    fn item(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

/// The paths behind `crate::`, `super::` and `self::`, and behind the names of the modules that this file declares.
fn paths_in(code: &str, file: &[String], files: &Files) -> Vec<Named> {
    let children: BTreeSet<&str> = files
        .keys()
        .filter(|child| child.len() == file.len() + 1 && child.starts_with(file))
        .map(|child| child[file.len()].as_str())
        .collect();
    let mut named = Vec::new();
    for (at, _) in code.match_indices("::") {
        let start = code[..at]
            .rfind(|c: char| !is_of_word(c))
            .map_or(0, |i| i + 1);
        let before = &code[..start];
        if before.ends_with(':') {
            continue;
        }
        let mut from = file.to_owned();
        let mut rest = &code[at + 2..];
        match &code[start..at] {
            "crate" => from.clear(),
            "self" => (),
            "super" => {
                from.pop();
                while let Some(further) = rest.strip_prefix("super::") {
                    from.pop();
                    rest = further;
                }
            }
            child if children.contains(child) => from.push(child.to_owned()),
            _ => continue,
        }
        let mut paths = Vec::new();
        tree(rest, &from, &mut paths);
        let is_handed_on = is_pub_use(before);
        named.extend(paths.into_iter().map(|path| Named { path, is_handed_on }));
    }
    named
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether what follows this code is the path of a `pub use`, `pub(crate) use` and so on.
fn is_pub_use(before: &str) -> bool {
    let Some(before) = before.strip_suffix("use ") else {
        return false;
    };
    let item = before.rsplit([';', '}', ']']).next().unwrap_or(before);
    item.trim_start().starts_with("pub")
}

/// Reads the rest of a path, with all its branches in braces; returns what follows it.
fn tree<'a>(rest: &'a str, from: &[String], paths: &mut Vec<Path>) -> &'a str {
    if let Some(mut rest) = rest.strip_prefix('{') {
        loop {
            rest = rest.trim_start_matches([' ', ',']);
            if rest.is_empty() {
                return rest;
            }
            if let Some(rest) = rest.strip_prefix('}') {
                return rest;
            }
            let after = tree(rest, from, paths);
            // What a branch has behind its path, as in `a as b`.
            let end = after.find([',', '}']).unwrap_or(after.len());
            rest = &after[end..];
        }
    }
    let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    let mut path = from.to_owned();
    if !name.is_empty() && name != "self" {
        path.push(name.to_owned());
    }
    let further = after.strip_prefix("::");
    match further.filter(|further| further.starts_with(|c| is_of_word(c) || c == '{' || c == '*')) {
        Some(further) => tree(further, &path, paths),
        None => {
            paths.push(path);
            after
        }
    }
}

#[test]
fn a_file_is_named_by_every_form_of_a_path() {
    let files: Files = [
        ("", "pub use crate::a::b::B;"),
        ("a", "mod b; mod c; mod d; pub use self::d::D;"),
        (
            "a/b",
            "use super::c::{self, C as Other}; fn f() { crate::e::g() }",
        ),
        ("a/c", "use crate::{a::{D, x}, B};"),
        ("a/d", ""),
        ("e", "mod f; fn g() { f::h::<u8>() }"),
        ("e/f", "use super::super::a::b; use super::*;"),
    ]
    .map(|(path, code)| {
        let path = path.split('/').filter(|part| !part.is_empty());
        (path.map(str::to_owned).collect(), code.to_owned())
    })
    .into();
    let imports = imports_of(&files);
    let named = |file: &str| imports[file].iter().map(String::as_str).collect::<Vec<_>>();
    assert!(!imports.contains_key(""));
    assert!(named("a").is_empty(), "it only hands D on");
    assert_eq!(named("a/b"), ["a/c", "e"]);
    assert_eq!(named("a/c"), ["a", "a/b", "a/d"]);
    assert_eq!(named("e"), ["e/f"]);
    assert_eq!(named("e/f"), ["a/b", "e"]);
}

#[test]
fn an_item_that_is_handed_on_and_used_is_named() {
    let path = |name: &str| name.split('/').map(str::to_owned).collect::<Path>();
    let code = "pub(crate) use self::b::B; fn f(b: B) {}";
    let files = Files::from([
        (path("a"), code.into()),
        (path("a/b"), String::new()),
        (Vec::new(), String::new()),
    ]);
    assert_eq!(imports_of(&files)["a"], BTreeSet::from(["a/b".to_owned()]));
}
