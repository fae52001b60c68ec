//! What the tests share: a scripted manager, a scripted MySQL server, a line server, gates that a test opens, probes that poll a future by
//! hand, stages that drive a pool step by step, the invariants as reusable checks, a watchdog, and one body on five runtimes.

pub mod backend;
pub mod clean;
pub mod fake;
pub mod fake_server;
pub mod gate;
pub mod invariants;
pub mod line_server;
pub mod probe;
pub mod rest;
pub mod runtimes;
pub mod stage;
pub mod told;
pub mod warnings;
pub mod watchdog;

pub use crate::backend::{Backend, FakeBackend};
pub use crate::clean::Clean;
pub use crate::fake::{
    FakeConnection, FakeControl, FakeError, FakeGuard, FakeInterceptor, FakeManager, FakePool,
    Held, Step, Verb, hold,
};
pub use crate::fake_server::{Answer, FakeServer, Received};
pub use crate::gate::Gate;
pub use crate::line_server::LineServer;
pub use crate::probe::{CountingWaker, Moment, Probe, Surroundings, poll_once};
pub use crate::rest::{counts_settle, settle_until, yield_now};
pub use crate::runtimes::{Flavour, on_every_runtime};
pub use crate::stage::{Mode, Stage};
pub use crate::told::Told;
pub use crate::warnings::warnings;
pub use crate::watchdog::within;

#[cfg(doctest)]
mod misuse;

/// The programs in the README and in the guides are compiled, and run where they need no server.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../README.md")]
    struct Readme;

    #[doc = include_str!("../../../docs/from-aiomysql.md")]
    struct FromAiomysql;

    #[doc = include_str!("../../../docs/from-mysql_async.md")]
    struct FromMysqlAsync;

    #[doc = include_str!("../../../docs/from-sqlx.md")]
    struct FromSqlx;

    #[doc = include_str!("../../../docs/governing.md")]
    struct Governing;

    #[doc = include_str!("../../../docs/mysql.md")]
    struct MySql;

    #[doc = include_str!("../../../docs/observability.md")]
    struct Observability;

    #[doc = include_str!("../../../docs/write-a-backend.md")]
    struct WriteABackend;
}
