//! A stage: a pool's runtime in one of three kinds, driven step by step on the test's own thread.

use std::future::Future;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use pool_core::{Builder, Manager, Pool, Runtime, ThreadTimer, VirtualRuntime};

use crate::watchdog::{MINUTE, Watchdog};
use crate::{FakeControl, FakeManager, Probe};

/// How long [`Stage::soon`] waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the pool's runtime can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A virtual clock and a spawner.
    Spawner,
    /// A virtual clock without a spawner.
    NoSpawner,
    /// The built-in timer: a real clock without a spawner.
    BuiltIn,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Spawner, Self::NoSpawner, Self::BuiltIn];
    /// Those with a virtual clock.
    pub const VIRTUAL: [Self; 2] = [Self::Spawner, Self::NoSpawner];
}

/// A runtime of one kind, and the means to drive what runs on it; ends the process with HANG after two minutes.
pub struct Stage {
    mode: Mode,
    executor: VirtualRuntime,
    clock: VirtualRuntime,
    _watchdog: Watchdog,
}

impl Stage {
    /// A stage of the given kind.
    pub fn new(mode: Mode) -> Self {
        let executor = VirtualRuntime::new();
        Self {
            mode,
            clock: match mode {
                Mode::Spawner => executor.clone(),
                Mode::NoSpawner | Mode::BuiltIn => executor.clone().without_spawner(),
            },
            executor,
            _watchdog: Watchdog::new(2 * MINUTE),
        }
    }

    /// Runs a scenario on a stage of each kind.
    pub fn each(scenario: impl Fn(&Self)) {
        Self::each_of(&Mode::ALL, scenario);
    }

    /// Runs a scenario on a stage of each kind that has a virtual clock.
    pub fn each_virtual(scenario: impl Fn(&Self)) {
        Self::each_of(&Mode::VIRTUAL, scenario);
    }

    fn each_of(modes: &[Mode], scenario: impl Fn(&Self)) {
        for mode in modes {
            // Shown when the scenario fails.
            println!("on {mode:?}");
            scenario(&Self::new(*mode));
        }
    }

    /// A stage with a spawner.
    pub fn spawning() -> Self {
        Self::new(Mode::Spawner)
    }

    /// A stage without a spawner.
    pub fn bare() -> Self {
        Self::new(Mode::NoSpawner)
    }

    /// Its kind.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether the pool can spawn on it.
    pub fn spawns(&self) -> bool {
        self.mode == Mode::Spawner
    }

    /// The virtual runtime.
    pub fn clock(&self) -> &VirtualRuntime {
        &self.clock
    }

    /// The runtime for a pool.
    pub fn runtime(&self) -> Arc<dyn Runtime> {
        match self.mode {
            Mode::Spawner | Mode::NoSpawner => Arc::new(self.clock.clone()),
            Mode::BuiltIn => Arc::new(ThreadTimer::new()),
        }
    }

    /// A fake manager that knows this stage's clock and watches the bound `maxsize` (0 = none).
    pub fn fake(&self, maxsize: usize) -> (FakeManager, FakeControl) {
        let manager = FakeManager::bounded(maxsize).with_clock(self.runtime());
        let control = manager.control();
        (manager, control)
    }

    /// A builder on this stage's runtime.
    pub fn builder<M: Manager>(&self, manager: M) -> Builder<M> {
        Pool::builder(manager).runtime(self.runtime())
    }

    /// A builder for a fake manager with this maxsize and nothing open at first: minsize is 0.
    pub fn pool(&self, maxsize: usize) -> (Builder<FakeManager>, FakeControl) {
        let (manager, control) = self.fake(maxsize);
        (self.builder(manager).minsize(0).maxsize(maxsize), control)
    }

    /// Runs a task of the test's own, also where the pool cannot spawn.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let spawned = self.executor.spawn(Box::pin(task));
        spawned.expect("the stage can spawn");
    }

    /// Tasks that have not ended: the pool's and the test's own.
    pub fn tasks(&self) -> usize {
        self.executor.tasks()
    }

    /// Sleeps on the virtual clock.
    pub fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.executor.sleep_until(self.executor.now() + time)
    }

    /// The present on this stage.
    pub fn now(&self) -> Instant {
        self.runtime().now()
    }

    /// Runs the pool's own tasks until all of them sleep; time stands still.
    pub fn settle(&self) {
        self.clock.run_until_stalled();
    }

    /// Whether this is true, or becomes true soon on the built-in timer: the thread that keeps the time there may have the
    /// pool in its hands for a moment.
    pub fn soon(&self, is_true: impl Fn() -> bool) -> bool {
        let start = Instant::now();
        while !is_true() {
            if self.mode != Mode::BuiltIn || start.elapsed() > PATIENCE {
                return false;
            }
            thread::yield_now();
        }
        true
    }

    /// Moves the virtual clock and runs the pool's own tasks.
    ///
    /// # Panics
    ///
    /// On the built-in timer, whose time cannot be moved.
    pub fn advance(&self, by: Duration) {
        assert_ne!(self.mode, Mode::BuiltIn, "real time cannot be moved");
        self.clock.advance(by);
    }

    /// Lets the clock go on by the smallest step. On the built-in timer it goes on by itself.
    pub fn tick(&self) {
        if self.mode != Mode::BuiltIn {
            self.clock.advance(Duration::from_nanos(1));
        }
    }

    /// Drives a future to its end together with the pool's own tasks, polling it only when it was woken; time stands
    /// still.
    ///
    /// # Panics
    ///
    /// With HANG when everything sleeps.
    #[track_caller]
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        let mut probe = Probe::new(future);
        if probe.poll_until_stalled(self) {
            return probe.take();
        }
        panic!("HANG: the future sleeps after {} polls", probe.polls());
    }

    /// Drives several futures, in turn, until each is complete or asleep; says whether all are complete.
    pub fn drive<T>(&self, probes: &mut [Probe<'_, T>]) -> bool {
        self.settle();
        loop {
            let mut moved = false;
            for probe in probes.iter_mut() {
                if probe.wants_poll() {
                    probe.poll();
                    self.settle();
                    moved = true;
                }
            }
            if !moved {
                return probes.iter().all(Probe::is_ready);
            }
        }
    }
}
