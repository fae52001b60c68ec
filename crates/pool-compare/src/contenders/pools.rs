// The pools of one revision; `now.rs` and `before.rs` include this file. It uses what every revision has.

use std::convert::Infallible;
use std::time::Duration;

use self::pool_core::{Manager, Verdict};
use self::pool_mysql::mysql_async::prelude::Queryable;
use self::pool_mysql::{ConnectOptions, ResetPolicy, create_pool};

use crate::contender::Contender;
use crate::fake::{Connection, Server};
use crate::mysql::client::{Client, Failed, QUERY, hold_at_once, one};
use crate::mysql::target::Target;

pub(crate) struct Backend<const PAD: usize, const RECYCLES: bool>(Server);

impl<const PAD: usize, const RECYCLES: bool> Manager for Backend<PAD, RECYCLES> {
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
        match RECYCLES {
            true => Verdict::Recycle,
            false => Verdict::Reuse,
        }
    }
}

/// pool-core over a server in memory.
pub(crate) struct Core<const PAD: usize, const RECYCLES: bool>(
    pool_core::Pool<Backend<PAD, RECYCLES>>,
);

impl<const PAD: usize, const RECYCLES: bool> Contender for Core<PAD, RECYCLES> {
    const NAME: &'static str = match RECYCLES {
        false => NAMES[0],
        true => NAMES[1],
    };
    const SETTINGS: &'static str = "";

    type Guard<'a> = pool_core::PooledConnection<Backend<PAD, RECYCLES>>;

    async fn open(server: Server, size: usize) -> Self {
        let pool = pool_core::Pool::builder(Backend(server))
            .maxsize(size)
            .acquire_timeout(Duration::from_secs(30))
            .build_lazy();
        Self(pool.expect("valid settings"))
    }

    async fn acquire(&self) -> Self::Guard<'_> {
        self.0.acquire().await.expect("a connection")
    }

    fn acquire_size(&self) -> usize {
        size_of_val(&self.0.acquire())
    }
}

/// pool-mysql with `ResetPolicy::Always`, the default, or with `ResetPolicy::IfDirty`.
pub(crate) struct MySql<const IF_DIRTY: bool>(pool_mysql::Pool);

impl<const IF_DIRTY: bool> Client for MySql<IF_DIRTY> {
    const NAME: &'static str = match IF_DIRTY {
        false => NAMES[2],
        true => NAMES[3],
    };
    const SETTINGS: &'static str = "";

    type Lane = pool_mysql::Pool;

    async fn open(target: &Target, size: usize) -> Result<Self, Failed> {
        let options = ConnectOptions::new()
            .host(&target.host)
            .port(target.port)
            .user("root");
        let options = match &target.socket {
            Some(path) => options.unix_socket(path),
            None => options,
        };
        let options = options.reset_policy(match IF_DIRTY {
            false => ResetPolicy::Always,
            true => ResetPolicy::IfDirty,
        });
        let pool = create_pool(options).minsize(size).maxsize(size);
        Ok(Self(pool.build_lazy()?))
    }

    async fn fill(&self, size: usize) -> Result<(), Failed> {
        hold_at_once((0..size).map(|_| self.0.acquire())).await
    }

    async fn lane(&self) -> Result<Self::Lane, Failed> {
        Ok(self.0.clone())
    }

    async fn query(lane: &mut Self::Lane) -> Result<(), Failed> {
        let mut conn = lane.acquire().await?;
        one(conn.query_first(QUERY).await?)
    }

    async fn close(self) {
        self.0.close();
        // An error is ignored: the pool is closed in any case.
        let _ = self.0.wait_closed().await;
    }
}
