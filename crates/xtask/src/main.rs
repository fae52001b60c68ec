//! The tasks of this workspace. `cargo xtask help` lists them; they work from any folder of the checkout.

#![forbid(unsafe_code)]

mod bench;
mod browser;
mod chaos;
mod example_list;
mod failure;
mod install;
mod mutants;
mod openssl;
mod other_servers;
mod prove;
mod quickstart;
mod repeat;
mod server_program;
mod step;
mod test;

use std::path::Path;
use std::process::ExitCode;

use crate::failure::Failure;
use crate::repeat::Repeat;

const HELP: &str = "\
cargo xtask TASK

  quickstart   run examples/quickstart.rs against the server in MYSQL_URL, or against a private one
  test         run every test, doc test and example of the workspace, except the tests of pool-bench and pool-peers, which
               compile the other pools; --mysql runs instead those that need Oracle's MySQL and MariaDB's plugin for ed25519,
               and gets both into target/other-servers, which takes minutes
               --repeat N runs the test programs N times and says how often each test failed, with --busy beside as many
               busy loops as there are cores
  prove        check the promises of pool-core by machine, in under ten minutes: random schedules in a simulator, models of
               several threads under shuttle and loom, each future dropped at each poll, and deliberate faults that must be
               found; --long MINUTES gives the simulator and shuttle more time, with schedules that they have not run before, and
               loom more preemptions (target/prove keeps the sums)
  chaos        move money through a pool for a minute while the server and the network fail, and check that nothing is lost or
               done twice; --minutes N runs longer, --seed S repeats the choice of faults of another run, --policy always or
               --policy if-dirty runs with one policy of reset only; --mutants runs it instead over deliberate faults, which
               it must find under each policy
  bench        measure our pools beside the others, in a quarter of an hour; --quick takes a few minutes, --docs puts
               the results into docs/performance.md, names of workloads run only those
               --compare REV measures them beside their own code in another git revision: both are built into one program,
               which prints the ratios; --quick and names go with it
  help         show this

quickstart (without MYSQL_URL) and bench need a MariaDB or MySQL server program; test needs MariaDB's, for its SQL is
MariaDB's, and so does chaos. Where none is found they install mariadb-server-core with apt, as root or through sudo, and say so first; bench
does the same with valgrind, and test with the headers of OpenSSL and with Chromium (DASHBOARD_BROWSER names another
browser; DASHBOARD_BROWSER=none leaves the one test out that needs it). Beside a MySQL server test installs nothing of MariaDB's,
for apt might remove that one.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["quickstart"] => quickstart::run(),
        ["test"] => test::run(),
        ["test", "--mysql"] => test::run_on_other_servers(),
        ["bench", words @ ..] => bench::run(words),
        ["chaos", words @ ..] => chaos::run(words),
        ["prove", words @ ..] => prove::Size::read(words).and_then(prove::run),
        ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        [] => Err(Failure::usage(format!("which task?\n\n{HELP}"))),
        ["test", words @ ..] => match Repeat::read(words) {
            Some(repeat) => repeat.and_then(repeat::run),
            None => Err(Failure::usage(format!(
                "`test` takes --mysql, --repeat N [--busy] or no argument, and got `{}`",
                words.join(" ")
            ))),
        },
        [task @ ("quickstart" | "help" | "--help" | "-h"), rest @ ..] => Err(Failure::usage(
            format!("`{task}` takes no arguments, and got `{}`", rest.join(" ")),
        )),
        [unknown, ..] => Err(Failure::usage(format!(
            "there is no task `{unknown}`; the tasks are quickstart, test, prove, chaos, bench and help"
        ))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            failure.exit_code()
        }
    }
}

/// The root of the checkout, two folders above this package.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("this package lies in crates/xtask")
}
