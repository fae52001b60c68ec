//! All sessions of the pool are ended from outside.

use std::cell::Cell;
use std::time::Duration;

use futures::future::{join, join_all};
use pool_mysql::Pool;
use pool_mysql::mysql_async::prelude::Queryable;

use crate::crowd::{World, close, closed_by, each_size, until};
use crate::server::{is_refused, number, sleep};

/// One in use is found to be lost. Its siblings are checked, and nobody gets a dead one.
#[test]
fn when_one_is_found_dead_nobody_gets_another_dead_one() {
    each_size(async |world| {
        let pool = world.builder().build().await.expect("a pool");
        let mut lookout = world.lookout().await;
        for _ in 0..5 {
            let mut guards = world.all(&pool).await;
            let mut held = guards.pop().expect("there is one");
            drop(guards);
            until(&pool, "idle", || pool.freesize() + 1 == world.maxsize).await;
            let dead = lookout.kill_all().await;
            assert_eq!(dead.len(), world.maxsize);
            held.query_drop("SELECT 1").await.expect_err("it is dead");
            assert!(is_refused(&held.ping().await));
            drop(held);
            // Each of them answers.
            let living = world.all(&pool).await;
            assert!(
                living
                    .iter()
                    .all(|conn| !dead.contains(&conn.connection_id()))
            );
            lookout.agrees_with(&pool).await;
        }
        close(pool).await;
    });
}

/// Asks again and again. Whoever asks after a dead one has come back gets a living one.
async fn works(
    pool: &Pool,
    all_are_dead: &Cell<bool>,
    is_known: &Cell<bool>,
    is_over: &Cell<bool>,
) {
    while !is_over.get() {
        let must_live = is_known.get();
        let mut conn = pool.acquire().await.expect("no acquire fails");
        let answer = conn.query_drop("SELECT 1").await;
        // One that was taken before may have been the last to be killed.
        let tells = answer.is_err() && all_are_dead.get();
        assert!(answer.is_ok() || !must_live, "{answer:?}");
        drop(conn);
        if tells {
            is_known.set(true);
        }
        sleep(Duration::from_millis(1)).await;
    }
}

async fn killed_under_load(world: &World<'_>, pool: &Pool) {
    let mut lookout = world.lookout().await;
    let (all_are_dead, is_known, is_over) = (Cell::new(false), Cell::new(false), Cell::new(false));
    let users = (0..=world.maxsize).map(|_| works(pool, &all_are_dead, &is_known, &is_over));
    let kills = async {
        until(pool, "open", || pool.size() > 0).await;
        lookout.kill_all().await;
        all_are_dead.set(true);
        let served = pool.stats().acquires();
        until(pool, "served", || pool.stats().acquires() >= served + 50).await;
        is_over.set(true);
        lookout.agrees_with(pool).await;
    };
    join(join_all(users), kills).await;
}

#[test]
fn under_load_no_acquire_fails_and_nobody_gets_a_dead_one_after_it_is_known() {
    each_size(async |world| {
        let pool = world.builder().minsize(1).build().await.expect("a pool");
        for _ in 0..5 {
            killed_under_load(world, &pool).await;
        }
        close(pool).await;
    });
}

#[test]
fn keepalive_finds_dead_ones_while_nobody_asks() {
    each_size(async |world| {
        let silence = Duration::from_millis(20);
        let builder = world.builder().minsize(world.maxsize).keepalive(silence);
        let pool = builder.build().await.expect("a pool");
        let mut lookout = world.lookout().await;
        let before = lookout.pings().await;
        let enough = before + 5 * world.maxsize as u64;
        while lookout.pings().await < enough {
            sleep(silence).await;
        }
        assert_eq!(pool.stats().acquires(), 0, "the pool does it by itself");
        lookout.agrees_with(&pool).await;

        let dead = lookout.kill_all().await;
        assert_eq!(dead.len(), world.maxsize);
        until(&pool, "found", || closed_by(&pool, "check_failed") > 0).await;
        let living = world.all(&pool).await;
        assert!(
            living
                .iter()
                .all(|conn| !dead.contains(&conn.connection_id()))
        );
        drop(living);
        until(&pool, "full", || pool.freesize() == world.maxsize).await;
        lookout.agrees_with(&pool).await;
        close(pool).await;
    });
}

#[test]
fn keepalive_takes_no_connection_from_those_who_ask() {
    each_size(async |world| {
        let builder = world.builder().minsize(1);
        let builder = builder.keepalive(Duration::from_millis(1));
        let pool = builder.build().await.expect("a pool");
        let enough = 100 * world.maxsize as u64;
        world
            .busy(&pool, |_, _| (), || pool.stats().acquires() >= enough)
            .await;
        let mut conn = pool.acquire().await.expect("no acquire fails");
        assert_eq!(number(&mut conn, "SELECT 42").await, 42);
        drop(conn);
        close(pool).await;
    });
}
