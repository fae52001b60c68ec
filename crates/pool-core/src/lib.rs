//! A connection pool for anything that can be connected: fair, cancel-safe, and on any async runtime.
//!
//! Fill, acquire, release, recycle and close are hard to get right, and each backend needs them. This crate has
//! them once, for all backends. A backend is a [`Manager`] with three methods: connect, check, recycle.
//!
//! ```
//! use pool_core::{Manager, Pool};
//!
//! struct Files;
//!
//! impl Manager for Files {
//!     type Connection = std::fs::File;
//!     type Error = std::io::Error;
//!
//!     async fn connect(&self) -> std::io::Result<std::fs::File> {
//!         std::fs::File::open("Cargo.toml")
//!     }
//!     async fn check(&self, file: &mut std::fs::File) -> std::io::Result<()> {
//!         file.metadata().map(drop)
//!     }
//!     async fn recycle(&self, file: &mut std::fs::File) -> std::io::Result<()> {
//!         std::io::Seek::rewind(file)
//!     }
//! }
//!
//! futures_lite::future::block_on(async {
//!     let pool = Pool::builder(Files).minsize(1).maxsize(10).build().await?;
//!     {
//!         let file = pool.acquire().await?;
//!         assert!(file.metadata().unwrap().is_file());
//!     } // back in the pool
//!     pool.close();
//!     pool.wait_closed().await
//! })
//! # .unwrap();
//! ```
//!
//! # What it promises
//!
//! - Open connections and connects in flight together never exceed maxsize.
//! - Dropping any future at any await costs no capacity and strands no waiter.
//! - Waiters are served in order of arrival, by direct hand-over.
//! - A connection that is closed, broken, expired or not recycled is never handed out.
//! - Dropping a guard or a pool never blocks, needs no executor and never panics.
//! - Each step has its own deadline. An error says in which phase, after how long, and why.
//! - A manager may call its own pool, because no user code runs under the lock.
//!
//! # Runtimes
//!
//! The default build runs under every executor and keeps time on a thread of its own. On a runtime that can spawn,
//! recycle and upkeep happen in the background instead of in the next acquire. The feature `tokio` or `async-std` is
//! enough: the pool finds that runtime where it is current. With the feature `smol`, pass `SmolRuntime` to
//! [`Builder::runtime`]: smol is used only where it is named. For another executor, implement [`Runtime`].
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `timer` (default) | the built-in timer, one lazy thread |
//! | `tokio`, `smol`, `async-std` | the adapter for that runtime |
//! | `tracing` | `TracingObserver`, and spans around acquire, connect, check, recycle and close |
//! | `metrics`, `opentelemetry` | `MetricsObserver`, `OpenTelemetryObserver`: counts and times under the names of the OpenTelemetry conventions |
//! | `test-util` | a runtime with virtual time, for tests |
//!
//! # Limits
//!
//! - A poll that never returns cannot be ended from outside.
//! - After `mem::forget` of a guard its place stays taken until [`Pool::terminate`].
//! - With `panic = "abort"`, panics cannot be contained.
//! - `mem::swap` through two guards swaps the connections, but not what the pool knows of them.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// Floor 0: words.
mod borrowed;
mod config;
mod connection_info;
mod dyn_manager;
mod error;
mod event;
mod extensions;
mod interceptor;
mod labelled;
mod manager;
mod observers;
mod panics;
mod runtime;
mod spans;
mod stats;
mod status;
mod sync;
mod words;
// Floor 1: the ledger.
mod ledger;
// Floor 2: the lock, and what runs without it.
mod backend;
mod shared;
// Floor 3: the guard.
mod pooled;
// Floor 4: the pool and its verbs.
mod acquire;
mod builder;
mod close;
mod fill;
mod govern;
mod health;
mod pool;
mod release;
mod try_acquire;
mod upkeep;

#[doc(hidden)]
pub mod doc_manager;

pub use crate::acquire::Acquire;
pub use crate::borrowed::{Borrowed, Nested};
pub use crate::builder::Builder;
pub use crate::config::{
    CheckPolicy, ConfigError, IdleOrder, Knobs, Priority, Settings, Shedding, StartPolicy,
};
pub use crate::connection_info::ConnectionInfo;
pub use crate::dyn_manager::{BoxError, BoxManager};
pub use crate::error::{Error, FailureReason, Phase, TimeoutReport};
pub use crate::event::{CloseReason, Event, EventError, ObservedPool, Observer};
pub use crate::extensions::Extensions;
pub use crate::govern::{Closing, ShutdownReport};
pub use crate::health::Readiness;
pub use crate::interceptor::Interceptor;
pub use crate::labelled::labelled;
pub use crate::manager::{AbortHandle, ErrorClass, Manager, Verdict};
#[cfg(feature = "metrics")]
pub use crate::observers::MetricsObserver;
#[cfg(feature = "opentelemetry")]
pub use crate::observers::OpenTelemetryObserver;
#[cfg(feature = "tracing")]
pub use crate::observers::TracingObserver;
pub use crate::pool::{Pool, WeakPool};
pub use crate::pooled::PooledConnection;
#[cfg(feature = "async-std")]
pub use crate::runtime::AsyncStdRuntime;
#[cfg(feature = "smol")]
pub use crate::runtime::SmolRuntime;
#[cfg(feature = "timer")]
pub use crate::runtime::ThreadTimer;
#[cfg(feature = "tokio")]
pub use crate::runtime::TokioRuntime;
#[cfg(feature = "test-util")]
pub use crate::runtime::VirtualRuntime;
pub use crate::runtime::{BoxFuture, NoSpawner, Runtime};
pub use crate::stats::{Histogram, Stats};
pub use crate::status::Status;
