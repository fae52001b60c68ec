//! sqlx's pool with `test_before_acquire`. Its `ping` on return is the recycle, its `ping` before acquire is the check. It has no
//! limit for a connect alone, so the options of the connect have it.
//!
//! Only its feature for tokio is on, as in most programs: with a second runtime feature it would spawn there where no tokio is.

use std::sync::Arc;

use sqlx_core::pool::{Pool, PoolConnection, PoolOptions};

use super::fake_database::{Fake, FakeOptions};
use crate::peer::{BoxFuture, BoxPeer, Counts, Guard, Kind, Offer, Peer, Settings};
use crate::server::{Connection, Server};

pub(crate) const KIND: Kind = Kind {
    name: "sqlx",
    package: "sqlx-core",
    version: "0.9.0",
    offers: &[
        Offer::Check,
        Offer::Recycle,
        Offer::AcquireTimeout,
        Offer::WaitClosed,
        Offer::Close,
        Offer::Minsize,
        Offer::Lifetime,
        Offer::Discard,
        Offer::IdleTimeout,
    ],
    why_absent: &[(
        Offer::AnyExecutor,
        "built here with its feature for tokio alone; it has others for smol and async-std",
    )],
    open: |server, settings| Box::pin(open(server, settings)),
};

async fn open(server: Server, settings: Settings) -> Result<BoxPeer, String> {
    let small = |count: usize| u32::try_from(count).expect("a small pool");
    let options = PoolOptions::<Fake>::new()
        .max_connections(small(settings.maxsize))
        .min_connections(small(settings.minsize))
        .test_before_acquire(settings.check)
        .max_lifetime(settings.lifetime)
        .idle_timeout(settings.idle_timeout)
        .acquire_timeout(settings.acquire_timeout);
    let pool = options.connect_lazy_with(FakeOptions::new(server, settings.connect_limit()));
    Ok(Arc::new(Sqlx(pool)))
}

struct Sqlx(Pool<Fake>);

impl Peer for Sqlx {
    fn acquire(&self) -> BoxFuture<Result<Box<dyn Guard>, String>> {
        let acquiring = self.0.acquire();
        Box::pin(async move {
            let guard = acquiring.await.map_err(|error| error.to_string())?;
            Ok(Box::new(guard) as Box<dyn Guard>)
        })
    }
    fn counts(&self) -> BoxFuture<Counts> {
        let counts = Counts {
            size: self.0.size() as usize,
            idle: self.0.num_idle(),
        };
        Box::pin(std::future::ready(counts))
    }
    fn close(&self) -> BoxFuture<()> {
        let pool = self.0.clone();
        Box::pin(async move { pool.close().await })
    }
}

impl Guard for PoolConnection<Fake> {
    fn connection(&self) -> &Connection {
        self.fake()
    }
    fn discard(self: Box<Self>) {
        drop((*self).detach());
    }
}
