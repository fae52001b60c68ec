//! deadpool over mysql_async, with three ways to recycle.

use deadpool::managed::{Manager, Metrics, Pool, RecycleResult};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{Conn, Error, Opts};

use crate::mysql::client::{Client, Failed, QUERY, hold_at_once, one};
use crate::mysql::target::Target;

pub(crate) const NOTHING: u8 = 0;
pub(crate) const PING: u8 = 1;
pub(crate) const RESET: u8 = 2;

pub(crate) struct Backend<const RECYCLE: u8>(Opts);

impl<const RECYCLE: u8> Manager for Backend<RECYCLE> {
    type Type = Conn;
    type Error = Error;

    async fn create(&self) -> Result<Conn, Error> {
        Conn::new(self.0.clone()).await
    }

    async fn recycle(&self, conn: &mut Conn, _: &Metrics) -> RecycleResult<Error> {
        match RECYCLE {
            PING => conn.ping().await?,
            RESET => {
                conn.reset().await?;
            }
            _ => {}
        }
        Ok(())
    }
}

pub(crate) struct Deadpool<const RECYCLE: u8>(Pool<Backend<RECYCLE>>);

impl<const RECYCLE: u8> Client for Deadpool<RECYCLE> {
    const NAME: &'static str = match RECYCLE {
        NOTHING => "deadpool, nothing",
        PING => "deadpool, ping",
        _ => "deadpool, reset",
    };
    const SETTINGS: &'static str = match RECYCLE {
        NOTHING => "deadpool over mysql_async, FIFO, no timeouts, recycle does nothing",
        PING => "as deadpool, nothing; recycle, on the way out, pings",
        _ => "as deadpool, nothing; recycle, on the way out, resets the session",
    };

    type Lane = Pool<Backend<RECYCLE>>;

    async fn open(target: &Target, size: usize) -> Result<Self, Failed> {
        let manager = Backend(target.opts());
        Ok(Self(Pool::builder(manager).max_size(size).build()?))
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

    async fn close(self) {
        self.0.close();
    }
}
