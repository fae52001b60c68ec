//! `cargo xtask chaos`: nothing is lost on a real server that fails.

use std::time::Duration;

use crate::failure::Failure;
use crate::mutants::{self, Layer, Layers, Scratch};
use crate::root;
use crate::server_program::{self, Wanted};
use crate::step::{self, Server};

/// The ledger test as it looks for deliberate faults, under each policy. It builds pool-mysql first.
const LEDGERS: [Layer; 2] = [
    ledger(
        "ledger test under always",
        "run --offline -p pool-chaos -- --minutes 1 --seed 2 --policy always",
    ),
    ledger(
        "ledger test under if-dirty",
        "run --offline -p pool-chaos -- --minutes 1 --seed 2 --policy if-dirty",
    ),
];

const fn ledger(name: &'static str, words: &'static str) -> Layer {
    Layer {
        name,
        words,
        cfg: None,
        variable: None,
        finding: &["chaos: BROKEN"],
        limit: Duration::from_secs(600),
        // A server that does not start may take as long.
        finds_hangs: false,
    }
}

pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    // The sampler and the checks of a session use SQL that MySQL does not have.
    server_program::ensure(Wanted::MariaDb)?;
    if words == ["--mutants"] {
        return hunt();
    }
    let mut command = step::cargo("run --quiet -p pool-chaos --", Server::Hidden);
    let status = step::run(command.args(words))?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::of_program("the ledger test", status)),
    }
}

/// The ledger test must fail with each deliberate fault in pool-mysql, under each policy under which the fault can show.
fn hunt() -> Result<(), Failure> {
    println!("xtask chaos: mutants, a minute for each under each policy, and one without any");
    let scratch = Scratch::new(
        root().join("target/chaos"),
        &["pool-core", "pool-mysql", "pool-chaos", "private-server"],
    )?;
    let caught = mutants::hunt(
        &scratch,
        "pool-chaos/mutants",
        usize::MAX,
        &LEDGERS,
        Layers::Each,
    )?;
    println!("\nxtask chaos: {caught} mutants, none survived");
    Ok(())
}
