//! Checks that a backend of [`pool_core`] keeps the contract of its [`Manager`](pool_core::Manager), on a real server. It calls
//! each of the ten methods; [what it does not look at](#what-it-does-not-look-at) is listed.
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
//! | promise | means that it needs |
//! |---|---|
//! | validate accepts the manager |  |
//! | connect gives a connection that works |  |
//! | two connects give two sessions | `identity` or `sessions` |
//! | a dropped connection ends its session | `sessions` |
//! | connect fails while the server is stopped, and works when it is back | `stop_server`, `start_server` |
//! | classify lets the pool try a stopped server again | `stop_server`, `start_server` |
//! | set_echo keeps connections working |  |
//! | idle_limit is not zero |  |
//! | was_unused is false after something was done | `make_dirty` |
//! | check accepts a live connection |  |
//! | check refuses a broken connection | `break_connection` |
//! | recycle makes a dirty connection clean | `make_dirty`, `is_clean` |
//! | recycle keeps no broken connection | `break_connection` |
//! | on_release does not reuse a dirty connection | `make_dirty`, `is_clean` |
//! | on_release does not reuse a connection that failed its user | `break_connection` |
//! | on_release does not wait | better with `pause_server`, `resume_server` |
//! | close ends the session at the server | `sessions` |
//! | close and drop of a broken connection come to an end | `break_connection`; better with `sessions` |
//! | abort ends the command under way | `long_command`; better with `sessions` |
//! | abort does not wait | better with `pause_server`, `resume_server` |
//! | connect, dropped after any poll, leaves no session | `sessions` |
//! | check, dropped after any poll, leaves no session | `sessions` |
//! | recycle, dropped after any poll, leaves no session | `sessions` |
//! | close, dropped after any poll, leaves no session | `sessions` |
//! | a clear and a wait_closed that are dropped after any poll leave no session | `sessions` |
//! | releases that are dropped after any poll leave the pool whole | better with `sessions` |
//! | acquires that are dropped after any poll leave the pool whole | better with `sessions` |
//! | a panic of a user leaves the pool whole | better with `sessions` |
//! | a terminate while a connection is in use leaves no session | better with `sessions` |
//! | each step of a silent server ends with its deadline | `pause_server`, `resume_server`; better with `sessions` |
//! | a hundred rounds leave no session | `sessions` |
//! | no two of sixteen threads share a session | `identity`; better with `sessions` |
//! | nothing that a user left is seen by the next | `make_dirty`, `is_clean`; better with `sessions` |
//!
//! A pool is whole if it still has all its places. What is dropped after any poll is dropped after its first poll, after its
//! second, and so on until it completes. It is polled only when it was woken. The checks of an abort need a manager with an
//! `abort_handle`. Every check uses [`Backend::ping`] where it is given, and the manager's `check` elsewhere.
//!
//! A check whose means the backend does not give is reported as not applicable, never as passed. Without a means behind
//! "better with" a check looks at less: nobody counts the sessions afterwards, or the server answers meanwhile. A check that
//! would only repeat the failure of another one is skipped.
//!
//! # Panics of the manager
//!
//! A method that panics fails the check that calls it, and the report names the method. The pool contains the panic, but it costs
//! at least that connection. A panic of the function in an `AbortHandle` is not seen by itself, because only the pool can call it:
//! a panic before its work is reported as a command that still runs, and a panic after its work costs nothing.
//!
//! # What it does not look at
//!
//! - Whether `validate` refuses wrong options: the kit has only the manager that the backend gives.
//! - What `set_echo` writes. The checks see that connections work with it.
//! - Whether `idle_limit` is shorter than the time after which the server closes an idle connection.
//! - What `classify` says of other errors than that of a stopped server.
//!
//! # Time
//!
//! Every step has the deadline [`Backend::step_limit`]. While the server is silent, a step of a pool has a fiftieth of it, and must
//! end within half of it. A method that blocks its thread is found and named after twice that
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
mod outage;
mod polls;
mod pulse;
mod report;
mod runner;
mod stop;
mod trial;

pub use crate::backend::{Backend, ConnectionOf};
pub use crate::report::{Finding, Outcome, Report};
pub use crate::runner::{assert_conforms, run};
