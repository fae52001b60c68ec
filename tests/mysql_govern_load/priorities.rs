//! Who is served first: priorities and reserved places.

use std::cell::Cell;
use std::time::{Duration, Instant};

use futures::future::join;
use futures_lite::future::poll_once;
use pool_mysql::pool_core::{Error, Priority};

use crate::beside::count;
use crate::crowd::{answers, each_size, until};

/// By how much a low priority moves an acquire back.
const SHIFT: Duration = Duration::from_secs(10);

#[test]
fn the_urgent_overtake_the_crowd_and_those_of_low_priority_let_it_go_first() {
    each_size(async |world| {
        let pool = world.builder().build().await.expect("a pool");
        let served = Cell::new(0);
        let is_over = Cell::new(false);
        let work = async |_| {
            let mut conn = pool.acquire().await.expect("no acquire fails");
            count(&served);
            answers(&mut conn).await;
        };
        let maxsize = world.maxsize as u64;
        let crowd_waits = || pool.status().waiting() > 2 * world.maxsize;
        let urgent = async {
            until(&pool, "waiting", crowd_waits).await;
            for _ in 0..20 {
                let before = served.get();
                let acquire = pool.acquire().priority(Priority::High);
                let mut conn = acquire.await.expect("no acquire fails");
                // What was on its way to others when it came, and what came back before it was polled.
                let others = served.get() - before;
                assert!(others <= 2 * maxsize, "{others} were served first");
                answers(&mut conn).await;
            }
            is_over.set(true);
        };
        let patient = async {
            until(&pool, "waiting", crowd_waits).await;
            let start = Instant::now();
            let acquire = pool.acquire().priority(Priority::Low);
            let conn = acquire.await.expect("no acquire fails");
            assert!(is_over.get() || start.elapsed() >= SHIFT);
            drop(conn);
        };
        let crowd = world.counted(world.maxsize, world.beside(work, urgent));
        join(crowd, patient).await;
        world.ends(pool).await;
    });
}

#[test]
fn a_reserved_place_is_for_the_urgent_only() {
    each_size(async |world| {
        let builder = world.builder().reserved(1);
        let for_all = world.maxsize - 1;
        if for_all == 0 {
            let built = builder.build_lazy();
            assert!(matches!(built, Err(Error::Config(_))));
            return;
        }
        let pool = builder.build().await.expect("a pool");
        let held_by_others = Cell::new(0);
        let served = [0, 0].map(Cell::new);
        let work = async |user| {
            let is_urgent = user < 2;
            let priority = match is_urgent {
                true => Priority::High,
                false => Priority::Normal,
            };
            let acquire = pool.acquire().priority(priority);
            let mut conn = acquire.await.expect("no acquire fails");
            let others = usize::from(!is_urgent);
            held_by_others.set(held_by_others.get() + others);
            assert!(held_by_others.get() <= for_all, "{}", pool.status());
            answers(&mut conn).await;
            held_by_others.set(held_by_others.get() - others);
            count(&served[others]);
        };
        let script = until(&pool, "served", || {
            served.iter().all(|served| served.get() >= 50)
        });
        world
            .counted(world.maxsize, world.beside(work, script))
            .await;

        let mut held = Vec::new();
        for _ in 0..for_all {
            held.push(pool.acquire().await.expect("it is for all"));
        }
        let mut one_more = pool.acquire();
        assert!(poll_once(&mut one_more).await.is_none());
        let urgent = pool.acquire().priority(Priority::High);
        drop(urgent.await.expect("the last place is for it"));
        until(&pool, "clean", || pool.freesize() == 1).await;
        assert!(poll_once(&mut one_more).await.is_none());
        drop(held);
        drop(one_more.await.expect("it is served"));
        world.ends(pool).await;
    });
}
