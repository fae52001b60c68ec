//! A throw-away MariaDB or MySQL server for tests, examples and tasks.
//!
//! [`PrivateServer::start`] finds the server program, gives it a folder of its own in the temporary directory and a
//! free port on the loopback address, and returns once it takes connections. It reads no configuration of the machine,
//! needs no rights and no service, and takes a fraction of a second. Dropping it kills the server and removes the
//! folder.
//!
//! ```
//! use private_server::PrivateServer;
//!
//! let server = PrivateServer::builder().option("--wait-timeout=60").start()?;
//! assert_eq!(server.url(), format!("mysql://root@127.0.0.1:{}/mysql", server.port()));
//! # Ok::<(), private_server::ServerError>(())
//! ```
//!
//! Who can log in: `root` without a password, over TCP and over the unix socket, and the plain user `app` with the
//! password `app`, who owns the empty database `test` and nothing else.
//!
//! # What outlives the process
//!
//! A folder prepared once for each user and server version stays in the user's cache directory, so that later servers
//! start from a copy. Nothing else stays: a process that ends without dropping its server (a signal, `abort`, `exit`)
//! leaves it to a small shell that waits for that end, kills the server and removes its folder.
//!
//! Unix only.

#![forbid(unsafe_code)]

mod cache;
mod error;
mod folder;
mod launch;
mod port;
mod process;
mod program;
mod server;
mod template;
mod watchdog;

pub use crate::error::ServerError;
pub use crate::program::find_server_program;
pub use crate::server::{Builder, PrivateServer};
