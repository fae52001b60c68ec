//! Random statements on a real server: what `ResetPolicy::IfDirty` leaves unreset, and how many parameters a statement has.

#[path = "mysql_properties/parameters.rs"]
mod parameters;
#[path = "mysql_connection/server.rs"]
#[allow(dead_code)]
mod server;
#[path = "mysql_properties/traces.rs"]
mod traces;

use std::env;

use proptest::test_runner::{Config, RngSeed, TestRunner};

/// The same input in every run, unless `PROPTEST_RNG_SEED` chooses other input or `PROPTEST_CASES` asks for more.
fn runner(cases: u32) -> TestRunner {
    let mut config = Config {
        failure_persistence: None,
        // Each step to a shorter input sends statements to the server.
        max_shrink_iters: 200,
        ..Config::default()
    };
    if env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(10);
    }
    TestRunner::new(config)
}
