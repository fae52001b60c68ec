//! The pools that share a metrics observer, by their names, and what their gauges show.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::Status;
use crate::event::ObservedPool;

/// What the gauges of one name show: the counts of all its pools together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) idle: usize,
    pub(super) used: usize,
    pub(super) max: usize,
    pub(super) idle_max: usize,
    pub(super) idle_min: usize,
    pub(super) pending: usize,
}

impl Counts {
    fn of(status: Status) -> Self {
        Self {
            idle: status.freesize(),
            used: status.used(),
            max: status.maxsize(),
            idle_max: status.max_idle().unwrap_or(status.maxsize()),
            idle_min: match status.min_idle() {
                0 => status.minsize(),
                idle => idle,
            },
            pending: status.waiting(),
        }
    }

    fn and(self, other: Self) -> Self {
        // 0 is unlimited.
        let most = |one, other| match (one, other) {
            (0, _) | (_, 0) => 0,
            (one, other) => one + other,
        };
        Self {
            idle: self.idle + other.idle,
            used: self.used + other.used,
            max: most(self.max, other.max),
            idle_max: most(self.idle_max, other.idle_max),
            idle_min: self.idle_min + other.idle_min,
            pending: self.pending + other.pending,
        }
    }
}

/// The pools of one name.
///
/// To ask one for its status may drop the last owner of what it has, so it is asked without a lock.
#[derive(Debug, Default)]
pub(super) struct Pools(Mutex<Vec<ObservedPool>>);

impl Pools {
    /// Their counts together; `None` when all of them are gone.
    pub(super) fn counts(&self) -> Option<Counts> {
        let pools = self.lock().clone();
        let counts = pools.iter().filter_map(ObservedPool::status);
        counts.map(Counts::of).reduce(Counts::and)
    }

    /// Forgets those that are gone. `true`: none is left.
    fn forget(&self, gone: &[ObservedPool]) -> bool {
        let mut pools = self.lock();
        pools.retain(|pool| !gone.iter().any(|gone| gone.is(pool)));
        pools.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ObservedPool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a metrics observer has registered for the pools that it was given to, by their names.
pub(super) struct SeriesByName<R>(RwLock<Vec<Series<R>>>);

struct Series<R> {
    name: Arc<str>,
    pools: Arc<Pools>,
    registered: Arc<R>,
}

impl<R> SeriesByName<R> {
    pub(super) fn new() -> Self {
        Self(RwLock::new(Vec::new()))
    }

    /// A pool was built. If it is the first one of its name, this is registered. What belongs to other names whose pools
    /// are all gone is dropped.
    pub(super) fn add(
        &self,
        pool: &ObservedPool,
        register: impl FnOnce(&Arc<str>, &Arc<Pools>) -> R,
    ) {
        self.forget_gone(pool.name());
        if self.joins(pool) {
            return;
        }
        let name: Arc<str> = Arc::from(pool.name());
        let pools = Arc::new(Pools(Mutex::new(vec![pool.clone()])));
        let registered = Arc::new(register(&name, &pools));
        let series = Series {
            name,
            pools,
            registered,
        };
        let mut all = self.write();
        // Another thread may have registered the same name meanwhile.
        match all.iter().find(|other| other.name == series.name) {
            Some(other) => other.pools.lock().push(pool.clone()),
            None => return all.push(series),
        }
        // What was registered is foreign: it is dropped without the lock.
        drop(all);
    }

    /// What was registered for this name.
    pub(super) fn of(&self, name: &str) -> Option<Arc<R>> {
        let all = self.read();
        let series = all.iter().find(|series| &*series.name == name)?;
        Some(Arc::clone(&series.registered))
    }

    /// Adds a pool to those of its name, if there are any.
    fn joins(&self, pool: &ObservedPool) -> bool {
        let all = self.read();
        let series = all.iter().find(|series| &*series.name == pool.name());
        if let Some(series) = series {
            series.pools.lock().push(pool.clone());
        }
        series.is_some()
    }

    /// Forgets the pools that are gone, and their names. This name stays, because there is a new pool for it.
    fn forget_gone(&self, name: &str) {
        let all: Vec<Arc<Pools>> = {
            let all = self.read();
            all.iter().map(|series| Arc::clone(&series.pools)).collect()
        };
        let pools = all.iter().flat_map(|pools| pools.lock().clone());
        let gone: Vec<ObservedPool> = pools.filter(|pool| pool.status().is_none()).collect();
        if gone.is_empty() {
            return;
        }
        let mut forgotten = Vec::new();
        {
            let mut all = self.write();
            for series in std::mem::take(&mut *all) {
                let is_empty = series.pools.forget(&gone);
                match is_empty && &*series.name != name {
                    true => forgotten.push(series),
                    false => all.push(series),
                }
            }
        }
        // What was registered is foreign.
        drop(forgotten);
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Series<R>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Series<R>>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R> fmt::Debug for SeriesByName<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.read();
        let names = all.iter().map(|series| &series.name);
        f.debug_list().entries(names).finish()
    }
}
