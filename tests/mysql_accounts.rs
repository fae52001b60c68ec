//! Accounts whose plugin needs another server than the usual one: Oracle's for `caching_sha2_password`, MariaDB's with
//! its plugin for ed25519. `cargo xtask test --mysql` gets both and runs this with one TLS library.

#![cfg(any(feature = "rustls", feature = "native-tls"))]

#[path = "mysql_tls/authorities.rs"]
#[allow(dead_code)]
mod authorities;
#[path = "mysql_accounts/caching_sha2.rs"]
mod caching_sha2;
#[path = "mysql_accounts/ed25519.rs"]
mod ed25519;
