//! Handles and verbs around an acquire: `WeakPool` and `run`.

use std::cell::Cell;

use pool_mysql::mysql_async::prelude::Queryable;

use crate::beside::{Failure, count};
use crate::crowd::{LATER, MILLISECOND, answers, each_size, until};
use crate::server::{number, sleep};

#[test]
fn a_weak_handle_serves_while_somebody_has_the_pool_and_keeps_it_from_no_end() {
    each_size(async |world| {
        let pool = world.builder().build().await.expect("a pool");
        let weak = pool.downgrade();
        let served = Cell::new(0);
        let work = async |_| {
            let pool = weak.upgrade().expect("the script has it");
            let mut conn = pool.acquire().await.expect("no acquire fails");
            answers(&mut conn).await;
            count(&served);
        };
        let script = until(&pool, "served", || {
            served.get() >= 20 * world.maxsize as u64
        });
        world
            .counted(world.maxsize, world.beside(work, script))
            .await;
        assert!(pool.size() <= world.maxsize);

        // The rest of the load: all hold a connection when the last handle goes.
        let mut held = world.all(&pool).await;
        let upgraded = weak.upgrade().expect("the pool is there");
        drop(pool);
        assert!(!upgraded.is_closing());
        let closing = upgraded.closing();
        drop(upgraded);
        assert!(weak.upgrade().is_none() && weak.clone().upgrade().is_none());
        closing.await;
        for conn in &mut held {
            answers(conn).await;
        }
        drop(held);
        world.lookout().await.at_most(0).await;
    });
}

/// Why the work of a user has failed.
enum Ended {
    /// It does not want to go on.
    Refused,
    Pool(Failure),
    Server(pool_mysql::mysql_async::Error),
}

impl From<Failure> for Ended {
    fn from(error: Failure) -> Self {
        Self::Pool(error)
    }
}

impl From<pool_mysql::mysql_async::Error> for Ended {
    fn from(error: pool_mysql::mysql_async::Error) -> Self {
        Self::Server(error)
    }
}

#[test]
fn a_run_gives_back_what_it_has_acquired_however_its_work_ends_and_works_once() {
    each_size(async |world| {
        let pool = world.builder().build().await.expect("a pool");
        let (done, refused, failed) = (Cell::new(0), Cell::new(0), Cell::new(0));
        let works = Cell::new(0);
        let may_fail = Cell::new(false);
        let work = async |user: usize| {
            let run = pool.run(async |conn| {
                count(&works);
                conn.query_drop("SET @mine = 1").await?;
                if user.is_multiple_of(3) {
                    return Err(Ended::Refused);
                }
                let row: Option<u64> = conn.query_first("SELECT 41 + @mine").await?;
                Ok(row.expect("one row"))
            });
            match run.await {
                Ok(answer) => {
                    assert_eq!(answer, 42);
                    count(&done);
                }
                Err(Ended::Refused) => count(&refused),
                // Its session was killed.
                Err(Ended::Server(_)) if may_fail.get() => count(&failed),
                Err(Ended::Server(error)) => panic!("{error}"),
                Err(Ended::Pool(error)) => panic!("{error}"),
            }
        };
        let enough = 20 * world.maxsize as u64;
        let script = async {
            until(&pool, "done", || {
                done.get() >= enough && refused.get() >= enough
            })
            .await;
            may_fail.set(true);
            let mut lookout = world.lookout().await;
            let mut killed = 0;
            for turn in 2..=4 {
                killed += lookout.kill_all().await.len() as u64;
                until(&pool, "done", || done.get() >= turn * enough).await;
            }
            killed
        };
        let killed = world
            .counted(world.maxsize, world.beside(work, script))
            .await;
        let ended = done.get() + refused.get() + failed.get();
        assert_eq!(
            works.get(),
            ended,
            "what may have been sent is not repeated"
        );
        assert_eq!(pool.stats().acquires(), ended);
        assert!(failed.get() <= killed, "{} of {killed}", failed.get());
        let mut conn = pool.acquire().timeout(LATER).await.expect("it serves");
        assert_eq!(number(&mut conn, "SELECT @mine IS NULL").await, 1);
        drop(conn);
        sleep(MILLISECOND).await;
        world.ends(pool).await;
    });
}
