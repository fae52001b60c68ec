//! Deliberate faults: a suite that does not find them proves nothing.

mod fault;
mod scratch;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use self::fault::Fault;
pub(crate) use self::scratch::Scratch;
use crate::failure::Failure;
use crate::root;
use crate::step::{self, Ended, Server};

/// One way to look for a fault.
pub(crate) struct Layer {
    pub(crate) name: &'static str,
    /// The arguments of cargo.
    pub(crate) words: &'static str,
    /// Flags for every crate, as the model checkers need them. Such a layer has a target folder of its own.
    pub(crate) cfg: Option<&'static str>,
    /// A variable of its environment: how much it runs.
    pub(crate) variable: Option<(&'static str, &'static str)>,
    /// What it may take for one fault, with the build. What takes longer hangs, and so it is found.
    pub(crate) limit: Duration,
}

/// How many layers look for a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layers {
    /// As many as it takes to find it.
    UntilFound,
    /// All, to see which of them find it.
    All,
}

/// Puts each fault of a folder into a copy of the source, and runs the layers over it. Returns how many there were.
///
/// # Errors
///
/// A layer fails without any fault, or nothing finds one of them.
pub(crate) fn hunt(
    scratch: &Scratch,
    faults: &str,
    layers: &[Layer],
    how_many: Layers,
) -> Result<usize, Failure> {
    let faults = fault::read_all(&root().join("crates").join(faults))?;
    // The model checkers are built for all layers only.
    let layers: Vec<&Layer> = layers
        .iter()
        .filter(|layer| how_many == Layers::All || layer.cfg.is_none())
        .collect();
    for layer in &layers {
        if finds(scratch, layer)?.is_some() {
            return Err(Failure::new(format!(
                "the {} fails without any mutant; see {}",
                layer.name,
                scratch.folder().display()
            )));
        }
    }
    let mut survivors = Vec::new();
    for fault in &faults {
        let found_by = layers_that_find(scratch, fault, &layers, how_many)?;
        println!("{:24} {:44} {}", fault.name, found_by, fault.what);
        if found_by.is_empty() {
            survivors.push(fault.name.as_str());
        }
    }
    match survivors.is_empty() {
        true => Ok(faults.len()),
        false => Err(Failure::new(format!(
            "nothing finds {}",
            survivors.join(", ")
        ))),
    }
}

fn layers_that_find(
    scratch: &Scratch,
    fault: &Fault,
    layers: &[&Layer],
    how_many: Layers,
) -> Result<String, Failure> {
    let applied = fault.apply(&scratch.crates())?;
    let mut found_by = Vec::new();
    for layer in layers {
        if let Some(how) = finds(scratch, layer)? {
            found_by.push(format!("{} ({how})", layer.name));
            if how_many == Layers::UntilFound {
                break;
            }
        }
    }
    drop(applied);
    Ok(found_by.join(", "))
}

/// How a layer has found a fault; `None` if it passes.
fn finds(scratch: &Scratch, layer: &Layer) -> Result<Option<&'static str>, Failure> {
    let mut command: Command = step::cargo(layer.words, Server::Hidden);
    let mut target = scratch.folder().join("target");
    if let Some(cfg) = layer.cfg {
        target = target.join(cfg);
        command.env("RUSTFLAGS", format!("--cfg {cfg}"));
    }
    command.envs(layer.variable);
    // A fault is built once and run for a second: half the time of the whole is saved so.
    command.envs([
        ("CARGO_PROFILE_RELEASE_LTO", "off"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ]);
    command
        .current_dir(scratch.folder())
        .env("CARGO_TARGET_DIR", target);
    let output = |stream: &str| {
        let name = format!("{}.{stream}.txt", layer.name.replace(' ', "_"));
        scratch.folder().join(name)
    };
    let outputs = [output("stdout"), output("stderr")];
    let ended = step::run_quietly(&mut command, [&outputs[0], &outputs[1]], layer.limit)?;
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
fn has_run(outputs: &[PathBuf; 2]) -> Result<bool, Failure> {
    let path: &Path = &outputs[1];
    let text = std::fs::read_to_string(path);
    let text = text.map_err(Failure::while_doing(format!("read {}", path.display())))?;
    Ok(["Running `", "Running unittests", "Running tests"]
        .iter()
        .any(|said| text.contains(said)))
}
