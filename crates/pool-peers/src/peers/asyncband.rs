//! asyncband, the successor of fastpool, with its defaults. It has no time-outs and documents that the caller adds them: so does this file.

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
    offers: &[
        Offer::Check,
        Offer::Discard,
        Offer::AnyExecutor,
        Offer::ConnectLimit,
    ],
    open: |server, settings| Box::pin(std::future::ready(Ok(open(server, settings)))),
};

struct Backend(Server);

impl ManageObject for Backend {
    type Object = Connection;
    type Error = Refused;

    async fn create(&self) -> Result<Connection, Refused> {
        self.0.connect().await
    }
    async fn is_recyclable(&self, conn: &mut Connection, _: &ObjectStatus) -> Result<(), Refused> {
        conn.check().await
    }
}

fn open(server: Server, settings: Settings) -> BoxPeer {
    Arc::new(Asyncband {
        pool: Pool::new(PoolConfig::new(settings.maxsize), Backend(server)),
        timeout: settings.acquire_timeout,
    })
}

struct Asyncband {
    pool: Arc<Pool<Backend>>,
    timeout: Duration,
}

impl Peer for Asyncband {
    fn acquire(&self) -> BoxFuture<Result<Box<dyn Guard>, String>> {
        let pool = Arc::clone(&self.pool);
        let timeout = self.timeout;
        Box::pin(async move {
            // Outside tokio there is no timer.
            let got = match tokio::runtime::Handle::try_current() {
                Ok(_) => tokio::time::timeout(timeout, pool.get())
                    .await
                    .map_err(|_| "timed out".to_string())?,
                Err(_) => pool.get().await,
            };
            let guard = got.map_err(|error| error.to_string())?;
            Ok(Box::new(guard) as Box<dyn Guard>)
        })
    }
    fn counts(&self) -> BoxFuture<Counts> {
        let status = self.pool.status();
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
