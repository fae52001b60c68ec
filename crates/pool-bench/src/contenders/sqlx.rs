//! sqlx 0.9's pool over a database that answers at once.

use std::time::Duration;

use sqlx_core::pool::{Pool, PoolConnection, PoolOptions};

use super::null_database::{Null, NullOptions};
use crate::contender::Contender;
use crate::fake::Server;

pub(crate) struct Sqlx<const PAD: usize, const TEST: bool> {
    pool: Pool<Null<PAD>>,
}

impl<const PAD: usize, const TEST: bool> Sqlx<PAD, TEST> {
    fn options(size: usize) -> PoolOptions<Null<PAD>> {
        PoolOptions::new()
            .max_connections(u32::try_from(size).expect("a small pool"))
            .test_before_acquire(TEST)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(Duration::from_secs(30))
    }
}

impl<const PAD: usize, const TEST: bool> Contender for Sqlx<PAD, TEST> {
    const NAME: &'static str = match TEST {
        true => "sqlx, testing",
        false => "sqlx",
    };
    const SETTINGS: &'static str = match TEST {
        true => "in the storm only: as sqlx, with its test on: test_before_acquire",
        false => {
            "sqlx-core's pool over a database that does nothing; no test before acquire, no lifetimes, acquire_timeout 30 s; each release spawns a task that pings (it cannot be switched off)"
        }
    };

    type Guard<'a> = PoolConnection<Null<PAD>>;

    async fn open(server: Server, size: usize) -> Self {
        Self {
            pool: Self::options(size).connect_lazy_with(NullOptions::new(server)),
        }
    }

    async fn open_full(server: Server, size: usize) -> Option<Self> {
        let pool = Self::options(size)
            .min_connections(u32::try_from(size).expect("a small pool"))
            .connect_with(NullOptions::new(server.clone()))
            .await
            .expect("nothing fails");
        // The pool can be ready before all connections are open.
        while server.connects() < size as u64 {
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
        Some(Self { pool })
    }

    async fn acquire(&self) -> Self::Guard<'_> {
        self.pool.acquire().await.expect("a connection")
    }

    fn acquire_size(&self) -> usize {
        size_of_val(&self.pool.acquire())
    }
}
