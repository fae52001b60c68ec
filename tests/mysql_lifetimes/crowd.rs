//! Users who ask again and again, and somebody who counts their sessions on the server.

use std::cell::Cell;
use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures::future::{join, join_all};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::pool_core::Builder;
use pool_mysql::{
    ConnectOptions, Connection, MySqlManager, Pool, PooledConnection, connect, create_pool,
};

use crate::server::{Server, number, sleep, test};

/// Longer than anything takes that ends.
pub(crate) const LATER: Duration = Duration::from_secs(30);

pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);

/// Lets a scenario run on pools of 1, 2 and 5 connections, each on a server that is empty.
pub(crate) fn each_size(scenario: impl AsyncFn(&World<'_>) + Send + 'static) {
    test(|| async move {
        let server = Server::start();
        for maxsize in [1, 2, 5] {
            let world = World {
                server: &server,
                maxsize,
            };
            scenario(&world).await;
            server.watcher().await.nobody_else().await;
        }
    });
}

/// A server, and how many sessions a pool may have there.
pub(crate) struct World<'a> {
    pub(crate) server: &'a Server,
    pub(crate) maxsize: usize,
}

impl World<'_> {
    /// A pool of the user `app`, which opens its connections when they are needed.
    pub(crate) fn builder(&self) -> Builder<MySqlManager> {
        self.builder_with(self.options())
    }

    pub(crate) fn options(&self) -> ConnectOptions {
        self.server.tcp().user("app").password("app")
    }

    pub(crate) fn builder_with(&self, options: ConnectOptions) -> Builder<MySqlManager> {
        create_pool(options)
            .minsize(0)
            .maxsize(self.maxsize)
            .acquire_timeout(LATER)
    }

    pub(crate) async fn lookout(&self) -> Lookout {
        Lookout(connect(self.server.unix()).await.expect("root gets in"))
    }

    /// Users ask again and again until it is enough, while somebody counts their sessions. `look` sees each connection that
    /// was handed out, and when its acquire began.
    pub(crate) async fn busy(
        &self,
        pool: &Pool,
        look: impl Fn(&PooledConnection, Instant),
        is_enough: impl Fn() -> bool,
    ) {
        let is_over = Cell::new(false);
        let users = (0..=self.maxsize).map(|user| self.user(pool, user, &look, &is_over));
        let mut lookout = self.lookout().await;
        let counts = async {
            loop {
                lookout.at_most(self.maxsize).await;
                assert!(pool.size() <= self.maxsize, "{}", pool.status());
                if is_enough() {
                    break;
                }
                sleep(2 * MILLISECOND).await;
            }
            is_over.set(true);
        };
        join(join_all(users), counts).await;
        lookout.agrees_with(pool).await;
    }

    async fn user(
        &self,
        pool: &Pool,
        user: usize,
        look: &impl Fn(&PooledConnection, Instant),
        is_over: &Cell<bool>,
    ) {
        let mut round = user;
        while !is_over.get() {
            let start = Instant::now();
            let mut conn = pool.acquire().await.expect("no acquire fails");
            look(&conn, start);
            answers(&mut conn).await;
            match round % 3 {
                // It says whether the connection was kept, which is not the user's concern.
                0 => drop(PooledConnection::release(conn).await),
                _ => drop(conn),
            }
            // Without a pause somebody would always wait, and no connection would ever be idle.
            sleep((round % 4) as u32 * MILLISECOND).await;
            round += 1;
        }
    }

    /// As many acquires as there are places, at once: each gets a connection that answers.
    pub(crate) async fn all(&self, pool: &Pool) -> Vec<PooledConnection> {
        let acquires = join_all((0..self.maxsize).map(|_| pool.acquire())).await;
        let mut guards = Vec::new();
        for acquired in acquires {
            let mut conn = acquired.expect("no acquire fails");
            answers(&mut conn).await;
            guards.push(conn);
        }
        guards
    }
}

/// The session is the one that the connection says.
pub(crate) async fn answers(conn: &mut Connection) {
    let id = number(conn, "SELECT CONNECTION_ID()").await;
    assert_eq!(u64::try_from(id), Ok(conn.connection_id()));
}

/// How many connections of a pool were closed for this reason.
pub(crate) fn closed_by(pool: &Pool, reason: &str) -> u64 {
    let stats = pool.stats();
    let mut reasons = stats.closes_by_reason();
    let (_, closes) = reasons
        .find(|(name, _)| *name == reason)
        .expect("a reason of the pool's");
    closes
}

/// Waits until something is so.
pub(crate) async fn until(pool: &Pool, what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LATER, "not yet {what}: {}", pool.status());
        sleep(MILLISECOND).await;
    }
}

pub(crate) async fn close(pool: Pool) {
    pool.close();
    pool.wait_closed().await.expect("it was closed");
}

/// What root sees of the sessions of `app`.
pub(crate) struct Lookout(Connection);

impl Lookout {
    pub(crate) async fn sessions(&mut self) -> HashSet<u64> {
        let sql = "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'app'";
        let ids: Vec<u64> = self.0.query(sql).await.expect("root may");
        ids.into_iter().collect()
    }

    /// No more than `most` sessions stay: one whose client has left may be on its way out.
    pub(crate) async fn at_most(&mut self, most: usize) {
        let start = Instant::now();
        let mut staying = self.sessions().await;
        while staying.len() > most {
            assert!(start.elapsed() < LATER, "they stay: {staying:?}");
            sleep(MILLISECOND).await;
            let there = self.sessions().await;
            staying.retain(|id| there.contains(id));
        }
    }

    /// Waits until the server has as many sessions as the pool says, none of them about to come.
    pub(crate) async fn agrees_with(&mut self, pool: &Pool) {
        let start = Instant::now();
        loop {
            let before = pool.status();
            let sessions = self.sessions().await;
            let after = pool.status();
            let sizes = [before.size(), after.size()];
            if sizes == [sessions.len(); 2] && before.connecting() == 0 {
                return;
            }
            assert!(start.elapsed() < LATER, "{sessions:?}: {after}");
            sleep(MILLISECOND).await;
        }
    }

    /// The newest session: those that are opened from now on have larger numbers.
    pub(crate) async fn newest(&mut self) -> u64 {
        self.sessions().await.into_iter().max().unwrap_or_default()
    }

    /// Ends all sessions, and waits until none of them is left.
    pub(crate) async fn kill_all(&mut self) -> HashSet<u64> {
        let victims = self.sessions().await;
        for id in &victims {
            // It may have left by itself.
            drop(self.0.query_drop(format!("KILL {id}")).await);
        }
        let start = Instant::now();
        while !self.sessions().await.is_disjoint(&victims) {
            assert!(start.elapsed() < LATER, "they stay: {victims:?}");
            sleep(MILLISECOND).await;
        }
        victims
    }

    /// How many pings and the like the server has answered.
    pub(crate) async fn pings(&mut self) -> u64 {
        let sql = "SHOW GLOBAL STATUS LIKE 'Com_admin_commands'";
        let row: Option<(String, u64)> = self.0.query_first(sql).await.expect("root may");
        row.expect("there is such a counter").1
    }
}
