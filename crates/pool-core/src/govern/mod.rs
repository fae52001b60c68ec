//! The verbs that govern a pool: a file for each.

mod closing;
mod dedicated;
mod reconfigure;
mod retain;
mod run;
mod shutdown;
mod suspend;

pub use self::closing::Closing;
pub use self::shutdown::ShutdownReport;
