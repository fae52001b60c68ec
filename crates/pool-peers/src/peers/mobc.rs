//! mobc with `test_on_check_out` and `validate`, and as many idle connections as open ones. It has no limit for a connect, so the
//! manager has it.

use std::sync::Arc;
use std::time::Duration;

use mobc::{Manager, Pool, async_trait};

use crate::peer::{BoxFuture, BoxPeer, Counts, Guard, Kind, Offer, Peer, Settings};
use crate::server::{Connection, Refused, Server};

pub(crate) const KIND: Kind = Kind {
    name: "mobc",
    package: "mobc",
    version: "0.9.0",
    offers: &[
        Offer::Check,
        Offer::AcquireTimeout,
        Offer::Lifetime,
        Offer::Discard,
        Offer::IdleTimeout,
    ],
    why_absent: &[],
    open: |server, settings| Box::pin(std::future::ready(Ok(open(server, settings)))),
};

struct Backend {
    server: Server,
    connect_limit: Option<Duration>,
}

#[async_trait]
impl Manager for Backend {
    type Connection = Connection;
    type Error = Refused;

    async fn connect(&self) -> Result<Connection, Refused> {
        self.server.connect_within(self.connect_limit).await
    }
    async fn check(&self, conn: Connection) -> Result<Connection, Refused> {
        conn.check().await?;
        Ok(conn)
    }
    fn validate(&self, conn: &mut Connection) -> bool {
        !conn.is_broken()
    }
}

fn open(server: Server, settings: Settings) -> BoxPeer {
    let pool = Pool::builder()
        .max_open(settings.maxsize as u64)
        .max_idle(settings.maxsize as u64)
        .test_on_check_out(settings.check)
        .get_timeout(Some(settings.acquire_timeout))
        .max_lifetime(settings.lifetime)
        .max_idle_lifetime(settings.idle_timeout)
        .build(Backend {
            server,
            connect_limit: settings.connect_limit(),
        });
    Arc::new(Mobc(pool))
}

struct Mobc(Pool<Backend>);

impl Peer for Mobc {
    fn acquire(&self) -> BoxFuture<Result<Box<dyn Guard>, String>> {
        let pool = self.0.clone();
        Box::pin(async move {
            let guard = pool.get().await.map_err(|error| error.to_string())?;
            Ok(Box::new(guard) as Box<dyn Guard>)
        })
    }
    fn counts(&self) -> BoxFuture<Counts> {
        let pool = self.0.clone();
        Box::pin(async move {
            let state = pool.state().await;
            Counts {
                size: usize::try_from(state.connections).unwrap_or(usize::MAX),
                idle: usize::try_from(state.idle).unwrap_or(usize::MAX),
            }
        })
    }
}

impl Guard for mobc::Connection<Backend> {
    fn connection(&self) -> &Connection {
        self
    }
    fn discard(self: Box<Self>) {
        drop((*self).into_inner());
    }
}
