//! TLS and authentication on a real server, with one TLS library or the other (features `rustls` and `native-tls`).

#![cfg(any(feature = "rustls", feature = "native-tls"))]

#[path = "mysql_tls/authorities.rs"]
mod authorities;
#[path = "mysql_tls/kill.rs"]
mod kill;
#[path = "mysql_tls/modes.rs"]
mod modes;
#[path = "mysql_tls/native.rs"]
mod native;
