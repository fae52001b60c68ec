//! Ours, with the safe defaults and without the reset.

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Pool, ResetPolicy, create_pool};

use crate::mysql::client::{Client, Failed, QUERY, one};
use crate::mysql::target::Target;

pub(crate) struct PoolMysql<const RESET: bool>(Pool);

impl<const RESET: bool> Client for PoolMysql<RESET> {
    const NAME: &'static str = match RESET {
        true => "pool-mysql",
        false => "pool-mysql, no reset",
    };
    const SETTINGS: &'static str = match RESET {
        true => {
            "defaults: the session is reset in the background after each use, a ping after 1 s idle, all timeouts on"
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
        Ok(Self(create_pool(options).maxsize(size).build_lazy()?))
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
