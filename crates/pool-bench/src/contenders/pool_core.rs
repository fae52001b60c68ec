//! Ours, with a manager whose connections come back clean, and with one that recycles each.

use std::convert::Infallible;
use std::time::Duration;

use pool_core::{Manager, Pool, PooledConnection, Verdict};

use crate::contender::Contender;
use crate::fake::{Connection, Server};

pub(crate) struct Backend<const PAD: usize, const RECYCLE: bool>(Server);

impl<const PAD: usize, const RECYCLE: bool> Manager for Backend<PAD, RECYCLE> {
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
        match RECYCLE {
            true => Verdict::Recycle,
            false => Verdict::Reuse,
        }
    }
}

pub(crate) struct PoolCore<const PAD: usize, const RECYCLE: bool> {
    pool: Pool<Backend<PAD, RECYCLE>>,
}

impl<const PAD: usize, const RECYCLE: bool> PoolCore<PAD, RECYCLE> {
    fn builder(server: Server, size: usize) -> pool_core::Builder<Backend<PAD, RECYCLE>> {
        Pool::builder(Backend(server))
            .maxsize(size)
            .acquire_timeout(Duration::from_secs(30))
    }
}

impl<const PAD: usize, const RECYCLE: bool> Contender for PoolCore<PAD, RECYCLE> {
    const NAME: &'static str = match RECYCLE {
        true => "pool-core, recycling",
        false => "pool-core",
    };
    const SETTINGS: &'static str = match RECYCLE {
        true => {
            "as pool-core, but the manager answers Verdict::Recycle (the default): each return runs recycle()"
        }
        false => {
            "defaults (FIFO, check after 1 s idle, upkeep on, tokio or smol adapter) and acquire_timeout 30 s; the manager answers Verdict::Reuse"
        }
    };

    type Guard<'a> = PooledConnection<Backend<PAD, RECYCLE>>;

    async fn open(server: Server, size: usize) -> Self {
        let pool = Self::builder(server, size).build_lazy();
        Self {
            pool: pool.expect("the knobs are good"),
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
