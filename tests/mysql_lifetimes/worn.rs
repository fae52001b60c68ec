//! Connections that were open for long enough, or used often enough.

use std::cell::Cell;
use std::time::{Duration, Instant};

use pool_mysql::PooledConnection;

use crate::crowd::{close, closed_by, each_size};

#[test]
fn nobody_gets_a_connection_that_is_older_than_max_lifetime() {
    each_size(async |world| {
        const LIMIT: Duration = Duration::from_millis(300);
        for minsize in [0, 1] {
            let builder = world.builder().minsize(minsize).max_lifetime(LIMIT);
            let builder = builder.max_lifetime_jitter(LIMIT / 3);
            let pool = builder.build().await.expect("a pool");
            let look = |conn: &PooledConnection, start: Instant| {
                // It was handed out at some time during the acquire.
                let age = PooledConnection::age(conn);
                let waited = start.elapsed();
                assert!(age <= LIMIT + waited, "{age:?} after {waited:?}");
            };
            let enough = 2 * world.maxsize as u64;
            world
                .busy(&pool, look, || closed_by(&pool, "max_lifetime") >= enough)
                .await;
            close(pool).await;
        }
    });
}

#[test]
fn nobody_gets_a_connection_more_often_than_max_uses() {
    each_size(async |world| {
        for uses in [1, 3] {
            let builder = world.builder().minsize(1).max_uses(uses);
            let pool = builder.build().await.expect("a pool");
            let most = Cell::new(0);
            let look = |conn: &PooledConnection, _| {
                let used = PooledConnection::uses(conn);
                assert!(used <= uses, "{used} uses");
                most.set(most.get().max(used));
            };
            let enough = 10 * world.maxsize as u64;
            world
                .busy(&pool, look, || closed_by(&pool, "max_uses") >= enough)
                .await;
            assert_eq!(most.get(), uses, "each is used as often as it may be");
            close(pool).await;
        }
    });
}
