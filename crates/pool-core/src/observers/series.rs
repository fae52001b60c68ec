//! The pools that share a metrics observer, by their names, and what their gauges show.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

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
            idle_max: status.maxsize(),
            idle_min: status.minsize(),
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
#[derive(Debug, Default)]
pub(super) struct Pools(Mutex<Vec<ObservedPool>>);

impl Pools {
    /// Their counts together; `None` when all of them are gone.
    pub(super) fn counts(&self) -> Option<Counts> {
        let pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A pool takes its own lock, so that nothing else happens under this one.
        let pools = pools.clone();
        let counts = pools.iter().filter_map(ObservedPool::status);
        counts.map(Counts::of).reduce(Counts::and)
    }

    fn add(&self, pool: ObservedPool) {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|pool| pool.status().is_some());
        pools.push(pool);
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

    /// A pool was built. If it is the first one of its name, this is registered. What belongs to names whose pools are
    /// all gone is dropped.
    pub(super) fn add(
        &self,
        pool: &ObservedPool,
        register: impl FnOnce(&Arc<str>, &Arc<Pools>) -> R,
    ) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|series| &*series.name == pool.name() || series.pools.counts().is_some());
        if let Some(series) = all.iter().find(|series| &*series.name == pool.name()) {
            return series.pools.add(pool.clone());
        }
        let name: Arc<str> = Arc::from(pool.name());
        let pools = Arc::new(Pools::default());
        pools.add(pool.clone());
        let registered = Arc::new(register(&name, &pools));
        all.push(Series {
            name,
            pools,
            registered,
        });
    }

    /// What was registered for this name.
    pub(super) fn of(&self, name: &str) -> Option<Arc<R>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let series = all.iter().find(|series| &*series.name == name)?;
        Some(Arc::clone(&series.registered))
    }
}

impl<R> fmt::Debug for SeriesByName<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let names = all.iter().map(|series| &series.name);
        f.debug_list().entries(names).finish()
    }
}
