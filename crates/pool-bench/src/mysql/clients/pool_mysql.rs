//! Ours, with the safe defaults and without the reset.

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Pool, ResetPolicy, create_pool};

use crate::mysql::client::{Client, Failed, QUERY, hold_at_once, one};
use crate::mysql::target::Target;

pub(crate) struct PoolMysql<const RESET: bool>(Pool);

impl<const RESET: bool> Client for PoolMysql<RESET> {
    const NAME: &'static str = match RESET {
        true => "pool-mysql",
        false => "pool-mysql, no reset",
    };
    const SETTINGS: &'static str = match RESET {
        true => {
            "minsize = maxsize, and the defaults: the session is reset in the background after each use, a ping after 1 s idle, all timeouts on"
        }
        false => "as pool-mysql, with ResetPolicy::Never: only an open transaction is rolled back",
    };

    type Lane = Pool;

    async fn open(target: &Target, size: usize) -> Result<Self, Failed> {
        let policy = match RESET {
            true => ResetPolicy::Always,
            false => ResetPolicy::Never,
        };
        let options = target.ours().reset_policy(policy);
        let pool = create_pool(options).minsize(size).maxsize(size);
        Ok(Self(pool.build_lazy()?))
    }

    async fn fill(&self, size: usize) -> Result<(), Failed> {
        hold_at_once((0..size).map(|_| self.0.acquire())).await
    }

    async fn lane(&self) -> Result<Pool, Failed> {
        Ok(self.0.clone())
    }

    async fn query(lane: &mut Pool) -> Result<(), Failed> {
        let mut conn = lane.acquire().await?;
        one(conn.query_first(QUERY).await?)
    }

    async fn close(self) {
        self.0.close();
        // It only reports what failed; it is closed all the same.
        let _ = self.0.wait_closed().await;
    }
}
