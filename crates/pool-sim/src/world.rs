//! A run: the pool, what is done with it, and what is known of it.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use pool_core::{
    BoxManager, CheckPolicy, Event, IdleOrder, Pool, Priority, Runtime, ShutdownReport, StartPolicy,
};

use crate::calls::Record;
use crate::connection::SimConnection;
use crate::held::Holding;
use crate::history::History;
use crate::interceptor::SimInterceptor;
use crate::lifetimes::limited;
use crate::manager::SimManager;
use crate::report::{Coverage, Failure};
use crate::runtime::SimRuntime;
use crate::script::{Script, Settings};
use crate::simulated::{CalledBack, Guard, SimError, Simulated};
use crate::task::{Task, words_of};

/// What a verb has returned.
pub(crate) enum Done<M: Simulated> {
    Built(Result<Pool<M>, SimError<M>>),
    Acquired(Result<Guard<M>, SimError<M>>),
    Pinged(Result<(), SimError<M>>),
    Released(Result<(), SimError<M>>),
    Filled(Result<(), SimError<M>>),
    Cleared,
    Closed(Result<(), SimError<M>>),
    /// The pool begins to close.
    Closing,
    ShutDown(ShutdownReport),
    /// How a `run` has ended; which attempts there were.
    Ran(Result<(), SimError<M>>),
}

/// A verb under way.
pub(crate) struct Call<M: Simulated> {
    pub(crate) task: Arc<Task<Done<M>>>,
    /// An acquire, also that of a ping; `None` for the other verbs.
    pub(crate) acquire: Option<Acquiring>,
    /// What kind of call it is, as far as the laws care.
    pub(crate) kind: Kind,
}

impl<M: Simulated> Call<M> {
    /// The acquire, if it was polled.
    pub(crate) fn arrived(&self) -> Option<&Acquiring> {
        self.acquire.as_ref().filter(|it| it.arrival.is_some())
    }
}

/// What a call is, as far as the laws care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It returns when its work is done.
    Other,
    /// A `wait_closed`.
    WaitClosed,
    /// It waits until the pool begins to close, and has no handle.
    Closing,
    /// A `shutdown`, which has begun when its end is known.
    Shutdown {
        within: Duration,
        ends: Option<Instant>,
    },
    /// A `run`, which holds a connection when it was served.
    Run,
}

impl Kind {
    /// Whether it polls all that is left of a pool that is being closed.
    pub(crate) fn drives_close(self) -> bool {
        matches!(
            self,
            Self::WaitClosed | Self::Shutdown { ends: Some(_), .. }
        )
    }
}

/// What is known of an acquire under way.
pub(crate) struct Acquiring {
    /// Its place in the order of first polls; `None` before the first.
    pub(crate) arrival: Option<u64>,
    pub(crate) since: Instant,
    /// How many others waited at its first poll.
    pub(crate) waiting: usize,
    /// Its own; `None`: that of the pool.
    pub(crate) own_timeout: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) priority: Priority,
    /// How often the settings had been changed at its first poll.
    pub(crate) changes: u64,
    /// The pool was closed before its first poll.
    pub(crate) came_too_late: bool,
    /// It is that of a ping: after it, the ping waits for its check.
    pub(crate) is_of_ping: bool,
}

