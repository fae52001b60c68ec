//! Starts a private server, says how to reach it, and stops it when the input ends (Ctrl-D).
//!
//! `cargo run -p private-server -- --wait-timeout=60`: what follows `--` are options of the server program.

#![forbid(unsafe_code)]

use std::error::Error;
use std::io;
use std::process::ExitCode;

use private_server::{PrivateServer, ServerError};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("private-server: {error}");
            if let Some(cause) = error.source() {
                eprintln!("  because: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), ServerError> {
    let server = std::env::args()
        .skip(1)
        .fold(PrivateServer::builder(), |builder, option| {
            builder.option(option)
        })
        .start()?;
    println!("{}", server.url());
    println!("{}", server.socket().display());
    // What is typed has no meaning; only its end has.
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    server.stop();
    Ok(())
}
