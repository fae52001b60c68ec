//! `cargo xtask chaos`: nothing is lost on a real server that fails.

use crate::failure::Failure;
use crate::server_program::{self, Wanted};
use crate::step::{self, Server};

pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    // The sampler and the checks of a session use SQL that MySQL does not have.
    server_program::ensure(Wanted::MariaDb)?;
    let mut command = step::cargo("run --quiet -p pool-chaos --", Server::Hidden);
    let status = step::run(command.args(words))?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::of_program("the ledger test", status)),
    }
}
