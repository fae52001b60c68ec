//! r2d2 0.8. It blocks its thread while it waits, so it is a reference only for workloads in which nobody waits.

use std::convert::Infallible;

use r2d2::{ManageConnection, Pool, PooledConnection};

use crate::contender::Contender;
use crate::fake::{Connection, Server};

pub(crate) struct Backend<const PAD: usize>(Server);

impl<const PAD: usize> ManageConnection for Backend<PAD> {
    type Connection = Connection<PAD>;
    type Error = Infallible;

    fn connect(&self) -> Result<Connection<PAD>, Infallible> {
        Ok(self.0.connect_now())
    }
    fn is_valid(&self, _: &mut Connection<PAD>) -> Result<(), Infallible> {
        Ok(())
    }
    fn has_broken(&self, _: &mut Connection<PAD>) -> bool {
        false
    }
}

pub(crate) struct R2d2<const PAD: usize> {
    pool: Pool<Backend<PAD>>,
}

impl<const PAD: usize> Contender for R2d2<PAD> {
    const NAME: &'static str = "r2d2 (blocking)";
    const SETTINGS: &'static str = "no test on check-out, no lifetimes, connection_timeout 30 s; for reference: acquire blocks the thread";
    const WAITS: bool = false;

    type Guard<'a> = PooledConnection<Backend<PAD>>;

    async fn open(server: Server, size: usize) -> Self {
        let pool = Pool::builder()
            .max_size(u32::try_from(size).expect("a small pool"))
            .test_on_check_out(false)
            .max_lifetime(None)
            .idle_timeout(None)
            .build(Backend(server));
        Self {
            pool: pool.expect("nothing fails"),
        }
    }

    async fn acquire(&self) -> Self::Guard<'_> {
        self.pool.get().expect("a connection")
    }

    fn acquire_size(&self) -> usize {
        0
    }
}
