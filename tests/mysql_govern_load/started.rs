//! How a pool starts while its server is down.

use std::cell::Cell;

use pool_mysql::pool_core::{Error, StartPolicy};

use crate::beside::count;
use crate::crowd::{LATER, World, answers, each_size, until};

/// Builds a pool while the server is down, lets users ask for it at once or not, and starts the server.
async fn start(world: &World<'_>, policy: StartPolicy, has_users: bool) {
    world.server.kill();
    let builder = || world.builder().minsize(world.maxsize).connect_retry(None);
    let failed = builder().build().await;
    assert!(matches!(failed, Err(Error::Connect(_))), "it fails fast");
    let builder = builder().connect_retry(LATER).start_policy(policy);
    let pool = builder.build().await.expect("a pool without connections");
    assert_eq!((pool.freesize(), pool.stats().connects()), (0, 0));

    let served = Cell::new(0);
    let work = async |_| {
        let mut conn = pool.acquire().await.expect("no acquire fails");
        answers(&mut conn).await;
        count(&served);
    };
    let script = async {
        until(&pool, "refused", || pool.stats().connect_failures() > 0).await;
        assert!(!pool.readiness().is_serving(), "{}", pool.readiness());
        assert_eq!(served.get(), 0);
        world.server.start_again().expect("it starts");
        let enough = match has_users {
            true => 20 * world.maxsize as u64,
            false => 0,
        };
        until(&pool, "served", || served.get() >= enough).await;
        until(&pool, "full", || {
            pool.status().connecting() == 0 && pool.size() == world.maxsize
        })
        .await;
        assert!(pool.readiness().is_serving(), "{}", pool.readiness());
    };
    match has_users {
        true => world.beside(work, script).await,
        false => script.await,
    }
    world.ends(pool).await;
}

#[test]
fn a_degraded_pool_is_there_before_its_server_and_fills_when_that_comes() {
    each_size(async |world| {
        for has_users in [false, true] {
            start(world, StartPolicy::Degraded, has_users).await;
        }
    });
}

#[test]
fn a_lazy_pool_is_there_before_its_server_and_serves_all_who_wait_for_it() {
    each_size(async |world| {
        for has_users in [false, true] {
            start(world, StartPolicy::Lazy, has_users).await;
        }
    });
}
