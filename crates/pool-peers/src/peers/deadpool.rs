//! deadpool, managed, with `Runtime::Tokio1` and all three time-outs. Its one hook, `recycle`, runs in `get` and is the check.

use std::sync::Arc;

use deadpool::Runtime;
use deadpool::managed::{Manager, Metrics, Object, Pool, RecycleError, RecycleResult};

use crate::peer::{BoxFuture, BoxPeer, Counts, Guard, Kind, Offer, Peer, Settings};
use crate::server::{Connection, Refused, Server};

pub(crate) const KIND: Kind = Kind {
    name: "deadpool",
    package: "deadpool",
    version: "0.13.1",
    offers: &[
        Offer::Check,
        Offer::AcquireTimeout,
        Offer::Close,
        Offer::Discard,
        Offer::AnyExecutor,
    ],
    why_absent: &[],
    open: |server, settings| Box::pin(std::future::ready(open(server, settings))),
};

struct Backend(Server);

impl Manager for Backend {
    type Type = Connection;
    type Error = Refused;

    async fn create(&self) -> Result<Connection, Refused> {
        self.0.connect().await
    }
    async fn recycle(&self, conn: &mut Connection, _: &Metrics) -> RecycleResult<Refused> {
        conn.check().await.map_err(RecycleError::Backend)
    }
}

fn open(server: Server, settings: Settings) -> Result<BoxPeer, String> {
    // It has no limit over the whole of `get`, only one for each of its three phases.
    let limit = settings.step_timeout.filter(|_| settings.limits);
    let pool = Pool::builder(Backend(server))
        .max_size(settings.maxsize)
        .runtime(Runtime::Tokio1)
        .wait_timeout(settings.limits.then_some(settings.acquire_timeout))
        .create_timeout(limit)
        .recycle_timeout(limit)
        .build();
    Ok(Arc::new(Deadpool(pool.map_err(|error| error.to_string())?)))
}

struct Deadpool(Pool<Backend>);

impl Peer for Deadpool {
    fn acquire(&self) -> BoxFuture<Result<Box<dyn Guard>, String>> {
        let pool = self.0.clone();
        Box::pin(async move {
            let guard = pool.get().await.map_err(|error| error.to_string())?;
            Ok(Box::new(guard) as Box<dyn Guard>)
        })
    }
    fn counts(&self) -> BoxFuture<Counts> {
        let status = self.0.status();
        let counts = Counts {
            size: status.size,
            idle: status.available,
        };
        Box::pin(std::future::ready(counts))
    }
    fn close(&self) -> BoxFuture<()> {
        self.0.close();
        Box::pin(std::future::ready(()))
    }
}

impl Guard for Object<Backend> {
    fn connection(&self) -> &Connection {
        self
    }
    fn discard(self: Box<Self>) {
        drop(Object::take(*self));
    }
}
