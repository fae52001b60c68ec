//! What runs around the steps of connections: interceptors, and with one of them, how many connects run at once.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use futures_lite::future::poll_once;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::pool_core::{ConnectionInfo, Interceptor};
use pool_mysql::{Connection, Error, MySqlManager, PooledConnection, ResetPolicy};

use crate::beside::count;
use crate::crowd::{MILLISECOND, World, answers, closed_by, each_size, until};
use crate::server::sleep;

/// Gives each hand-out a tenant of its own.
#[derive(Clone, Default)]
struct Tenants(Arc<Mutex<Register>>);

#[derive(Default)]
struct Register {
    last: u64,
    of_session: HashMap<u64, u64>,
    were_held: HashSet<u64>,
    /// Tenants whose holder has gone, and who were found in a session that is handed out again.
    left_behind: Vec<u64>,
}

impl Tenants {
    fn register(&self) -> MutexGuard<'_, Register> {
        self.0.lock().expect("nobody panics with it")
    }

    /// The tenant of the hand-out whose holder has this session.
    fn held_in(&self, session: u64) -> u64 {
        let mut register = self.register();
        let tenant = register.of_session[&session];
        assert!(register.were_held.insert(tenant), "each has one holder");
        tenant
    }
}

async fn tenant(conn: &mut Connection) -> Result<Option<u64>, Error> {
    let row: Option<Option<u64>> = conn.query_first("SELECT @tenant").await?;
    Ok(row.flatten())
}

impl Interceptor<MySqlManager> for Tenants {
    async fn before_acquire(&self, conn: &mut Connection, _: &ConnectionInfo) -> Result<(), Error> {
        let found = tenant(conn).await?;
        let next = {
            let mut register = self.register();
            // One that nobody held is of an acquire that was dropped.
            let behind = found.filter(|found| register.were_held.contains(found));
            register.left_behind.extend(behind);
            register.last += 1;
            register.last
        };
        conn.query_drop(format!("SET @tenant = {next}")).await?;
        self.register()
            .of_session
            .insert(conn.connection_id(), next);
        Ok(())
    }

    async fn after_release(&self, conn: &mut Connection, _: &ConnectionInfo) -> Result<(), Error> {
        conn.query_drop("SET @tenant = NULL").await?;
        Ok(())
    }
}

#[test]
fn each_holder_sees_the_tenant_that_an_interceptor_has_set_for_it() {
    each_size(async |world| {
        // With the second policy only the interceptor clears it.
        for policy in [ResetPolicy::Always, ResetPolicy::RollbackOnly] {
            let tenants = Tenants::default();
            let options = world.options().reset_policy(policy);
            let builder = world.builder_with(options).interceptor(tenants.clone());
            let pool = builder.build().await.expect("a pool");
            let (served, dropped) = (Cell::new(0), Cell::new(0));
            let work = async |user| {
                let mut acquire = pool.acquire();
                if user % 4 == 1 {
                    // It is dropped on its way.
                    drop(poll_once(&mut acquire).await);
                    sleep(MILLISECOND).await;
                    count(&dropped);
                    return;
                }
                let mut conn = acquire.await.expect("no acquire fails");
                let mine = tenants.held_in(conn.connection_id());
                for _ in 0..2 {
                    let found = tenant(&mut conn).await.expect("it answers");
                    assert_eq!(found, Some(mine));
                }
                count(&served);
            };
            let script = until(&pool, "served", || {
                served.get() >= 20 * world.maxsize as u64 && dropped.get() >= 20
            });
            world
                .counted(world.maxsize, world.beside(work, script))
                .await;
            assert_eq!(tenants.register().left_behind, [0; 0]);
            world.ends(pool).await;
        }
    });
}

/// Counts how often it is asked, and refuses now and then.
#[derive(Clone, Default)]
struct Counting(Arc<Calls>);

#[derive(Default)]
struct Calls {
    before_connect: AtomicU64,
    after_connect: AtomicU64,
    before_acquire: AtomicU64,
    after_release: AtomicU64,
    before_close: AtomicU64,
    refusals: AtomicU64,
}

impl Counting {
    /// The server's error, for each call of which the number can be divided by `turn`.
    async fn refuse(&self, conn: &mut Connection, call: u64, turn: u64) -> Result<(), Error> {
        if !call.is_multiple_of(turn) {
            return Ok(());
        }
        self.0.refusals.fetch_add(1, Ordering::SeqCst);
        conn.query_drop("SIGNAL SQLSTATE '45000'").await?;
        Ok(())
    }
}

