//! pool-mysql with each of three reset policies: always (the default), only if needed, and never.

use std::time::Duration;

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Pool, ResetPolicy, create_pool};

use crate::mysql::client::{Client, Failed, QUERY, hold_at_once, one};
use crate::mysql::target::Target;

pub(crate) const ALWAYS: u8 = 0;
pub(crate) const IF_DIRTY: u8 = 1;
pub(crate) const NEVER: u8 = 2;

pub(crate) struct PoolMysql<const POLICY: u8>(Pool);

impl<const POLICY: u8> Client for PoolMysql<POLICY> {
    const NAME: &'static str = match POLICY {
        ALWAYS => "pool-mysql",
        IF_DIRTY => "pool-mysql, if dirty",
        _ => "pool-mysql, no reset",
    };
    const SETTINGS: &'static str = match POLICY {
        ALWAYS => {
            "minsize = maxsize, connect_retry of 3 s, and the defaults: the session is reset in the background after each use, a ping after 1 s idle, all timeouts on"
        }
        IF_DIRTY => {
            "as pool-mysql, with ResetPolicy::IfDirty: each statement is read, and a plain one costs no reset"
        }
        _ => "as pool-mysql, with ResetPolicy::Never: nothing is cleaned",
    };

    type Lane = Pool;

    async fn open(target: &Target, size: usize) -> Result<Self, Failed> {
        let policy = match POLICY {
            ALWAYS => ResetPolicy::Always,
            IF_DIRTY => ResetPolicy::IfDirty,
            _ => ResetPolicy::Never,
        };
        let options = target.ours().reset_policy(policy);
        let pool = create_pool(options).minsize(size).maxsize(size);
        let pool = pool.connect_retry(Duration::from_secs(3));
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
        // An error is ignored: the pool is closed in any case.
        let _ = self.0.wait_closed().await;
    }
}
