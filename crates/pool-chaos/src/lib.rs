//! A TCP proxy that breaks connections on purpose, and the ledger test that uses it: `cargo xtask chaos`.
//!
//! The ledger test is the program of this crate. Its front page, `main.rs`, says what it checks.

#![forbid(unsafe_code)]

pub mod proxy;