/// The state of a run.
pub(crate) struct World<M: Simulated> {
    pub(crate) settings: Settings,
    pub(crate) runtime: SimRuntime,
    pub(crate) record: Arc<Record>,
    pub(crate) manager: Weak<()>,
    pub(crate) handles: Vec<Pool<M>>,
    pub(crate) calls: Vec<Call<M>>,
    pub(crate) held: Vec<Holding<M>>,
    /// The numbers of the connections whose last holder has got them with a high priority.
    pub(crate) held_by_high: HashSet<u64>,
    pub(crate) arrivals: u64,
    /// When the first acquire with a priority joined the queue: who waited then counts as if it had come then.
    pub(crate) ranked_since: Option<Instant>,
    /// `close` or `terminate` was called.
    pub(crate) is_closing: bool,
    pub(crate) is_terminated: bool,
    pub(crate) is_suspended: bool,
    /// There was a `run`: the error of its second acquire is nobody's.
    pub(crate) has_run: bool,
    /// The pool was built with an observer or a threshold.
    pub(crate) measures: bool,
    /// How often the settings were changed.
    pub(crate) changes: u64,
    /// The acquires that waited and have ended at this instant: when, and since when they had waited.
    pub(crate) just_ended: Vec<(Instant, Instant)>,
    pub(crate) coverage: Coverage,
    /// The pool's size when somebody looked last.
    pub(crate) size: usize,
    /// What the observer has heard.
    pub(crate) history: History,
}

/// Runs a script. Afterwards the pool is closed, so that a leak shows.
///
/// # Errors
///
/// The first promise that was broken.
pub fn run(script: &Script) -> Result<Coverage, Failure> {
    match script.settings.boxed {
        0 => run_with::<SimManager>(script),
        _ => run_with::<BoxManager<SimConnection>>(script),
    }
}

fn run_with<M: Simulated>(script: &Script) -> Result<Coverage, Failure> {
    let mut world = World::<M>::new(script);
    let mut after = 0;
    let mut steps = || -> Result<(), String> {
        world.begin()?;
        for op in &script.ops {
            after += 1;
            world.guarded(|world| world.perform(*op))?;
        }
        after += 1;
        world.finish()
    };
    let result = catch_unwind(AssertUnwindSafe(&mut steps));
    let result = result.unwrap_or_else(|payload| Err(words_of(&*payload)));
    let result = result.map_err(|what| Failure { after, what });
    match result {
        Ok(()) => {
            world.coverage.runs = 1;
            let page = world.record.page();
            world.coverage.faults = page.faults;
            world.coverage.late_steps = page.late_steps;
            world.coverage.aborts = page.aborts;
            world.coverage.repeats = page.repeats;
            drop(page);
            Ok(world.coverage)
        }
        Err(failure) => {
            // What is left of a pool that has broken a promise may panic or hang in its drop.
            std::mem::forget(world);
            Err(failure)
        }
    }
}

pub(crate) fn check_policy(settings: &Settings) -> CheckPolicy {
    match settings.check_policy {
        0 => CheckPolicy::Never,
        1 => CheckPolicy::Always,
        limit => CheckPolicy::IdleFor(Duration::from_millis(limit.into())),
    }
}

pub(crate) fn idle_order(settings: &Settings) -> IdleOrder {
    match settings.lifo {
        0 => IdleOrder::Fifo,
        _ => IdleOrder::Lifo,
    }
}

impl<M: Simulated> World<M> {
    fn new(script: &Script) -> Self {
        let settings = script.settings.clone();
        let runtime = SimRuntime::new(&settings);
        let record = Record::new(script.clone(), runtime.clone());
        let measures = settings.observed > 0
            || settings.slow_acquire_after > 0
            || settings.leak_warning_after > 0;
        let history = History::new(&record);
        Self {
            settings,
            measures,
            runtime,
            record,
            manager: Weak::new(),
            handles: Vec::new(),
            calls: Vec::new(),
            held: Vec::new(),
            held_by_high: HashSet::new(),
            arrivals: 0,
            ranked_since: None,
            is_closing: false,
            is_terminated: false,
            is_suspended: false,
            has_run: false,
            changes: 0,
            just_ended: Vec::new(),
            coverage: Coverage::default(),
            size: 0,
            history,
        }
    }

