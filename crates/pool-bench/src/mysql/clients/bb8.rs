//! bb8 over mysql_async.

use bb8::{ManageConnection, Pool};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{Conn, Error, Opts};

use crate::mysql::client::{Client, Failed, QUERY, one};
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

pub(crate) struct Bb8(Pool<Backend>);

impl Client for Bb8 {
    const NAME: &'static str = "bb8";
    const SETTINGS: &'static str =
        "bb8 over mysql_async, defaults: pings on check-out, connection_timeout 30 s";

    type Lane = Pool<Backend>;

    async fn open(target: &Target, size: usize) -> Result<Self, Failed> {
        let size = u32::try_from(size)?;
        let manager = Backend(target.opts());
        Ok(Self(Pool::builder().max_size(size).build(manager).await?))
    }

    async fn lane(&self) -> Result<Self::Lane, Failed> {
        Ok(self.0.clone())
    }

    async fn query(lane: &mut Self::Lane) -> Result<(), Failed> {
        let mut conn = lane.get().await?;
        one(conn.query_first(QUERY).await?)
    }
}
