//! Connections that leave a busy pool, join it or stay beside it, and what is stored with them.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::join;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::pool_core::PooledConnection;

use crate::beside::count;
use crate::crowd::{MILLISECOND, answers, close, closed_by, each_size, until};
use crate::server::{sleep, text};

#[test]
fn what_retain_does_not_keep_is_handed_out_to_nobody_and_what_is_in_use_stays() {
    each_size(async |world| {
        let pool = world.builder().build().await.expect("a pool");
        let gone = RefCell::new(HashSet::new());
        let closed = Cell::new(0);
        let look = |conn: &PooledConnection<_>, _| {
            let id = PooledConnection::id(conn);
            assert!(!gone.borrow().contains(&id), "{id} is handed out again");
        };
        let is_over = Cell::new(false);
        let script = async {
            let mut turn = 0;
            while closed.get() < 10 * world.maxsize as u64 {
                turn += 1;
                let mut refused = Vec::new();
                let number = pool.retain(|conn| {
                    let keeps = (conn.id() + turn) % 3 == 0;
                    if !keeps {
                        refused.push(conn.id());
                    }
                    keeps
                });
                closed.set(closed.get() + number as u64);
                // If one was handed out meanwhile, it stays, and nobody knows which.
                if number == refused.len() {
                    gone.borrow_mut().extend(refused);
                }
                sleep(MILLISECOND).await;
            }
            is_over.set(true);
        };
        join(script, world.busy(&pool, look, || is_over.get())).await;

        drop(world.all(&pool).await);
        until(&pool, "idle", || pool.freesize() == world.maxsize).await;
        let mut left = 0;
        let number = pool.retain(|conn| {
            let keeps = conn.id() % 2 == 0;
            left += usize::from(keeps);
            keeps
        });
        assert_eq!(number + left, world.maxsize);
        closed.set(closed.get() + number as u64);
        until(&pool, "closed", || pool.size() == left).await;
        assert_eq!(closed_by(&pool, "evicted"), closed.get());
        world.ends(pool).await;
    });
}

/// All connections of a busy pool are exchanged for others that were opened beside it.
#[test]
fn connections_that_were_added_serve_the_crowd_and_nobody_sees_what_was_done_in_them() {
    each_size(async |world| {
        let pool = world.builder().build().await.expect("a pool");
        let added = RefCell::new(HashSet::new());
        let served = Cell::new(0);
        let work = async |_| {
            let mut conn = pool.acquire().await.expect("no acquire fails");
            let added = added.borrow().clone();
            assert!(added.is_empty() || added.contains(&conn.connection_id()));
            assert_eq!(text(&mut conn, "SELECT @mine").await, None);
            answers(&mut conn).await;
            count(&served);
        };
        let script = async {
            let enough = 20 * world.maxsize as u64;
            for turn in 1..=3 {
                pool.suspend();
                until(&pool, "quiet", || pool.freesize() == pool.size()).await;
                let before = pool.size();
                assert_eq!(pool.retain(|_| false), before);
                until(&pool, "empty", || pool.size() == 0).await;
                added.borrow_mut().clear();
                for number in 1..=world.maxsize {
                    let mut conn = pool.dedicated().await.expect("it is open");
                    let dirty = conn.query_drop("SET @mine = 'yes'; BEGIN").await;
                    dirty.expect("it takes it");
                    added.borrow_mut().insert(conn.connection_id());
                    assert!(pool.add(conn).is_ok(), "{}", pool.status());
                    assert_eq!(pool.size(), number);
                }
                let mut one_more = pool.dedicated().await.expect("it is open");
                one_more = pool.add(one_more).expect_err("there is no place");
                answers(&mut one_more).await;
                one_more.ensure_closed().await.expect("it says goodbye");
                served.set(0);
                pool.resume();
                until(&pool, "served", || served.get() >= enough).await;
                assert_eq!(pool.stats().added(), turn * world.maxsize as u64);
            }
        };
        world
            .counted(world.maxsize + 1, world.beside(work, script))
            .await;
        world.ends(pool).await;
    });
}

