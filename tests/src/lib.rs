//! Nothing: the promises that hold from outside are the test files beside this folder, each listed in `Cargo.toml`.
