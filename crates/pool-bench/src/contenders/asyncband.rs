//! asyncband 0.7, the successor of fastpool.

use std::convert::Infallible;
use std::sync::Arc;

use asyncband::pool::bounded::{Object, Pool, PoolConfig};
use asyncband::pool::{ManageObject, ObjectStatus, QueueStrategy};

use crate::contender::Contender;
use crate::fake::{Connection, Server};

pub(crate) struct Backend<const PAD: usize>(Server);

impl<const PAD: usize> ManageObject for Backend<PAD> {
    type Object = Connection<PAD>;
    type Error = Infallible;

    async fn create(&self) -> Result<Connection<PAD>, Infallible> {
        Ok(self.0.connect().await)
    }
    async fn is_recyclable(
        &self,
        conn: &mut Connection<PAD>,
        _: &ObjectStatus,
    ) -> Result<(), Infallible> {
        conn.check().await;
        Ok(())
    }
}

pub(crate) struct Asyncband<const PAD: usize> {
    pool: Arc<Pool<Backend<PAD>>>,
}

impl<const PAD: usize> Contender for Asyncband<PAD> {
    const NAME: &'static str = "asyncband";
    const SETTINGS: &'static str = "pool::bounded, LIFO, a cancelled check detaches (default); is_recyclable() = Ok, which it always calls; it has no timeouts";

    type Guard<'a> = Object<Backend<PAD>>;

    async fn open(server: Server, size: usize) -> Self {
        let config = PoolConfig::new(size).with_queue_strategy(QueueStrategy::Lifo);
        Self {
            pool: Pool::new(config, Backend(server)),
        }
    }

    async fn open_full(server: Server, size: usize) -> Option<Self> {
        let this = Self::open(server, size).await;
        let opened = this.pool.replenish_to(size).await;
        assert_eq!(opened, Ok(size), "nothing fails");
        Some(this)
    }

    async fn acquire(&self) -> Self::Guard<'_> {
        self.pool.get().await.expect("a connection")
    }

    fn acquire_size(&self) -> usize {
        size_of_val(&self.pool.get())
    }
}
