//! sqlx with its own MySQL driver.

use sqlx_core::executor::Executor;
use sqlx_core::pool::{Pool, PoolOptions};
use sqlx_core::raw_sql::raw_sql;
use sqlx_core::row::Row;
use sqlx_mysql::{MySql, MySqlConnectOptions, MySqlSslMode};

use crate::mysql::client::{Client, Failed, QUERY, hold_at_once, one};
use crate::mysql::target::Target;

pub(crate) struct Sqlx<const TEST: bool>(Pool<MySql>);

impl<const TEST: bool> Client for Sqlx<TEST> {
    const NAME: &'static str = match TEST {
        true => "sqlx",
        false => "sqlx, no test",
    };
    const SETTINGS: &'static str = match TEST {
        true => {
            "sqlx-mysql, defaults: pings before acquire and at release, acquire_timeout 30 s; text protocol"
        }
        false => "as sqlx, with test_before_acquire off: pings at release only",
    };

    type Lane = Pool<MySql>;

    async fn open(target: &Target, size: usize) -> Result<Self, Failed> {
        let options = PoolOptions::new()
            .max_connections(u32::try_from(size)?)
            .test_before_acquire(TEST);
        Ok(Self(options.connect_lazy_with(address(target))))
    }

    async fn fill(&self, size: usize) -> Result<(), Failed> {
        hold_at_once((0..size).map(|_| self.0.acquire())).await
    }

    async fn lane(&self) -> Result<Self::Lane, Failed> {
        Ok(self.0.clone())
    }

    async fn query(lane: &mut Self::Lane) -> Result<(), Failed> {
        let mut conn = lane.acquire().await?;
        let row = conn.fetch_optional(raw_sql(QUERY)).await?;
        one(row.map(|row| row.try_get(0)).transpose()?)
    }

    async fn close(self) {
        self.0.close().await;
    }
}

fn address(target: &Target) -> MySqlConnectOptions {
    let options = MySqlConnectOptions::new()
        .host(&target.host)
        .port(target.port)
        .username("root")
        .ssl_mode(MySqlSslMode::Disabled);
    match &target.socket {
        Some(path) => options.socket(path),
        None => options,
    }
}
