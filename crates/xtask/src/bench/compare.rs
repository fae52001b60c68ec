//! `cargo xtask bench --compare REV`: builds the pool crates of another revision beside those of this checkout into one program,
//! which measures both (`crates/pool-compare`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::repeat::target_folder;
use crate::root;
use crate::step::{self, Server};

/// The version of the other revision's crates. Two packages with one name in one lock file must differ in it.
const OTHER_VERSION: &str = "0.0.0-compare";

/// The manifest of the program, as it is in the workspace.
const MEMBER: &str = include_str!("../../../pool-compare/Cargo.toml");

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comparison<'a> {
    revision: &'a str,
    /// What the program gets: `--quick` and the names of workloads.
    words: Vec<&'a str>,
}

impl<'a> Comparison<'a> {
    /// Reads the arguments of `bench`, if they are about a comparison.
    pub(crate) fn read(words: &[&'a str]) -> Result<Option<Self>, Failure> {
        let Some(place) = words.iter().position(|&word| word == "--compare") else {
            return Ok(None);
        };
        let (before, after) = (&words[..place], &words[place + 1..]);
        match after {
            [revision, rest @ ..] if !revision.starts_with('-') => Ok(Some(Self {
                revision,
                words: [before, rest].concat(),
            })),
            _ => Err(Failure::usage(
                "say with which revision: `bench --compare main [--quick] [workload]`",
            )),
        }
    }

    pub(crate) fn run(&self) -> Result<(), Failure> {
        let commit = commit(self.revision)?;
        let folder = root().join("target/bench/compare");
        let other = folder.join(&commit);
        if !other.exists() {
            check_out(&commit, &other)?;
        }
        let manifest = write_program(&folder.join("program"), &other)?;
        let manifest = manifest.display();
        let build = format!("build --release --manifest-path {manifest}");
        let run = build.replacen("build", "run --quiet", 1);
        for (line, words) in [
            (build, [].as_slice()),
            (
                run + " --",
                &[&[self.revision], self.words.as_slice()].concat(),
            ),
        ] {
            let mut command = step::cargo(&line, Server::Hidden);
            // It shares what the benchmark has compiled.
            command.env("CARGO_TARGET_DIR", target_folder());
            let status = step::run(command.args(words))?;
            if !status.success() {
                return Err(Failure::of_program("the comparison", status));
            }
        }
        Ok(())
    }
}

/// The whole name of a commit.
fn commit(revision: &str) -> Result<String, Failure> {
    let output = git()
        .args(["rev-parse", "--verify", "--quiet"])
        .arg(format!("{revision}^{{commit}}"))
        .stderr(Stdio::inherit())
        .output()
        .map_err(Failure::while_doing("cannot run `git`"))?;
    let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match output.status.success() && !name.is_empty() {
        true => Ok(name),
        false => Err(Failure::usage(format!("there is no revision `{revision}`"))),
    }
}

fn git() -> Command {
    let mut command = Command::new("git");
    command.current_dir(root());
    command
}

/// Puts the files of a commit into a folder, with another version of its crates.
fn check_out(commit: &str, folder: &Path) -> Result<(), Failure> {
    let what = || format!("write {}", folder.display());
    // A folder that is there is complete: it gets its name at the end.
    let unfinished = folder.with_extension("unfinished");
    let _ = fs::remove_dir_all(&unfinished);
    fs::create_dir_all(&unfinished).map_err(Failure::while_doing(what()))?;
    let archive = unfinished.join("files.tar");
    let mut unpack = Command::new("tar");
    unpack.arg("-xf").arg(&archive).arg("-C").arg(&unfinished);
    let mut pack = git();
    pack.args(["archive", "--format=tar"]);
    pack.arg("--output").arg(&archive).arg(commit);
    for command in [&mut pack, &mut unpack] {
        let status = step::run(command)?;
        if !status.success() {
            return Err(Failure::of_program(&what(), status));
        }
    }
    let path = unfinished.join("Cargo.toml");
    let manifest = fs::read_to_string(&path).map_err(Failure::while_doing(what()))?;
    let manifest = with_other_version(&manifest)
        .ok_or_else(|| Failure::new(format!("{commit} has no version of its workspace")))?;
    fs::write(&path, manifest).map_err(Failure::while_doing(what()))?;
    fs::remove_file(&archive).map_err(Failure::while_doing(what()))?;
    fs::rename(&unfinished, folder).map_err(Failure::while_doing(what()))
}

/// The manifest of a workspace whose crates have the version [`OTHER_VERSION`].
fn with_other_version(manifest: &str) -> Option<String> {
    let (_, package) = manifest.split_once("[workspace.package]")?;
    let (_, version) = package.split_once("version = \"")?;
    let (version, _) = version.split_once('"')?;
    let (old, new) = (
        format!("version = \"{version}\""),
        format!("version = \"{OTHER_VERSION}\""),
    );
    let lines = manifest.lines().map(|line| {
        // The version of all crates, and that of each dependency that is one of them.
        match line == old || line.contains("path = ") {
            true => line.replacen(&old, &new, 1) + "\n",
            false => line.to_owned() + "\n",
        }
    });
    Some(lines.collect())
}

/// Writes the manifest and the lock file of the program. Returns the path of the manifest.
fn write_program(folder: &Path, other: &Path) -> Result<PathBuf, Failure> {
    let what = || format!("write {}", folder.display());
    fs::create_dir_all(folder).map_err(Failure::while_doing(what()))?;
    let path = folder.join("Cargo.toml");
    let text = program(root(), other);
    // A file that does not change lets cargo build nothing.
    if !fs::read_to_string(&path).is_ok_and(|old| old == text) {
        // The versions of everything else are those of the workspace.
        let lock = fs::read_to_string(root().join("Cargo.lock"));
        let lock = without_own_packages(&lock.map_err(Failure::while_doing(what()))?);
        fs::write(folder.join("Cargo.lock"), lock).map_err(Failure::while_doing(what()))?;
        fs::write(&path, text).map_err(Failure::while_doing(what()))?;
    }
    Ok(path)
}

/// The lock file without the packages that are not from a registry. Cargo would take the version of ours for that of both revisions.
fn without_own_packages(lock: &str) -> String {
    const HEAD: &str = "\n[[package]]\n";
    let (begin, packages) = lock.split_once(HEAD).unwrap_or((lock, ""));
    let mut kept = begin.to_owned();
    for package in packages.split(HEAD) {
        if package.contains("\nsource = ") {
            kept += HEAD;
            kept += package;
        }
    }
    kept
}

/// The manifest of the program with both revisions.
fn program(root: &Path, other: &Path) -> String {
    let (root, other) = (root.display(), other.display());
    let dependencies = section(MEMBER, "[dependencies]")
        .replace("path = \"..", &format!("path = \"{root}/crates"));
    format!(
        "\
# Written by `cargo xtask bench --compare`.
[package]
name = \"pool-compare\"
version = \"0.0.0\"
edition = \"2024\"
publish = false

[workspace]

[profile.release]
lto = \"thin\"

[features]
default = [\"two-revisions\"]
two-revisions = []

[[bin]]
name = \"pool-compare\"
path = \"{root}/crates/pool-compare/src/main.rs\"

{dependencies}
[dependencies.pool-core-before]
package = \"pool-core\"
path = \"{other}/crates/pool-core\"
default-features = false
features = [\"tokio\", \"smol\"]

[dependencies.pool-mysql-before]
package = \"pool-mysql\"
path = \"{other}/crates/pool-mysql\"
"
    )
}

/// The lines of a section, with its head.
fn section(manifest: &str, head: &str) -> String {
    let lines = manifest.lines().skip_while(|&line| line != head);
    let mut section = format!("{head}\n");
    for line in lines.skip(1).take_while(|line| !line.starts_with('[')) {
        section += line;
        section.push('\n');
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compare_takes_a_revision_and_leaves_the_other_words() {
        let read = |words: &[&'static str]| Comparison::read(words);
        let expected = Comparison {
            revision: "HEAD~1",
            words: vec!["--quick", "crowd"],
        };
        for words in [
            ["--compare", "HEAD~1", "--quick", "crowd"],
            ["--quick", "--compare", "HEAD~1", "crowd"],
        ] {
            let comparison = read(&words).expect("a good command line");
            assert_eq!(comparison, Some(expected.clone()), "{words:?}");
        }
        assert_eq!(read(&["--quick", "crowd"]).expect("no comparison"), None);
        for words in [&["crowd", "--compare"][..], &["--compare", "--quick"]] {
            read(words).expect_err("no revision");
        }
    }

    #[test]
    fn only_the_crates_of_the_workspace_get_another_version() {
        let manifest = "[workspace.package]\nversion = \"0.1.0\"\n\n[workspace.dependencies]\n\
            pool-core = { version = \"0.1.0\", path = \"crates/pool-core\" }\nsmol = { version = \"0.1.0\" }\n";
        let changed = with_other_version(manifest).expect("it has a version");
        let expected = "[workspace.package]\nversion = \"0.0.0-compare\"\n\n[workspace.dependencies]\n\
            pool-core = { version = \"0.0.0-compare\", path = \"crates/pool-core\" }\nsmol = { version = \"0.1.0\" }\n";
        assert_eq!(changed, expected);
        assert_eq!(with_other_version("[package]\nversion = \"0.1.0\"\n"), None);
    }

    #[test]
    fn the_lock_file_keeps_the_packages_of_registries() {
        let own =
            "\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\n \"b\",\n]\n";
        let other = "\n[[package]]\nname = \"b\"\nversion = \"2.0.0\"\nsource = \"registry\"\n";
        let kept = without_own_packages(&format!("version = 4\n{own}{other}"));
        assert_eq!(kept, format!("version = 4\n{other}"));
    }

    #[test]
    fn the_program_needs_nothing_from_a_workspace() {
        let manifest = program(Path::new("/now"), Path::new("/then"));
        assert!(!manifest.contains("workspace = true"), "{manifest}");
        let paths: Vec<&str> = manifest
            .lines()
            .filter_map(|line| line.split_once("path = \"")?.1.split('"').next())
            .collect();
        assert_eq!(
            paths,
            [
                "/now/crates/pool-compare/src/main.rs",
                "/now/crates/pool-core",
                "/now/crates/pool-mysql",
                "/now/crates/private-server",
                "/then/crates/pool-core",
                "/then/crates/pool-mysql",
            ]
        );
        assert!(manifest.contains("\ntokio = { version = "), "{manifest}");
    }
}
