//! `cargo xtask bench`: measures our pools beside the others, or beside another revision of themselves.

mod compare;

use self::compare::Comparison;
use crate::failure::Failure;
use crate::install;
use crate::server_program::{self, Wanted};
use crate::step::{self, Server};

/// What counts instructions; Debian's package has the same name.
const VALGRIND: &str = "valgrind";

pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let comparison = Comparison::read(words)?;
    server_program::ensure(Wanted::Either)?;
    ensure_valgrind();
    match comparison {
        Some(comparison) => comparison.run(),
        None => beside_other_pools(words),
    }
}

fn beside_other_pools(words: &[&str]) -> Result<(), Failure> {
    // Built before it runs, so that its progress bar is about the run. The peers take a few minutes.
    let build = "build --release -p pool-bench";
    let status = step::run(&mut step::cargo(build, Server::Hidden))?;
    if !status.success() {
        return Err(Failure::of_program(&format!("`cargo {build}`"), status));
    }
    let mut command = step::cargo("run --quiet --release -p pool-bench --", Server::Hidden);
    let status = step::run(command.args(words))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::of_program("the benchmark", status))
    }
}

/// Installs valgrind where that is possible, saying so first; elsewhere the tables say that instructions were not
/// counted.
fn ensure_valgrind() {
    if server_program::is_on_path(VALGRIND) {
        return;
    }
    let Ok(plan) = install::plan(server_program::means(), &[VALGRIND]) else {
        println!("xtask: valgrind is not installed; instructions will not be counted");
        return;
    };
    print!("{}", install::announcement("no valgrind", VALGRIND, &plan));
    for words in &plan {
        let installed = step::run(&mut install::command(words));
        if !installed.is_ok_and(|status| status.success()) {
            println!("xtask: valgrind cannot be installed; instructions will not be counted");
            return;
        }
    }
}
