//! Fuzz targets: what reads input that a program may have from elsewhere. A target takes any bytes and panics where a
//! promise is broken.
//!
//! With a nightly compiler and [cargo-fuzz](https://crates.io/crates/cargo-fuzz), one target runs with
//!
//! ```text
//! cargo +nightly fuzz run --fuzz-dir crates/pool-fuzz --features libfuzzer --sanitizer none TARGET \
//!     target/fuzz/TARGET crates/pool-fuzz/seeds/TARGET -- -runs=10000000
//! ```
//!
//! No sanitizer is needed: all code under test is safe code. The files in `seeds/TARGET` are the input that every
//! `cargo test` gives to the targets (`tests/seeds.rs`). An input that has found a mistake is added there.

#![forbid(unsafe_code)]

mod config;
mod my_cnf;
mod neutral;
mod sql_scanner;
mod statement;
mod url;

pub use crate::config::config;
pub use crate::my_cnf::my_cnf;
pub use crate::neutral::neutral;
pub use crate::sql_scanner::sql_scanner;
pub use crate::url::url;

/// Reads a statement once, as pool-mysql does before it sends one, and says whether it counts as plain. That is only found out if
/// `watched`, as with `ResetPolicy::IfDirty`. For pool-bench, which measures this.
pub fn read_statement(sql: &[u8], watched: bool) -> bool {
    let traits = statement::text::StatementTraits::of(sql, watched);
    std::hint::black_box(traits).neutral
}

/// A target.
pub type Target = fn(&[u8]);

/// All targets, by the name of the folder with their seeds.
pub const TARGETS: &[(&str, Target)] = &[
    ("config", config),
    ("my_cnf", my_cnf),
    ("neutral", neutral),
    ("sql_scanner", sql_scanner),
    ("url", url),
];
