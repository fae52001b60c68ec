//! `clear_all` and `recycle_all` while users go on.

use std::cell::Cell;
use std::time::{Duration, Instant};

use futures::future::join;
use pool_mysql::{Pool, PooledConnection};

use crate::crowd::{World, close, closed_by, each_size, until};
use crate::server::sleep;

const TURNS: u64 = 5;

/// Users go on while all connections are replaced, again and again. `replace` ends when no old one may be handed out any more.
async fn replaced_again_and_again(world: &World<'_>, pool: &Pool, replace: impl AsyncFn()) {
    // The newest of the old sessions, and since when nobody who asks may get it.
    let old = Cell::new((0, Instant::now()));
    let turns = Cell::new(0);
    let look = |conn: &PooledConnection, start: Instant| {
        let (newest, since) = old.get();
        if start >= since {
            let id = conn.connection_id();
            assert!(id > newest, "{id} is as old as {newest}");
        }
    };
    let mut lookout = world.lookout().await;
    let replaces = async {
        for turn in 1..=TURNS {
            let newest = lookout.newest().await;
            replace().await;
            old.set((newest, Instant::now()));
            let served = pool.stats().acquires();
            until(pool, "served", || pool.stats().acquires() >= served + 20).await;
            turns.set(turn);
        }
    };
    join(replaces, world.busy(pool, look, || turns.get() == TURNS)).await;
}

#[test]
fn after_clear_all_nobody_gets_a_connection_from_before() {
    each_size(async |world| {
        let pool = world.builder().minsize(1).build().await.expect("a pool");
        replaced_again_and_again(world, &pool, async || pool.clear_all().await).await;
        assert!(closed_by(&pool, "cleared") >= TURNS);
        close(pool).await;
    });
}

#[test]
fn after_the_time_of_recycle_all_nobody_gets_a_connection_from_before() {
    each_size(async |world| {
        for within in [Duration::ZERO, Duration::from_millis(100)] {
            let pool = world.builder().minsize(1).build().await.expect("a pool");
            replaced_again_and_again(world, &pool, async || {
                pool.recycle_all(within);
                sleep(within).await;
            })
            .await;
            assert!(closed_by(&pool, "replaced") >= TURNS);
            close(pool).await;
        }
    });
}
