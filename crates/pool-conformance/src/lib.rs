//! Checks that a backend of [`pool_core`] keeps the whole contract of its [`Manager`](pool_core::Manager), on a real server.
//!
//! A manager is three short methods, and most mistakes in them show only under faults: a check that trusts a dead socket, a
//! recycle that leaves a variable behind, a connect that leaks a session when it is dropped half-way. This crate has the
//! faults. A backend gives its manager and the means to break its connections, and gets a [`Report`].
//!
//! ```no_run
//! use pool_conformance::{Backend, assert_conforms};
//! # use pool_core::Manager;
//! # struct Line;
//! # impl Line { fn shut(&self) {} }
//! # struct LineManager;
//! # impl Manager for LineManager {
//! #     type Connection = Line;
//! #     type Error = std::io::Error;
//! #     async fn connect(&self) -> std::io::Result<Line> { Ok(Line) }
//! #     async fn check(&self, _: &mut Line) -> std::io::Result<()> { Ok(()) }
//! #     async fn recycle(&self, _: &mut Line) -> std::io::Result<()> { Ok(()) }
//! # }
//!
//! struct LineBackend;
//!
//! impl Backend for LineBackend {
//!     type Manager = LineManager;
//!
//!     fn manager(&self) -> LineManager {
//!         LineManager
//!     }
//!     async fn break_connection(&self, line: &mut Line) -> Option<()> {
//!         line.shut();
//!         Some(())
//!     }
//!     // and further means, each of which lets more checks run
//! }
//!
//! assert_conforms(LineBackend);
//! ```
//!
//! # What it checks
//!
//! - connect: the connection works, two connects give two sessions, and a server that is stopped gives an error.
//! - check: `Ok` on a live connection, an error on a broken one.
//! - recycle and `on_release`: a dirty connection is clean before its next user; a broken one is not reused.
//! - close, drop and abort: each ends the session, and an abort ends the command under way.
//! - Each step of the manager, and acquire, release, clear and `wait_closed` of a pool, are dropped after their first poll, after their
//!   second, and so on until they complete. They are polled only when they were woken. No session is left, and the pool has
//!   all its places.
//! - A server that is silent, a broken connection, a hundred rounds, and sixteen threads on four connections.
//!
//! A check whose means the backend does not give is reported as not applicable, never as passed. A check that
//! would only repeat the failure of another one is skipped.
//!
//! # Time
//!
//! Every step has the deadline [`Backend::step_limit`]. A method that blocks its thread is found and named after twice that
//! time; its thread is left behind.
//!
//! # Limits
//!
//! - The kit opens a handful of sessions at a time. It must be alone on the server, because it counts the sessions.
//! - It needs panics that unwind: with `panic = "abort"`, the first one ends the process.
//! - It cannot tell a session that is not counted. A backend without [`Backend::sessions`] is not checked for leaks.

#![forbid(unsafe_code)]

mod backend;
mod checks;
mod polls;
mod pulse;
mod report;
mod runner;
mod stop;
mod trial;

pub use crate::backend::{Backend, ConnectionOf};
pub use crate::report::{Finding, Outcome, Report};
pub use crate::runner::{assert_conforms, run};
