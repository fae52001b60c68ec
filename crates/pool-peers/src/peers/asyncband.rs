//! asyncband, the successor of fastpool, with its defaults. It has no time-outs, and documents that the caller adds them to an
//! acquire. This file does not add one; only the manager has a limit for a connect.

use std::sync::Arc;
use std::time::Duration;

use asyncband::pool::bounded::{Object, Pool, PoolConfig};
use asyncband::pool::{ManageObject, ObjectStatus};

use crate::peer::{BoxFuture, BoxPeer, Counts, Guard, Kind, Offer, Peer, Settings};
use crate::server::{Connection, Refused, Server};

pub(crate) const KIND: Kind = Kind {
    name: "asyncband",
    package: "asyncband",
    version: "0.7.4",
    offers: &[Offer::Check, Offer::Discard, Offer::AnyExecutor],
    why_absent: &[],
    open: |server, settings| Box::pin(std::future::ready(Ok(open(server, settings)))),
};

struct Backend {
    server: Server,
    connect_limit: Option<Duration>,
}

impl ManageObject for Backend {
    type Object = Connection;
    type Error = Refused;

    async fn create(&self) -> Result<Connection, Refused> {
        self.server.connect_within(self.connect_limit).await
    }
    async fn is_recyclable(&self, conn: &mut Connection, _: &ObjectStatus) -> Result<(), Refused> {
        conn.check().await
    }
}

fn open(server: Server, settings: Settings) -> BoxPeer {
    let backend = Backend {
        server,
        connect_limit: settings.connect_limit(),
    };
    Arc::new(Asyncband(Pool::new(
        PoolConfig::new(settings.maxsize),
        backend,
    )))
}

struct Asyncband(Arc<Pool<Backend>>);

impl Peer for Asyncband {
    fn acquire(&self) -> BoxFuture<Result<Box<dyn Guard>, String>> {
        let pool = Arc::clone(&self.0);
        Box::pin(async move {
            let guard = pool.get().await.map_err(|error| error.to_string())?;
            Ok(Box::new(guard) as Box<dyn Guard>)
        })
    }
    fn counts(&self) -> BoxFuture<Counts> {
        let status = self.0.status();
        let counts = Counts {
            size: status.current_size,
            idle: status.idle_count,
        };
        Box::pin(std::future::ready(counts))
    }
}

impl Guard for Object<Backend> {
    fn connection(&self) -> &Connection {
        self
    }
    fn discard(self: Box<Self>) {
        drop((*self).detach());
    }
}
