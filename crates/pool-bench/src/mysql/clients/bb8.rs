//! bb8 over mysql_async, with and without its test on check-out.

use bb8::{ManageConnection, Pool};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{Conn, Error, Opts};

use crate::mysql::client::{Client, Failed, QUERY, hold_at_once, one};
use crate::mysql::target::Target;

pub(crate) struct Backend(Opts);

impl ManageConnection for Backend {
    type Connection = Conn;
    type Error = Error;

    async fn connect(&self) -> Result<Conn, Error> {
        Conn::new(self.0.clone()).await
    }
    async fn is_valid(&self, conn: &mut Conn) -> Result<(), Error> {
        conn.ping().await
    }
    fn has_broken(&self, _: &mut Conn) -> bool {
        false
    }
}

pub(crate) struct Bb8<const TEST: bool>(Pool<Backend>);

impl<const TEST: bool> Client for Bb8<TEST> {
    const NAME: &'static str = match TEST {
        true => "bb8",
        false => "bb8, no test",
    };
    const SETTINGS: &'static str = match TEST {
        true => "bb8 over mysql_async, defaults: pings on check-out, connection_timeout 30 s",
        false => "as bb8, with test_on_check_out off",
    };

    type Lane = Pool<Backend>;

    async fn open(target: &Target, size: usize) -> Result<Self, Failed> {
        let size = u32::try_from(size)?;
        let manager = Backend(target.opts());
        let pool = Pool::builder().max_size(size).test_on_check_out(TEST);
        Ok(Self(pool.build(manager).await?))
    }

    async fn fill(&self, size: usize) -> Result<(), Failed> {
        hold_at_once((0..size).map(|_| self.0.get())).await
    }

    async fn lane(&self) -> Result<Self::Lane, Failed> {
        Ok(self.0.clone())
    }

    async fn query(lane: &mut Self::Lane) -> Result<(), Failed> {
        let mut conn = lane.get().await?;
        one(conn.query_first(QUERY).await?)
    }
}
