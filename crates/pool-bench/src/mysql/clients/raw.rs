//! The floor: each task has its own connection. There is no pool, and nobody waits.

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{Conn, Opts};

use crate::mysql::client::{Client, Failed, QUERY, one};
use crate::mysql::target::Target;

pub(crate) struct Raw(Opts);

impl Client for Raw {
    const NAME: &'static str = "raw connections";
    const SETTINGS: &'static str = "no pool: bare mysql_async connections, as many as the pools have, and as many tasks as connections";
    const IS_RAW: bool = true;

    type Lane = Conn;

    async fn open(target: &Target, _: usize) -> Result<Self, Failed> {
        Ok(Self(target.opts()))
    }

    async fn lane(&self) -> Result<Conn, Failed> {
        Ok(Conn::new(self.0.clone()).await?)
    }

    async fn query(lane: &mut Conn) -> Result<(), Failed> {
        one(lane.query_first(QUERY).await?)
    }
}
