//! A runtime-agnostic, fair and cancel-safe connection pool.

mod config;
mod dyn_manager;
mod error;
mod manager;
mod runtime;
mod status;

pub use crate::config::{CheckPolicy, ConfigError, IdleOrder};
pub use crate::dyn_manager::{BoxError, BoxManager, DynManager};
pub use crate::error::{Error, Phase};
pub use crate::manager::{AbortHandle, ErrorClass, Manager, Verdict};
pub use crate::runtime::{BoxFuture, NoSpawner, Runtime};
pub use crate::status::Status;
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
