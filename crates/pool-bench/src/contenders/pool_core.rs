//! pool-core, in three ways: with connections that come back clean, with a recycle of each return, and with a check in each acquire.

use std::convert::Infallible;
use std::time::Duration;

use pool_core::{CheckPolicy, Manager, Pool, PooledConnection, Verdict};

use crate::contender::Contender;
use crate::fake::{Connection, Server};

pub(crate) const REUSE: u8 = 0;
pub(crate) const RECYCLE: u8 = 1;
pub(crate) const CHECK: u8 = 2;

pub(crate) struct Backend<const PAD: usize, const WAY: u8>(Server);

impl<const PAD: usize, const WAY: u8> Manager for Backend<PAD, WAY> {
    type Connection = Connection<PAD>;
    type Error = Infallible;

    async fn connect(&self) -> Result<Connection<PAD>, Infallible> {
        Ok(self.0.connect().await)
    }
    async fn check(&self, conn: &mut Connection<PAD>) -> Result<(), Infallible> {
        conn.check().await;
        Ok(())
    }
    async fn recycle(&self, conn: &mut Connection<PAD>) -> Result<(), Infallible> {
        conn.check().await;
        Ok(())
    }
    fn on_release(&self, _: &mut Connection<PAD>) -> Verdict {
        match WAY {
            RECYCLE => Verdict::Recycle,
            _ => Verdict::Reuse,
        }
    }
}

pub(crate) struct PoolCore<const PAD: usize, const WAY: u8> {
    pool: Pool<Backend<PAD, WAY>>,
}

impl<const PAD: usize, const WAY: u8> PoolCore<PAD, WAY> {
    fn builder(server: Server, size: usize) -> pool_core::Builder<Backend<PAD, WAY>> {
        let builder = Pool::builder(Backend(server))
            .maxsize(size)
            .acquire_timeout(Duration::from_secs(30));
        match WAY {
            CHECK => builder
                .check_policy(CheckPolicy::Always)
                .check_timeout(Duration::from_secs(5)),
            _ => builder,
        }
    }
}

impl<const PAD: usize, const WAY: u8> Contender for PoolCore<PAD, WAY> {
    const NAME: &'static str = match WAY {
        RECYCLE => "pool-core, recycling",
        CHECK => "pool-core, checking",
        _ => "pool-core",
    };
    const SETTINGS: &'static str = match WAY {
        RECYCLE => {
            "as pool-core, but the manager answers Verdict::Recycle (the default): each return runs recycle()"
        }
        CHECK => {
            "in the storm only: as pool-core, with CheckPolicy::Always and check_timeout 5 s: each acquire runs check()"
        }
        _ => {
            "defaults (FIFO, check after 1 s idle, upkeep on, tokio or smol adapter) and acquire_timeout 30 s; the manager answers Verdict::Reuse"
        }
    };

    type Guard<'a> = PooledConnection<Backend<PAD, WAY>>;

    async fn open(server: Server, size: usize) -> Self {
        let pool = Self::builder(server, size).build_lazy();
        Self {
            pool: pool.expect("valid settings"),
        }
    }

    async fn open_full(server: Server, size: usize) -> Option<Self> {
        let pool = Self::builder(server, size).minsize(size).build().await;
        Some(Self {
            pool: pool.expect("nothing fails"),
        })
    }

    async fn acquire(&self) -> Self::Guard<'_> {
        self.pool.acquire().await.expect("a connection")
    }

    fn acquire_size(&self) -> usize {
        size_of_val(&self.pool.acquire())
    }
}
