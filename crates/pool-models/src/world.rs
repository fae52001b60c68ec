//! One pool, and what has to hold when the threads of a model have ended.

use std::sync::Arc;

use pool_core::{Error, Pool, PooledConnection};

use crate::block_on::block_on;
use crate::checker::{JoinHandle, spawn};
use crate::manager::{Counts, ModelManager};
use crate::runtime::ModelRuntime;
use crate::setup::{Setup, Spawner};
use crate::step::Refused;

/// The pool of the models.
pub type ModelPool = Pool<ModelManager>;
/// Its guard.
pub type Guard = PooledConnection<ModelManager>;
/// Its error.
pub type ModelError = Error<Refused>;

/// What surrounds the pool of a model.
pub struct World {
    counts: Arc<Counts>,
    runtime: ModelRuntime,
    spawner: Spawner,
}

impl World {
    /// A pool with these settings, and what surrounds it.
    pub fn new(setup: Setup) -> (Self, ModelPool) {
        let world = Self {
            counts: Counts::new(setup.maxsize),
            runtime: ModelRuntime::new(setup.spawner, setup.is_reentrant),
            spawner: setup.spawner,
        };
        let builder = Pool::builder(ModelManager {
            counts: Arc::clone(&world.counts),
            setup: setup.clone(),
        });
        let pool = builder
            .minsize(setup.minsize)
            .maxsize(setup.maxsize)
            .check_policy(setup.check_policy)
            .pool_recycle(None)
            .acquire_timeout(setup.acquire_timeout)
            .max_uses(setup.max_uses)
            .connect_timeout(None)
            .check_timeout(None)
            .recycle_timeout(None)
            .close_timeout(None)
            .upkeep(setup.upkeep)
            .runtime(world.runtime.clone())
            .build_lazy();
        (world, pool.expect("the settings are valid"))
    }

    /// The runtime of the pool.
    pub fn runtime(&self) -> ModelRuntime {
        self.runtime.clone()
    }

    /// Nobody waits, the counts add up, and as many acquires as maxsize succeed without anybody's help. Then the pool is
    /// closed, and nothing is left.
    pub fn finish(self, pool: ModelPool) {
        let status = pool.status();
        assert_eq!((status.held(), status.waiting()), (0, 0), "{status:?}");
        if matches!(self.spawner, Spawner::None) {
            // A connect that has not started counts as a place and is no connection yet.
            let live = self.counts.live();
            assert!(live <= status.size(), "{live} live, {status:?}");
            assert!(
                status.size() <= live + status.connecting(),
                "{live} live, {status:?}"
            );
        }
        let all: Vec<Guard> = (0..pool.maxsize()).map(|_| acquire(&pool)).collect();
        let status = pool.status();
        assert_eq!(status.held(), pool.maxsize(), "{status:?}");
        assert_eq!(status.size(), pool.maxsize(), "{status:?}");
        assert_eq!(self.counts.live(), pool.maxsize());
        drop(all);
        pool.close();
        self.finish_closed(pool);
    }

    /// A pool that was closed becomes empty, and nothing is left.
    pub fn finish_closed(self, pool: ModelPool) {
        block_on(pool.wait_closed()).expect("the pool was closed");
        assert_eq!(self.counts.live(), 0, "{:?}", pool.status());
        assert!(pool.is_closed());
        assert_eq!(pool.status().waiting(), 0);
        drop(pool);
        self.finish_dropped();
    }

    /// A pool whose last handle and last guard are gone has left nothing.
    pub fn finish_dropped(self) {
        self.runtime.join_tasks();
        assert_eq!(self.counts.live(), 0);
        self.counts.assert_unbroken();
    }
}

/// A thread that does something with the pool.
pub fn thread(pool: &ModelPool, body: impl FnOnce(&ModelPool) + Send + 'static) -> JoinHandle<()> {
    let pool = pool.clone();
    spawn(move || body(&pool))
}

/// Waits for the end of threads.
///
/// # Panics
///
/// When one of them has panicked.
pub fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("a thread of the model does not panic");
    }
}

/// Acquires a connection.
///
/// # Panics
///
/// When the acquire fails.
pub fn acquire(pool: &ModelPool) -> Guard {
    block_on(pool.acquire()).expect("the pool is open and no step fails")
}
