//! deadpool 0.13.

use std::convert::Infallible;

use deadpool::managed::{Manager, Metrics, Object, Pool, RecycleResult};

use crate::contender::Contender;
use crate::fake::{Connection, Server};

pub(crate) struct Backend<const PAD: usize>(Server);

impl<const PAD: usize> Manager for Backend<PAD> {
    type Type = Connection<PAD>;
    type Error = Infallible;

    async fn create(&self) -> Result<Connection<PAD>, Infallible> {
        Ok(self.0.connect().await)
    }
    async fn recycle(&self, conn: &mut Connection<PAD>, _: &Metrics) -> RecycleResult<Infallible> {
        conn.check().await;
        Ok(())
    }
}

pub(crate) struct Deadpool<const PAD: usize> {
    pool: Pool<Backend<PAD>>,
}

impl<const PAD: usize> Contender for Deadpool<PAD> {
    const NAME: &'static str = "deadpool";
    const SETTINGS: &'static str = "managed, FIFO, no timeouts (they cost it 180 ns a cycle); recycle() = Ok, which it always calls";

    type Guard<'a> = Object<Backend<PAD>>;

    async fn open(server: Server, size: usize) -> Self {
        let pool = Pool::builder(Backend(server)).max_size(size).build();
        Self {
            pool: pool.expect("without timeouts it needs no runtime"),
        }
    }

    async fn acquire(&self) -> Self::Guard<'_> {
        self.pool.get().await.expect("a connection")
    }

    fn acquire_size(&self) -> usize {
        size_of_val(&self.pool.get())
    }
}
