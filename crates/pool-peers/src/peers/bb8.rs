//! bb8 with `test_on_check_out`, and with `retry_connection`, its default: after an outage it connects again by itself.
//!
//! Its `connection_timeout` cannot be switched off. Errors of connect go to an `ErrorSink`, not to the caller of `get`. It has no
//! limit for a connect, so the manager has it.

use std::sync::Arc;
use std::time::Duration;

use bb8::{ManageConnection, Pool, PooledConnection};

use crate::peer::{BoxFuture, BoxPeer, Counts, Guard, Kind, Offer, Peer, Settings};
use crate::server::{Connection, Refused, Server};

pub(crate) const KIND: Kind = Kind {
    name: "bb8",
    package: "bb8",
    version: "0.9.1",
    offers: &[
        Offer::Check,
        Offer::AcquireTimeout,
        Offer::Minsize,
        Offer::Lifetime,
        Offer::IdleTimeout,
    ],
    why_absent: &[],
    open: |server, settings| Box::pin(open(server, settings)),
};

struct Backend {
    server: Server,
    connect_limit: Option<Duration>,
}

impl ManageConnection for Backend {
    type Connection = Connection;
    type Error = Refused;

    async fn connect(&self) -> Result<Connection, Refused> {
        self.server.connect_within(self.connect_limit).await
    }
    async fn is_valid(&self, conn: &mut Connection) -> Result<(), Refused> {
        conn.check().await
    }
    fn has_broken(&self, conn: &mut Connection) -> bool {
        conn.is_broken()
    }
}

async fn open(server: Server, settings: Settings) -> Result<BoxPeer, String> {
    let small = |count: usize| u32::try_from(count).expect("a small pool");
    let pool = Pool::builder()
        .max_size(small(settings.maxsize))
        .min_idle(small(settings.minsize))
        .test_on_check_out(settings.check)
        .connection_timeout(settings.acquire_timeout)
        .max_lifetime(settings.lifetime)
        .idle_timeout(settings.idle_timeout)
        .reaper_rate(Duration::from_millis(20))
        .build(Backend {
            server,
            connect_limit: settings.connect_limit(),
        })
        .await;
    Ok(Arc::new(Bb8(pool.map_err(|error| error.to_string())?)))
}

struct Bb8(Pool<Backend>);

impl Peer for Bb8 {
    fn acquire(&self) -> BoxFuture<Result<Box<dyn Guard>, String>> {
        let pool = self.0.clone();
        Box::pin(async move {
            let guard = pool.get_owned().await.map_err(|error| error.to_string())?;
            Ok(Box::new(guard) as Box<dyn Guard>)
        })
    }
    fn counts(&self) -> BoxFuture<Counts> {
        let state = self.0.state();
        let counts = Counts {
            size: state.connections as usize,
            idle: state.idle_connections as usize,
        };
        Box::pin(std::future::ready(counts))
    }
}

impl Guard for PooledConnection<'static, Backend> {
    fn connection(&self) -> &Connection {
        self
    }
    fn discard(self: Box<Self>) {
        unreachable!("not offered")
    }
}
