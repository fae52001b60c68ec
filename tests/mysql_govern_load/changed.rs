//! What changes while the pool is busy: its settings, and whether it hands out anything.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Instant;

use pool_mysql::Pool;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::pool_core::{Error, PooledConnection};
use pool_mysql::{Connection, connect};

use crate::beside::{ask, count};
use crate::crowd::{MILLISECOND, World, answers, closed_by, each_size, until};
use crate::server::sleep;

/// Waits until so many more acquires were served.
async fn served_more(pool: &Pool, more: u64) {
    let before = pool.stats().acquires();
    until(pool, "served", || pool.stats().acquires() >= before + more).await;
}

#[test]
fn a_pool_that_is_resized_grows_to_the_new_size_and_shrinks_to_it_while_it_is_busy() {
    each_size(async |world| {
        let large = world.maxsize + 2;
        let pool = world.builder().build().await.expect("a pool");
        let work = async |_| {
            let mut conn = pool.acquire().await.expect("no acquire fails");
            answers(&mut conn).await;
        };
        let is_open = |size| {
            let status = pool.status();
            status.size() == size && status.connecting() == 0
        };
        let script = async {
            let mut lookout = world.lookout().await;
            for _ in 0..3 {
                pool.resize(large).expect("it is open");
                until(&pool, "large", || is_open(large)).await;
                pool.resize(1).expect("it is open");
                until(&pool, "small", || pool.size() <= 1).await;
                lookout.at_most(1).await;
                let before = pool.stats().acquires();
                until(&pool, "served", || {
                    assert!(pool.size() <= 1, "{}", pool.status());
                    pool.stats().acquires() >= before + 20
                })
                .await;
                pool.resize(world.maxsize).expect("it is open");
                until(&pool, "as before", || is_open(world.maxsize)).await;
            }
        };
        world.counted(large, world.beside(work, script)).await;
        assert_eq!(
            closed_by(&pool, "resized"),
            3 * (large as u64 - 1),
            "those that were too many"
        );
        world.ends(pool).await;
    });
}

#[test]
fn settings_change_together_or_not_at_all_while_the_pool_is_busy() {
    each_size(async |world| {
        const USES: u64 = 3;
        let pool = world.builder().build().await.expect("a pool");
        // From when on these settings hold for each acquire.
        let limited = Cell::new(None::<Instant>);
        let may_be_refused = Cell::new(false);
        let refused = Cell::new(0);
        let work = async |_| {
            let start = Instant::now();
            let may_be = may_be_refused.get();
            match ask(pool.acquire()).await {
                Ok(mut conn) => {
                    let uses = PooledConnection::uses(&conn);
                    let is_limited = limited.get().is_some_and(|since| since <= start);
                    assert!(!is_limited || uses <= USES, "{uses} uses");
                    answers(&mut conn).await;
                }
                Err(Error::QueueFull) if may_be => {
                    count(&refused);
                    sleep(MILLISECOND).await;
                }
                Err(error) => panic!("{error}"),
            }
        };
        let script = async {
            served_more(&pool, 10 * USES * world.maxsize as u64).await;
            let before = format!("{:?}", pool.settings());
            let wrong = pool.reconfigure(|knobs| {
                knobs.max_waiters(0);
                knobs.minsize(2 * world.maxsize);
            });
            assert!(matches!(wrong, Err(Error::Config(_))));
            assert_eq!(format!("{:?}", pool.settings()), before);
            served_more(&pool, 50).await;

            may_be_refused.set(true);
            let changed = pool.reconfigure(|knobs| {
                knobs.max_waiters(0);
                knobs.max_uses(USES);
            });
            changed.expect("they are right");
            limited.set(Some(Instant::now()));
            until(&pool, "refused", || refused.get() >= 50).await;
            let enough = 5 * world.maxsize as u64;
            until(&pool, "worn", || closed_by(&pool, "max_uses") >= enough).await;

            let changed = pool.reconfigure(|knobs| {
                knobs.max_waiters(None);
            });
            changed.expect("they are right");
            may_be_refused.set(false);
            served_more(&pool, 50).await;
        };
        world
            .counted(world.maxsize, world.beside(work, script))
            .await;
        assert_eq!(pool.stats().rejected(), refused.get());
        world.ends(pool).await;
    });
}

/// The statements and commands that the server has counted, without those that ask for the counts.
async fn commands(admin: &mut Connection) -> BTreeMap<String, u64> {
    let sql = "SHOW GLOBAL STATUS LIKE 'Com\\_%'";
    let all: Vec<(String, u64)> = admin.query(sql).await.expect("root may");
    let all = all.into_iter();
    all.filter(|(name, _)| name != "Com_show_status").collect()
}

async fn suspended_again_and_again(world: &World<'_>, pool: &Pool, is_suspended: &Cell<bool>) {
    let mut admin = connect(world.server.unix()).await.expect("root gets in");
    for _ in 0..5 {
        served_more(pool, 20).await;
        pool.suspend();
        is_suspended.set(true);
        until(pool, "quiet", || {
            let status = pool.status();
            status.waiting() == world.users() && status.size() == status.freesize()
        })
        .await;
        let served = pool.stats().acquires();
        assert!(matches!(pool.try_acquire(), Err(Error::Suspended)));
        let before = commands(&mut admin).await;
        for _ in 0..20 {
            assert_eq!(commands(&mut admin).await, before);
        }
        assert_eq!(pool.stats().acquires(), served);
        is_suspended.set(false);
        pool.resume();
    }
    served_more(pool, 20).await;
}

#[test]
fn while_it_is_suspended_the_server_hears_nothing_and_then_those_who_wait_are_served_in_order() {
    each_size(async |world| {
        let pool = world.builder().minsize(1).build().await.expect("a pool");
        let is_suspended = Cell::new(false);
        let came = Cell::new(0);
        // The numbers of those who wait.
        let waiting = RefCell::new(Vec::new());
        let work = async |_| {
            count(&came);
            let me = came.get();
            waiting.borrow_mut().push(me);
            let mut conn = pool.acquire().await.expect("no acquire fails");
            assert!(!is_suspended.get(), "it is handed out meanwhile");
            let place = waiting.borrow().iter().position(|it| *it == me);
            let place = place.expect("it waited");
            // As many can be served at once as there are places, and these are polled in any order.
            assert!(place < world.maxsize, "{place} have waited for longer");
            waiting.borrow_mut().remove(place);
            answers(&mut conn).await;
        };
        let script = suspended_again_and_again(world, &pool, &is_suspended);
        world.beside(work, script).await;
        world.ends(pool).await;
    });
}
