//! How a busy pool ends: `closing`, and `shutdown` with and without somebody who does not give back.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use futures::future::{join, join3};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::pool_core::Error;
use pool_mysql::{Pool, PooledConnection};

use crate::beside::count;
use crate::crowd::{LATER, MILLISECOND, World, answers, each_size, until};
use crate::server::sleep;

/// How long a shutdown waits for those who do not give back.
const WITHIN: Duration = Duration::from_millis(300);

/// The label of the holder whose query takes too long.
const REPORT: &str = "a report";

/// Users who are told that the pool closes, and when each of them has given back.
struct Crowd<'a> {
    pool: &'a Pool,
    refused: Cell<u64>,
    gave_back: RefCell<Vec<Instant>>,
}

impl<'a> Crowd<'a> {
    fn of(pool: &'a Pool) -> Self {
        Self {
            pool,
            refused: Cell::new(0),
            gave_back: RefCell::new(Vec::new()),
        }
    }

    async fn work(&self) {
        match self.pool.acquire().await {
            Ok(mut conn) => {
                let answer = conn.query_drop("SELECT 42").await;
                // Only a shutdown whose time is over cuts it off.
                assert!(answer.is_ok() || self.pool.is_closed(), "{answer:?}");
                self.give_back(conn);
            }
            Err(Error::Closed) => {
                assert!(self.pool.is_closing());
                count(&self.refused);
                sleep(MILLISECOND).await;
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Holds a connection until the pool begins to close.
    async fn listen(&self) {
        let conn = self.pool.acquire().label("a listener").await;
        let mut conn = conn.expect("it is open");
        answers(&mut conn).await;
        PooledConnection::closing(&conn).await;
        assert!(self.pool.is_closing());
        self.give_back(conn);
    }

    fn give_back(&self, conn: PooledConnection) {
        drop(conn);
        self.gave_back.borrow_mut().push(Instant::now());
    }

    /// Waits until all places are open and many wait.
    async fn is_there(&self, world: &World<'_>) {
        until(self.pool, "busy", || {
            let status = self.pool.status();
            status.size() == world.maxsize
                && status.connecting() == 0
                && status.waiting() > 2 * world.maxsize
        })
        .await;
    }
}

#[test]
fn a_shutdown_in_the_middle_of_a_slow_query_names_its_holder_and_leaves_no_session() {
    each_size(async |world| {
        let pool = world.builder().build().await.expect("a pool");
        let crowd = Crowd::of(&pool);
        let slow = async {
            let conn = pool.acquire().label(REPORT).await;
            let mut conn = conn.expect("it is open");
            let answer = conn.query_drop("SELECT SLEEP(1000)").await;
            answer.expect_err("it is cut off");
        };
        let listener = async {
            // With one place, the report has it.
            if world.maxsize > 1 {
                crowd.listen().await;
            }
        };
        let script = async {
            let mut watcher = world.server.watcher().await;
            watcher.somebody_runs("SLEEP(1000)").await;
            crowd.is_there(world).await;
            let start = Instant::now();
            let report = pool.shutdown(WITHIN).await;
            assert!(pool.is_closed(), "{}", pool.status());
            until(&pool, "refused", || crowd.refused.get() >= 20).await;
            (report, start + WITHIN)
        };
        let crowded = world.beside(async |_| crowd.work().await, script);
        let all = join3(world.counted(world.maxsize, crowded), slow, listener);
        let ((report, deadline), (), ()) = all.await;

        let left = report.left().iter();
        let found: Vec<_> = left.filter(|left| left.label() == Some(REPORT)).collect();
        let [one] = found[..] else {
            panic!("it holds one: {report}");
        };
        assert!(one.place().file().ends_with("ended.rs"), "{report}");
        assert!(report.to_string().contains("(a report)"), "{report}");
        assert!(!report.is_clean());
        // Nobody else is named who has given back in time.
        let gave_back = crowd.gave_back.take();
        let late = gave_back.iter().filter(|when| **when >= deadline).count();
        assert!(report.left().len() <= 1 + late, "{report}");
        let total = report.closed() + report.left().len() + report.cut_off();
        assert_eq!(total, world.maxsize, "{report}");
        world.lookout().await.at_most(0).await;
    });
}

#[test]
fn a_shutdown_with_time_enough_waits_for_the_crowd_and_is_clean() {
    each_size(async |world| {
        let pool = world.builder().build().await.expect("a pool");
        let crowd = Crowd::of(&pool);
        let told = pool.closing();
        let hears = async {
            told.await;
            assert!(pool.is_closing());
        };
        let script = async {
            crowd.is_there(world).await;
            let report = pool.shutdown(LATER).await;
            assert!(report.is_clean(), "{report}");
            assert_eq!(report.closed(), world.maxsize, "{report}");
            until(&pool, "refused", || crowd.refused.get() >= 20).await;
        };
        let crowded = world.beside(async |_| crowd.work().await, script);
        join(world.counted(world.maxsize, crowded), hears).await;
        assert_eq!((pool.size(), pool.is_closed()), (0, true));
        let stats = pool.stats();
        assert_eq!(stats.connects(), stats.closes());
        world.lookout().await.at_most(0).await;
    });
}
