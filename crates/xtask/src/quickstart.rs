//! `cargo xtask quickstart`: the example against the server in `MYSQL_URL`, or against a private one.

use std::env;

use private_server::PrivateServer;

use crate::failure::Failure;
use crate::server_program::{self, Wanted};
use crate::step::{self, MYSQL_URL, Server};

pub(crate) fn run() -> Result<(), Failure> {
    if env::var_os(MYSQL_URL).is_some_and(|url| !url.is_empty()) {
        println!("xtask: using the server in {MYSQL_URL}");
        return run_example(Server::AsGiven);
    }
    server_program::ensure(Wanted::Either)?;
    let server = PrivateServer::start().map_err(Failure::while_doing("start a private server"))?;
    println!("xtask: a private server listens at {}", server.url());
    let outcome = run_example(Server::At(&server.url()));
    server.stop();
    outcome
}

fn run_example(server: Server<'_>) -> Result<(), Failure> {
    let mut command = step::cargo("run --quiet -p examples --example quickstart", server);
    let status = step::run(&mut command)?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::of_program("the quickstart example", status))
    }
}
