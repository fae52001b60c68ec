//! Runs what several threads do to one pool through every schedule, or through many, and checks its promises.
//!
//! A model is a function: it builds a small pool, lets two or three threads acquire, release, cancel and close, joins
//! them, and checks what has to hold then ([`World::finish`]). No thread comes later to help, so a wake that is lost
//! leaves a thread that waits for ever, and the model checker reports a deadlock. The models are in `tests/`. Each is
//! written once, for three ways to run it:
//!
//! | way | schedules | how to run |
//! |---|---|---|
//! | [shuttle] | 20,000 a model, half of them random, half by PCT | `RUSTFLAGS="--cfg shuttle" cargo test -p pool-models --release --target-dir target/shuttle` |
//! | [loom] | all with at most two preemptions; weak memory too | `RUSTFLAGS="--cfg loom" cargo test -p pool-models --release --target-dir target/loom` |
//! | threads | 100 runs, as they come | `cargo test -p pool-models` |
//!
//! `POOL_MODELS_SCHEDULES` and `LOOM_MAX_PREEMPTIONS` ask for more or fewer. Each test prints one line with its number
//! of schedules. The larger models run under shuttle only ([`check_by_sampling`]). On two cores, shuttle takes about
//! 50 seconds and loom 4. With three preemptions loom takes half a minute and goes through thirteen times as many
//! schedules, so look there too after a change of the timer or of a lock.
//!
//! When a schedule fails, shuttle prints it. It is repeated with
//! `POOL_MODELS_REPLAY=SCHEDULE RUSTFLAGS="--cfg shuttle" cargo test … -- --exact NAME_OF_THE_TEST`. loom always goes
//! through the schedules in the same order; `LOOM_LOG=1 LOOM_LOCATION=1` shows the steps of each. A failure under loom may
//! abort the test program, because the pool goes on while the failed thread unwinds; the first panic is the one to read.
//!
//! The `cfg` reaches pool-core, whose `sync` module then takes its locks and atomics from the model checker. The built-in
//! timer is not checked here, because its thread belongs to the process; the models have a timer of their own.
//! `pool-sim` covers what one thread does.
//!
//! [shuttle]: https://docs.rs/shuttle
//! [loom]: https://docs.rs/loom

#![forbid(unsafe_code)]

mod block_on;
mod checker;
mod manager;
mod runtime;
mod setup;
mod step;
mod world;

pub use crate::block_on::{block_on, poll_once};
pub use crate::checker::{JoinHandle, check, check_by_sampling, spawn};
pub use crate::manager::{Connection, ModelManager};
pub use crate::runtime::ModelRuntime;
pub use crate::setup::{Setup, Spawner};
pub use crate::step::{Gate, Refused, Step};
pub use crate::world::{Guard, ModelError, ModelPool, World, acquire, join, thread};
