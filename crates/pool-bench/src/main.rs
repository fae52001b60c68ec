//! Measures pool-core and pool-mysql beside the other pools, all in one run. `cargo xtask bench` starts it.
//!
//! In each round of a workload, every contender has one turn, so a slow minute of the machine affects all of them. Each
//! workload has a file in `workloads` or `mysql`. Each contender has a file in `contenders` or `mysql/clients`.

#![forbid(unsafe_code)]

mod arithmetic;
mod callgrind;
mod command_line;
mod contender;
mod contenders;
mod cpu_time;
mod effort;
mod executors;
mod fake;
mod goals;
mod histogram;
mod mysql;
mod progress;
mod quiet;
mod report;
mod workload;
mod workloads;

use std::process::ExitCode;
use std::time::Instant;

use crate::command_line::Command;
use crate::progress::Progress;
use crate::report::Run;
use crate::report::machine::Machine;
use crate::workload::{Outcome, RepeatBudget, Workload};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = Command::read(&arguments).and_then(|command| match command {
        Command::Cycles(cycles) => cycles.run(),
        Command::Queries(queries) => queries.run(),
        Command::Bench(options) => bench(&options),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("pool-bench: {why}");
            ExitCode::FAILURE
        }
    }
}

fn bench(options: &command_line::Options) -> Result<(), String> {
    let (begun, effort) = (Instant::now(), options.effort);
    let server =
        mysql::Server::start().map_err(|error| format!("cannot start the server: {error}"))?;
    let mut machine = Machine::look(server.version().to_owned());
    let mut all = workloads::all(effort);
    all.extend(server.workloads(effort));
    all.retain(|workload| options.wants(workload.id));
    if all.is_empty() {
        return Err("no workload has a name that begins so".to_owned());
    }
    // The row of a contender that panics says so. The message is not printed a second time, into the progress bar.
    std::panic::set_hook(Box::new(|_| {}));
    let progress = Progress::new(all.iter().map(Workload::turns).sum());
    let mut budget = RepeatBudget {
        left: effort.millis(60_000, 10_000),
        pids: server.pid().into_iter().collect(),
    };
    let outcomes: Vec<Outcome> = all
        .into_iter()
        .map(|workload| {
            progress.workload(&workload.title);
            workload.run(&progress, &mut budget)
        })
        .collect();
    progress.done();
    // From here on, a panic is a fault of the benchmark itself.
    let _ = std::panic::take_hook();
    machine.look_again();
    let run = Run {
        options: options.clone(),
        machine,
        elapsed: begun.elapsed(),
        outcomes,
        in_memory: contenders::settings(),
        mysql: mysql::settings(),
    };
    println!("{}", run.text());
    let folder = run
        .write()
        .map_err(|error| format!("cannot write the results: {error}"))?;
    println!(
        "\nresults.json, results.md and the plots are in {}",
        folder.display()
    );
    if options.docs {
        let page = run
            .publish()
            .map_err(|error| format!("cannot write the page: {error}"))?;
        println!("{} has the tables of this run now", page.display());
    }
    Ok(())
}
