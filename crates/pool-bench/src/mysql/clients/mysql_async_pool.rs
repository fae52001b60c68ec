//! The pool that comes with mysql_async.

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{Pool, PoolConstraints, PoolOpts};

use crate::mysql::client::{Client, Failed, QUERY, hold_at_once, one};
use crate::mysql::target::Target;

pub(crate) struct DriverPool<const RESET: bool>(Pool);

impl<const RESET: bool> Client for DriverPool<RESET> {
    const NAME: &'static str = match RESET {
        true => "mysql_async's pool",
        false => "mysql_async's pool, no reset",
    };
    const SETTINGS: &'static str = match RESET {
        true => {
            "mysql_async::Pool, min = max (a smaller min closes what comes back), reset_connection on (its default), in a task at release"
        }
        false => "mysql_async::Pool, min = max, reset_connection off",
    };

    type Lane = Pool;

    async fn open(target: &Target, size: usize) -> Result<Self, Failed> {
        let constraints = PoolConstraints::new(size, size).ok_or("min is not more than max")?;
        let pool = PoolOpts::default()
            .with_constraints(constraints)
            .with_reset_connection(RESET);
        Ok(Self(Pool::new(target.driver().pool_opts(pool))))
    }

    async fn fill(&self, size: usize) -> Result<(), Failed> {
        hold_at_once((0..size).map(|_| self.0.get_conn())).await
    }

    async fn lane(&self) -> Result<Pool, Failed> {
        Ok(self.0.clone())
    }

    async fn query(lane: &mut Pool) -> Result<(), Failed> {
        let mut conn = lane.get_conn().await?;
        one(conn.query_first(QUERY).await?)
    }

    async fn close(self) {
        let _ = self.0.disconnect().await;
    }
}
