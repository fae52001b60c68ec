//! bb8 0.9.

use std::convert::Infallible;

use bb8::{ManageConnection, Pool, PooledConnection, QueueStrategy};

use crate::contender::Contender;
use crate::fake::{Connection, Server};

pub(crate) struct Backend<const PAD: usize>(Server);

impl<const PAD: usize> ManageConnection for Backend<PAD> {
    type Connection = Connection<PAD>;
    type Error = Infallible;

    async fn connect(&self) -> Result<Connection<PAD>, Infallible> {
        Ok(self.0.connect().await)
    }
    async fn is_valid(&self, conn: &mut Connection<PAD>) -> Result<(), Infallible> {
        conn.check().await;
        Ok(())
    }
    fn has_broken(&self, _: &mut Connection<PAD>) -> bool {
        false
    }
}

pub(crate) struct Bb8<const PAD: usize, const TEST: bool> {
    pool: Pool<Backend<PAD>>,
}

impl<const PAD: usize, const TEST: bool> Bb8<PAD, TEST> {
    fn builder(size: usize) -> bb8::Builder<Backend<PAD>> {
        Pool::builder()
            .max_size(u32::try_from(size).expect("a small pool"))
            .test_on_check_out(TEST)
            .queue_strategy(QueueStrategy::Lifo)
            .max_lifetime(None)
            .idle_timeout(None)
    }
}

impl<const PAD: usize, const TEST: bool> Contender for Bb8<PAD, TEST> {
    const NAME: &'static str = match TEST {
        true => "bb8, testing",
        false => "bb8",
    };
    const SETTINGS: &'static str = match TEST {
        true => "in the storm only: as bb8, with its test on: test_on_check_out",
        false => {
            "no test on check-out, LIFO, no lifetimes and so no reaper; connection_timeout 30 s (it cannot be switched off)"
        }
    };
    const NEEDS_TOKIO: Option<&'static str> =
        Some("PANICS outside tokio: every get enters tokio's timeout");

    type Guard<'a> = PooledConnection<'a, Backend<PAD>>;

    async fn open(server: Server, size: usize) -> Self {
        let pool = Self::builder(size).build(Backend(server)).await;
        Self {
            pool: pool.expect("nothing fails"),
        }
    }

    async fn open_full(server: Server, size: usize) -> Option<Self> {
        let idle = u32::try_from(size).expect("a small pool");
        let pool = Self::builder(size)
            .min_idle(idle)
            .build(Backend(server))
            .await;
        Some(Self {
            pool: pool.expect("nothing fails"),
        })
    }

    async fn acquire(&self) -> Self::Guard<'_> {
        self.pool.get().await.expect("a connection")
    }

    fn acquire_size(&self) -> usize {
        size_of_val(&self.pool.get())
    }
}
