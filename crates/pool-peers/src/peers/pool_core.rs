//! pool-core with its check before each acquire, a recycle of each return, and a limit for each step.

use std::sync::Arc;

use pool_core::{CheckPolicy, Manager, Pool, PooledConnection, Verdict};

use crate::peer::{BoxFuture, BoxPeer, Counts, Guard, Kind, Offer, Peer, Settings};
use crate::server::{Connection, Refused, Server};

pub(crate) const KIND: Kind = Kind {
    name: "pool-core",
    package: "pool-core",
    version: "0.1.0",
    offers: &[
        Offer::Check,
        Offer::Recycle,
        Offer::AcquireTimeout,
        Offer::RecycleTimeout,
        Offer::WaitClosed,
        Offer::Close,
        Offer::Minsize,
        Offer::Discard,
        Offer::AnyExecutor,
        Offer::IdleTimeout,
        Offer::Lifetime,
    ],
    why_absent: &[],
    open: |server, settings| Box::pin(open(server, settings)),
};

struct Backend(Server);

impl Manager for Backend {
    type Connection = Connection;
    type Error = Refused;

    async fn connect(&self) -> Result<Connection, Refused> {
        self.0.connect().await
    }
    async fn check(&self, conn: &mut Connection) -> Result<(), Refused> {
        conn.check().await
    }
    async fn recycle(&self, conn: &mut Connection) -> Result<(), Refused> {
        conn.recycle().await
    }
    fn on_release(&self, conn: &mut Connection) -> Verdict {
        match conn.is_broken() {
            true => Verdict::Discard,
            false => Verdict::Recycle,
        }
    }
}

async fn open(server: Server, settings: Settings) -> Result<BoxPeer, String> {
    let pool = Pool::builder(Backend(server))
        .maxsize(settings.maxsize)
        .minsize(settings.minsize)
        .acquire_timeout(settings.acquire_timeout)
        .connect_timeout(settings.step_timeout)
        .check_timeout(settings.step_timeout)
        .recycle_timeout(settings.step_timeout)
        .close_timeout(settings.step_timeout)
        .idle_timeout(settings.idle_timeout)
        .max_lifetime(settings.lifetime)
        .check_policy(match settings.check {
            true => CheckPolicy::Always,
            false => CheckPolicy::Never,
        })
        .build()
        .await;
    Ok(Arc::new(PoolCore(pool.map_err(|error| error.to_string())?)))
}

struct PoolCore(Pool<Backend>);

impl Peer for PoolCore {
    fn acquire(&self) -> BoxFuture<Result<Box<dyn Guard>, String>> {
        let pool = self.0.clone();
        Box::pin(async move {
            let guard = pool.acquire().await.map_err(|error| error.to_string())?;
            Ok(Box::new(guard) as Box<dyn Guard>)
        })
    }
    fn counts(&self) -> BoxFuture<Counts> {
        let status = self.0.status();
        let counts = Counts {
            size: status.size(),
            idle: status.freesize(),
        };
        Box::pin(std::future::ready(counts))
    }
    fn close(&self) -> BoxFuture<()> {
        self.0.close();
        let pool = self.0.clone();
        Box::pin(async move { pool.wait_closed().await.expect("close was called") })
    }
}

impl Guard for PooledConnection<Backend> {
    fn connection(&self) -> &Connection {
        self
    }
    fn discard(self: Box<Self>) {
        PooledConnection::discard(*self);
    }
}