#[test]
fn a_connection_that_leaves_a_busy_pool_and_comes_back_takes_no_place_meanwhile() {
    each_size(async |world| {
        let pool = world.builder().build().await.expect("a pool");
        let (added, refused) = (Cell::new(0), Cell::new(0));
        let work = async |user| {
            let mut conn = pool.acquire().await.expect("no acquire fails");
            answers(&mut conn).await;
            if user > 0 {
                return;
            }
            let mut alone = PooledConnection::detach(conn);
            answers(&mut alone).await;
            match pool.add(alone) {
                Ok(()) => count(&added),
                // The crowd has taken its place.
                Err(mut alone) => {
                    answers(&mut alone).await;
                    alone.ensure_closed().await.expect("it says goodbye");
                    count(&refused);
                }
            }
            assert!(pool.size() <= world.maxsize, "{}", pool.status());
        };
        let script = until(&pool, "left", || added.get() + refused.get() >= 20);
        world
            .counted(world.maxsize + 1, world.beside(work, script))
            .await;
        let stats = pool.stats();
        assert_eq!(stats.detached(), added.get() + refused.get());
        assert_eq!(stats.added(), added.get());
        world.ends(pool).await;
    });
}

#[test]
fn a_dedicated_connection_is_none_of_the_busy_pool_and_outlives_it() {
    each_size(async |world| {
        let pool = world.builder().build().await.expect("a pool");
        let sessions = RefCell::new(HashSet::new());
        let work = async |_| {
            let mut conn = pool.acquire().await.expect("no acquire fails");
            sessions.borrow_mut().insert(conn.connection_id());
            answers(&mut conn).await;
        };
        let script = async {
            until(&pool, "full", || pool.size() == world.maxsize).await;
            let mut lookout = world.lookout().await;
            for turn in 0..6 {
                let mut own = pool.dedicated().await.expect("it is open");
                answers(&mut own).await;
                let served = pool.stats().acquires();
                until(&pool, "served", || pool.stats().acquires() >= served + 20).await;
                let id = own.connection_id();
                assert!(lookout.sessions().await.contains(&id));
                assert!(!sessions.borrow().contains(&id));
                match turn % 2 {
                    0 => own.ensure_closed().await.expect("it says goodbye"),
                    _ => drop(own),
                }
                lookout.at_most(world.maxsize).await;
                assert!(!lookout.sessions().await.contains(&id));
            }
            pool.dedicated().await.expect("it is open")
        };
        let most = world.maxsize + 1;
        let mut own = world.counted(most, world.beside(work, script)).await;
        let stats = pool.stats();
        let size = world.maxsize;
        assert_eq!((stats.connects(), pool.size()), (size as u64, size));
        close(pool).await;
        answers(&mut own).await;
        let mut lookout = world.lookout().await;
        lookout.at_most(1).await;
        assert_eq!(
            lookout.sessions().await,
            HashSet::from([own.connection_id()])
        );
    });
}

/// What is stored with a connection. It counts how many of it have gone.
struct Mark {
    id: u64,
    session: u64,
    uses: u64,
    gone: Arc<AtomicU64>,
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.gone.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn what_is_stored_with_a_connection_stays_with_it_and_goes_with_it() {
    each_size(async |world| {
        let pool = world.builder().max_uses(7).build().await.expect("a pool");
        let gone = Arc::new(AtomicU64::new(0));
        let stored = Cell::new(0);
        let work = async |user| {
            let mut conn = pool.acquire().await.expect("no acquire fails");
            let (id, uses) = (PooledConnection::id(&conn), PooledConnection::uses(&conn));
            let session = conn.connection_id();
            let extensions = PooledConnection::extensions_mut(&mut conn);
            match extensions.get_mut::<Mark>() {
                Some(mark) => {
                    assert_eq!((mark.id, mark.session), (id, session));
                    assert_eq!(mark.uses + 1, uses, "each use has seen it");
                    mark.uses = uses;
                }
                None => {
                    assert_eq!(uses, 1, "the first use has stored it");
                    let gone = Arc::clone(&gone);
                    extensions.insert(Mark {
                        id,
                        session,
                        uses,
                        gone,
                    });
                    count(&stored);
                }
            }
            answers(&mut conn).await;
            if user == 0 {
                drop(PooledConnection::detach(conn));
            }
        };
        let enough = 10 * world.maxsize as u64;
        let script = until(&pool, "worn", || closed_by(&pool, "max_uses") >= enough);
        // One that was detached may still be on its way out.
        world
            .counted(world.maxsize, world.beside(work, script))
            .await;
        world.ends(pool).await;
        assert_eq!(gone.load(Ordering::SeqCst), stored.get());
    });
}