    /// Builds the pool: with `build` where it is to be filled at once.
    fn begin(&mut self) -> Result<(), String> {
        // A resize has to leave these.
        self.settings.reserved = self
            .settings
            .reserved
            .min(self.settings.maxsize.saturating_sub(1));
        self.settings.make_fit();
        self.record.page().settings_are(&self.settings);
        let settings = &self.settings;
        let time = |value: u16| (value != 0).then(|| Duration::from_millis(value.into()));
        let life = Arc::new(());
        self.manager = Arc::downgrade(&life);
        let manager = SimManager {
            record: Arc::clone(&self.record),
            _life: life,
            idle_limit: time(settings.idle_limit),
            abort_handles: settings.abort_handles,
        };
        let (check_policy, idle_order) = (check_policy(settings), idle_order(settings));
        let mut builder = Pool::builder(M::of(manager))
            .minsize(settings.minsize.into())
            .maxsize(settings.maxsize.into())
            .pool_recycle(time(settings.pool_recycle))
            .acquire_timeout(time(settings.acquire_timeout))
            .connect_timeout(time(settings.connect_timeout))
            .check_timeout(time(settings.check_timeout))
            .recycle_timeout(time(settings.recycle_timeout))
            .close_timeout(time(settings.close_timeout))
            .idle_order(idle_order)
            .check_policy(check_policy)
            .upkeep(settings.upkeep != 0)
            .max_connecting(settings.max_connecting())
            .connect_retry(settings.connect_retry())
            .start_policy(match settings.start_policy {
                0 => StartPolicy::FailFast,
                1 => StartPolicy::Degraded,
                _ => StartPolicy::Lazy,
            })
            .runtime(self.runtime.clone())
            .slow_acquire_after(time(settings.slow_acquire_after))
            .leak_warning_after(time(settings.leak_warning_after))
            .max_waiters(settings.max_waiters())
            .reserved(settings.reserved_places())
            .shedding(settings.shedding())
            .name("simulated")
            .echo(false);
        builder = limited(builder, settings);
        for interceptor in SimInterceptor::all(settings, &self.record) {
            builder = builder.interceptor(interceptor);
        }
        if settings.observed > 0 {
            builder = builder.observer(self.history.clone());
        }
        if settings.observed > 1 {
            builder = builder.observer(|_: &Event<'_>| {
                // It leaves the log of the process alone.
                std::panic::resume_unwind(Box::new("an observer panics"))
            });
        }
        if settings.lazy != 0 {
            let pool = builder.build_lazy();
            return self.built(pool.map_err(|error| error.to_string())?);
        }
        self.record.page().fills += 1;
        self.calls.push(Call {
            task: Task::new(
                Box::pin(async { Done::Built(builder.build().await) }),
                settings.polls_per_waker,
            ),
            acquire: None,
            kind: Kind::Other,
        });
        Ok(())
    }

    /// The pool is there.
    pub(crate) fn built(&mut self, pool: Pool<M>) -> Result<(), String> {
        // It asks its manager once, and the world asks the same manager.
        let is_valid = pool.manager().validate().is_ok();
        if !is_valid || self.record.page().told != (2, 1) {
            return Err("the manager of the pool was not asked, or is another".into());
        }
        if self.settings.reenter != 0 && !self.record.page().all_goes_well {
            let seat = self.record.pool.lock();
            *seat.unwrap_or_else(PoisonError::into_inner) =
                Some(Arc::new(pool.clone()) as Arc<dyn CalledBack>);
        }
        self.handles.push(pool);
        self.record.page().pool_is_open = true;
        Ok(())
    }

    /// Does something, and checks what must hold at every instant. A panic that comes out of the pool breaks a promise.
    pub(crate) fn guarded(
        &mut self,
        action: impl FnOnce(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        let result = catch_unwind(AssertUnwindSafe(|| action(self)));
        result.unwrap_or_else(|payload| {
            Err(format!("I9: a panic came out: {}", words_of(&*payload)))
        })?;
        self.collect()?;
        self.check_instant()
    }

    pub(crate) fn now(&self) -> Instant {
        self.runtime.now()
    }
}
