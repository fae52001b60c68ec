//! Who is served first: priorities and reserved places.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use futures::future::{FutureExt, join};
use futures_lite::future::poll_once;
use pool_mysql::pool_core::{Acquire, Error, Priority};
use pool_mysql::{MySqlManager, Pool, PooledConnection};

use crate::beside::count;
use crate::crowd::{answers, each_size, until};

/// By how much a low priority moves an acquire back.
const SHIFT: Duration = Duration::from_secs(10);

/// An acquire of high priority that anybody may poll, so that it is known at any moment whether it has a connection.
struct Urgent<'a> {
    pool: &'a Pool,
    waits: RefCell<Option<Acquire<'a, MySqlManager>>>,
    got: RefCell<Option<PooledConnection>>,
    /// How many of the crowd were served while it had none.
    others: Cell<u64>,
}

impl Urgent<'_> {
    /// The crowd waits, so it has to join the queue.
    fn come(&self) {
        let acquire = self.pool.acquire().priority(Priority::High);
        self.waits.replace(Some(acquire));
        self.others.set(0);
        self.poll();
    }

    fn poll(&self) {
        let mut waits = self.waits.borrow_mut();
        let polled = waits.as_mut().and_then(FutureExt::now_or_never);
        if let Some(acquired) = polled {
            *waits = None;
            self.got.replace(Some(acquired.expect("no acquire fails")));
        }
    }

    /// One of the crowd has a connection.
    fn one_is_served(&self) {
        self.poll();
        if self.waits.borrow().is_some() {
            count(&self.others);
        }
    }

    fn is_served(&self) -> bool {
        self.poll();
        self.waits.borrow().is_none()
    }
}

#[test]
fn the_urgent_overtake_the_crowd_and_those_of_low_priority_let_it_go_first() {
    each_size(async |world| {
        let pool = world.builder().build().await.expect("a pool");
        let urgent = Urgent {
            pool: &pool,
            waits: RefCell::new(None),
            got: RefCell::new(None),
            others: Cell::new(0),
        };
        let is_over = Cell::new(false);
        let work = async |_| {
            let mut conn = pool.acquire().await.expect("no acquire fails");
            urgent.one_is_served();
            answers(&mut conn).await;
        };
        let crowd_waits = || pool.status().waiting() > 2 * world.maxsize;
        let script = async {
            for _ in 0..20 {
                until(&pool, "waiting", crowd_waits).await;
                urgent.come();
                until(&pool, "served", || urgent.is_served()).await;
                // Those had their connections already when it came, and have not been polled since.
                let others = urgent.others.get();
                assert!(others <= world.maxsize as u64, "{others} were served first");
                let mut conn = urgent.got.take().expect("it is served");
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
        let crowd = world.counted(world.maxsize, world.beside(work, script));
        join(crowd, patient).await;
        drop(urgent);
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