impl Interceptor<MySqlManager> for Counting {
    async fn before_connect(&self) -> Result<(), Error> {
        self.0.before_connect.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn after_connect(&self, _: &mut Connection, info: &ConnectionInfo) -> Result<(), Error> {
        assert_eq!(info.uses(), 0);
        self.0.after_connect.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn before_acquire(
        &self,
        conn: &mut Connection,
        info: &ConnectionInfo,
    ) -> Result<(), Error> {
        // Whoever is refused a new connection hears of it.
        if info.uses() == 0 {
            return Ok(());
        }
        let call = self.0.before_acquire.fetch_add(1, Ordering::SeqCst);
        self.refuse(conn, call, 11).await
    }

    async fn after_release(&self, conn: &mut Connection, _: &ConnectionInfo) -> Result<(), Error> {
        let call = self.0.after_release.fetch_add(1, Ordering::SeqCst);
        self.refuse(conn, call, 13).await
    }

    async fn before_close(&self, _: &mut Connection, _: &ConnectionInfo) -> Result<(), Error> {
        self.0.before_close.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn what_an_interceptor_refuses_is_replaced_and_no_acquire_fails() {
    each_size(async |world| {
        let counting = Counting::default();
        let builder = world.builder().interceptor(counting.clone());
        let pool = builder.build().await.expect("a pool");
        let work = async |_| {
            let mut conn = pool.acquire().await.expect("no acquire fails");
            answers(&mut conn).await;
        };
        let calls = &counting.0;
        let script = until(&pool, "refused", || {
            calls.refusals.load(Ordering::SeqCst) >= 10 * world.maxsize as u64
        });
        world
            .counted(world.maxsize, world.beside(work, script))
            .await;
        let handle = pool.clone();
        world.ends(pool).await;
        let stats = handle.stats();
        let refusals = calls.refusals.load(Ordering::SeqCst);
        assert_eq!(closed_by(&handle, "intercepted"), refusals);
        for (called, wanted) in [
            (&calls.before_connect, stats.connects()),
            (&calls.after_connect, stats.connects()),
            (&calls.before_close, stats.closes()),
        ] {
            assert_eq!(called.load(Ordering::SeqCst), wanted);
        }
    });
}

/// Counts the connects that run. The first ones wait until so many run as may.
#[derive(Clone)]
struct Connects(Arc<ConnectCounts>);

struct ConnectCounts {
    may_run: usize,
    running: AtomicUsize,
    most: AtomicUsize,
}

impl Interceptor<MySqlManager> for Connects {
    async fn before_connect(&self) -> Result<(), Error> {
        let running = self.0.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most.fetch_max(running, Ordering::SeqCst);
        while self.0.most.load(Ordering::SeqCst) < self.0.may_run {
            sleep(MILLISECOND).await;
        }
        Ok(())
    }

    async fn after_connect(&self, _: &mut Connection, _: &ConnectionInfo) -> Result<(), Error> {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }

    fn wants_before_acquire(&self) -> bool {
        false
    }

    fn wants_after_release(&self) -> bool {
        false
    }
}

async fn connect_all_the_time(world: &World<'_>, limit: Option<usize>) {
    let may_run = limit.map_or(world.maxsize, |limit| limit.min(world.maxsize));
    let connects = Connects(Arc::new(ConnectCounts {
        may_run,
        running: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
    }));
    let builder = world.builder().max_connecting(limit);
    let builder = builder.interceptor(connects.clone());
    let pool = builder.build().await.expect("a pool");
    let work = async |user| {
        let mut conn = pool.acquire().await.expect("no acquire fails");
        answers(&mut conn).await;
        if user % 2 == 0 {
            PooledConnection::discard(conn);
        }
    };
    let script = until(&pool, "connected", || {
        let connecting = pool.status().connecting();
        assert!(connecting <= may_run, "{}", pool.status());
        pool.stats().connects() >= 10 * world.maxsize as u64
    });
    world
        .counted(world.maxsize, world.beside(work, script))
        .await;
    assert_eq!(connects.0.most.load(Ordering::SeqCst), may_run);
    world.ends(pool).await;
}

#[test]
fn as_many_connects_as_max_connecting_run_at_once_and_never_more() {
    each_size(async |world| {
        for limit in [Some(1), Some(2), None] {
            connect_all_the_time(world, limit).await;
        }
    });
}
