//! How many connections are idle, and for how long.

use std::time::Duration;

use crate::crowd::{close, closed_by, each_size, until};

#[test]
fn after_a_burst_the_pool_shrinks_to_minsize_on_the_server_too() {
    each_size(async |world| {
        for minsize in [0, 1] {
            let limit = Duration::from_millis(50);
            let builder = world.builder().minsize(minsize).idle_timeout(limit);
            let pool = builder.build().await.expect("a pool");
            for burst in 1..=3 {
                let before = pool.stats().acquires();
                let enough = 20 * world.maxsize as u64;
                world
                    .busy(
                        &pool,
                        |_, _| (),
                        || pool.stats().acquires() - before >= enough,
                    )
                    .await;
                drop(world.all(&pool).await);
                until(&pool, "small", || pool.size() == minsize).await;
                let mut lookout = world.lookout().await;
                lookout.agrees_with(&pool).await;
                let closed = closed_by(&pool, "idle_timeout");
                assert!(closed >= burst * (world.maxsize - minsize) as u64);
            }
            close(pool).await;
        }
    });
}

#[test]
fn min_idle_is_kept_ready_where_there_is_room() {
    each_size(async |world| {
        let pool = world.builder().min_idle(1).build().await.expect("a pool");
        let enough = 50 * world.maxsize as u64;
        world
            .busy(&pool, |_, _| (), || pool.stats().acquires() >= enough)
            .await;
        let mut lookout = world.lookout().await;
        let mut held = Vec::new();
        for number in 1..=world.maxsize {
            until(&pool, "one idle", || pool.freesize() > 0).await;
            held.push(pool.acquire().await.expect("no acquire fails"));
            assert!(pool.size() <= world.maxsize, "{}", pool.status());
            assert_eq!(pool.status().held(), number);
        }
        lookout.agrees_with(&pool).await;
        assert_eq!((pool.size(), pool.freesize()), (world.maxsize, 0));
        drop(held);
        close(pool).await;
    });
}

#[test]
fn max_idle_closes_those_that_come_back_while_nobody_waits() {
    each_size(async |world| {
        for most in 0..world.maxsize.min(2) {
            let pool = world
                .builder()
                .max_idle(most)
                .build()
                .await
                .expect("a pool");
            let enough = 5 * world.maxsize as u64;
            let idle = |_: &_, _| assert!(pool.freesize() <= most, "{}", pool.status());
            world
                .busy(&pool, idle, || closed_by(&pool, "max_idle") >= enough)
                .await;
            drop(world.all(&pool).await);
            until(&pool, "small", || pool.size() == most).await;
            let mut lookout = world.lookout().await;
            lookout.agrees_with(&pool).await;
            close(pool).await;
        }
    });
}
