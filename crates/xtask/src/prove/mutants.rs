//! Deliberate faults: a suite that does not find them proves nothing.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::mutant::{self, Mutant};
use super::scratch::Scratch;
use crate::failure::Failure;
use crate::root;
use crate::step::{self, Ended, Server};

/// What each layer may take for one mutant, with the build. What takes longer hangs, and so it is found.
const LIMIT: Duration = Duration::from_secs(240);

/// The layers, the cheapest to build first. Each must pass without a mutant.
const LAYERS: [(&str, &str); 2] = [
    (
        "simulator",
        "run --offline --release -p pool-sim -- --runs 20000",
    ),
    ("unit tests", "test --offline --release -p pool-core --lib"),
];

/// How many layers look for a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layers {
    /// As many as it takes to find it.
    UntilFound,
    /// All, to see which of them find it.
    All,
}

/// Puts each fault into a copy of the source, and runs the layers over it. Returns how many there were.
pub(super) fn run(folder: &Path, layers: Layers) -> Result<usize, Failure> {
    println!("\nxtask prove: mutants");
    let scratch = Scratch::new(folder)?;
    for (layer, words) in LAYERS {
        if finds(&scratch, layer, words)?.is_some() {
            return Err(Failure::new(format!(
                "the {layer} fails without any mutant; see {}",
                scratch.folder.display()
            )));
        }
    }
    let mutants = mutant::read_all(&root().join("crates/pool-sim/mutants"))?;
    let mut survivors = Vec::new();
    for mutant in &mutants {
        let found_by = layers_that_find(&scratch, mutant, layers)?;
        println!("{:24} {:44} {}", mutant.name, found_by, mutant.what);
        if found_by.is_empty() {
            survivors.push(mutant.name.as_str());
        }
    }
    match survivors.is_empty() {
        true => Ok(mutants.len()),
        false => Err(Failure::new(format!(
            "nothing finds {}",
            survivors.join(", ")
        ))),
    }
}

fn layers_that_find(scratch: &Scratch, mutant: &Mutant, layers: Layers) -> Result<String, Failure> {
    let applied = mutant.apply(&scratch.source())?;
    let mut found_by = Vec::new();
    for (layer, words) in LAYERS {
        if let Some(how) = finds(scratch, layer, words)? {
            found_by.push(format!("{layer} ({how})"));
            if layers == Layers::UntilFound {
                break;
            }
        }
    }
    drop(applied);
    Ok(found_by.join(", "))
}

/// How a layer has found a fault; `None` if it passes.
fn finds(scratch: &Scratch, layer: &str, words: &str) -> Result<Option<&'static str>, Failure> {
    let mut command: Command = step::cargo(words, Server::Hidden);
    command
        .current_dir(&scratch.folder)
        .env("CARGO_TARGET_DIR", scratch.folder.join("target"));
    let output = |stream: &str| {
        let name = format!("{}.{stream}.txt", layer.replace(' ', "_"));
        scratch.folder.join(name)
    };
    let outputs = [output("stdout"), output("stderr")];
    let ended = step::run_quietly(&mut command, [&outputs[0], &outputs[1]], LIMIT)?;
    match ended {
        Ended::OutOfTime => Ok(Some("hang")),
        Ended::With(status) if status.success() => Ok(None),
        // A fault that does not compile is nobody's find.
        Ended::With(status) if status.code() == Some(101) && !has_run(&outputs)? => {
            Err(Failure::new(format!(
                "a mutant does not compile; see {}",
                outputs[1].display()
            )))
        }
        Ended::With(_) => Ok(Some("failure")),
    }
}

/// Whether the program was built: cargo says so before it runs it.
fn has_run(outputs: &[std::path::PathBuf; 2]) -> Result<bool, Failure> {
    let path = &outputs[1];
    let text = std::fs::read_to_string(path);
    let text = text.map_err(Failure::while_doing(format!("read {}", path.display())))?;
    Ok(text.contains("Running `") || text.contains("Running unittests"))
}
