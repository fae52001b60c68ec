//! mobc 0.9.

use std::convert::Infallible;

use mobc::{Manager, Pool, async_trait};

use crate::contender::Contender;
use crate::fake::{Connection, Server};

pub(crate) struct Backend<const PAD: usize>(Server);

#[async_trait]
impl<const PAD: usize> Manager for Backend<PAD> {
    type Connection = Connection<PAD>;
    type Error = Infallible;

    async fn connect(&self) -> Result<Connection<PAD>, Infallible> {
        Ok(self.0.connect().await)
    }
    async fn check(&self, conn: Connection<PAD>) -> Result<Connection<PAD>, Infallible> {
        conn.check().await;
        Ok(conn)
    }
}

pub(crate) struct Mobc<const PAD: usize, const TEST: bool> {
    pool: Pool<Backend<PAD>>,
}

impl<const PAD: usize, const TEST: bool> Contender for Mobc<PAD, TEST> {
    const NAME: &'static str = match TEST {
        true => "mobc, testing",
        false => "mobc",
    };
    const SETTINGS: &'static str = match TEST {
        true => "in the storm only: as mobc, with its test on: test_on_check_out",
        false => {
            "max_idle = max_open, no test on check-out, no timeout, no lifetimes; feature tokio"
        }
    };
    const NEEDS_TOKIO: Option<&'static str> =
        Some("PANICS outside tokio: every release spawns a task");

    type Guard<'a> = mobc::Connection<Backend<PAD>>;

    async fn open(server: Server, size: usize) -> Self {
        let pool = Pool::builder()
            .max_open(size as u64)
            .max_idle(size as u64)
            .test_on_check_out(TEST)
            .get_timeout(None)
            .max_lifetime(None)
            .max_idle_lifetime(None)
            .build(Backend(server));
        Self { pool }
    }

    async fn acquire(&self) -> Self::Guard<'_> {
        self.pool.get().await.expect("a connection")
    }

    fn acquire_size(&self) -> usize {
        size_of_val(&self.pool.get())
    }
}
