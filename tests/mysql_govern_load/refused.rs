//! Who is refused at once: `max_waiters` and shedding.

use std::cell::Cell;

use futures::future::join_all;
use futures_lite::future::poll_once;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::pool_core::{Error, Priority, Shedding};

use crate::beside::{ask, count};
use crate::crowd::{MILLISECOND, answers, each_size, until};
use crate::server::sleep;

#[test]
fn more_than_max_waiters_are_refused_at_once_and_whoever_waits_is_served() {
    each_size(async |world| {
        for most in [0, world.maxsize] {
            let builder = world.builder().max_waiters(most);
            let pool = builder.build().await.expect("a pool");
            let held = world.all(&pool).await;
            let mut waiting: Vec<_> = (0..most).map(|_| pool.acquire()).collect();
            for acquire in &mut waiting {
                assert!(poll_once(acquire).await.is_none());
            }
            let one_more = poll_once(pool.acquire()).await;
            assert!(matches!(one_more, Some(Err(Error::QueueFull))));
            drop(held);
            for acquired in join_all(waiting).await {
                drop(acquired.expect("it is served"));
            }

            let before = pool.stats();
            let (served, refused) = (Cell::new(0), Cell::new(0));
            let work = async |_| match ask(pool.acquire()).await {
                Ok(mut conn) => {
                    answers(&mut conn).await;
                    count(&served);
                }
                Err(Error::QueueFull) => {
                    count(&refused);
                    sleep(MILLISECOND).await;
                }
                Err(error) => panic!("{error}"),
            };
            let enough = 50 * world.maxsize as u64;
            let script = until(&pool, "refused and served", || {
                served.get() >= enough && refused.get() >= enough
            });
            world
                .counted(world.maxsize, world.beside(work, script))
                .await;
            let stats = pool.stats();
            assert_eq!(stats.rejected(), before.rejected() + refused.get());
            assert_eq!(stats.acquires(), before.acquires() + served.get());
            world.ends(pool).await;
        }
    });
}

#[test]
fn a_queue_that_is_too_slow_sheds_who_comes_and_never_the_urgent() {
    each_size(async |world| {
        for is_dry_run in [false, true] {
            let shedding = Shedding::new(5 * MILLISECOND, 20 * MILLISECOND);
            let builder = world.builder().shedding(shedding.dry_run(is_dry_run));
            let pool = builder.build().await.expect("a pool");
            let (served, refused) = (Cell::new(0), Cell::new(0));
            let work = async |user| {
                let (may_be_shed, priority) = match user {
                    0 => (false, Priority::High),
                    _ => (!is_dry_run, Priority::Normal),
                };
                match ask(pool.acquire().priority(priority)).await {
                    // So each one waits for longer than the target, if nobody is refused.
                    Ok(mut conn) => {
                        conn.query_drop("DO SLEEP(0.005)").await.expect("it sleeps");
                        count(&served);
                    }
                    Err(Error::Shed) if may_be_shed => {
                        count(&refused);
                        sleep(MILLISECOND).await;
                    }
                    Err(error) => panic!("user {user}: {error}"),
                }
            };
            let script = until(&pool, "too slow", || {
                let stats = pool.stats();
                let slow = match is_dry_run {
                    true => stats.would_shed(),
                    false => stats.shed(),
                };
                slow >= 20 && served.get() >= 10 * world.maxsize as u64
            });
            world
                .counted(world.maxsize, world.beside(work, script))
                .await;
            let stats = pool.stats();
            assert_eq!(stats.shed(), refused.get());
            assert_eq!((stats.acquires(), stats.timeouts()), (served.get(), 0));
            // The crowd has gone, and nobody is refused any more.
            let held = world.all(&pool).await;
            let mut next = pool.acquire();
            assert!(poll_once(&mut next).await.is_none());
            drop(held);
            drop(next.await.expect("it is served"));
            world.ends(pool).await;
        }
    });
}
