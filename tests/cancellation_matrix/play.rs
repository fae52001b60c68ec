//! One play: a pool in some state, the victim, what happens around it, and the waiters behind it.

use std::collections::VecDeque;
use std::future::Future;

use pool_core::Error;
use support::invariants::{all_is_well, closed_for_good};
use support::{FakeControl, FakeGuard, FakePool, Probe, Stage, hold, yield_now};

/// Something that happens; events come in order.
pub(crate) type Event = Box<dyn FnOnce()>;

/// What became of a waiter behind the victim.
enum Extra {
    Served,
    Refused,
    Failed(String),
}

pub(crate) struct Play {
    /// `None`: the victim has the pool (or is the build of it).
    pool: Option<FakePool>,
    control: FakeControl,
    victim: Option<Probe<'static, ()>>,
    events: VecDeque<Event>,
    behind: Vec<Probe<'static, Extra>>,
    /// So many acquires may fail, because a failure is scripted.
    failures: usize,
    closing: bool,
}

impl Play {
    pub(crate) fn new(
        pool: &FakePool,
        control: FakeControl,
        victim: impl Future<Output = ()> + 'static,
    ) -> Self {
        Self {
            pool: Some(pool.clone()),
            ..Self::without_pool(control, victim)
        }
    }

    pub(crate) fn without_pool(
        control: FakeControl,
        victim: impl Future<Output = ()> + 'static,
    ) -> Self {
        Self {
            pool: None,
            control,
            victim: Some(Probe::new(victim)),
            events: VecDeque::new(),
            behind: Vec::new(),
            failures: 0,
            closing: false,
        }
    }

    /// A play whose victim acquires, and drops what it gets.
    pub(crate) fn of_acquire(pool: &FakePool, control: FakeControl) -> Self {
        let own = pool.clone();
        Self::new(pool, control, async move {
            drop(own.acquire().await.map(hold));
        })
    }

    pub(crate) fn event(mut self, event: impl FnOnce() + 'static) -> Self {
        self.events.push_back(Box::new(event));
        self
    }

    pub(crate) fn events(mut self, guards: Vec<FakeGuard>) -> Self {
        for guard in guards {
            self.events.push_back(Box::new(move || drop(guard)));
        }
        self
    }

    pub(crate) fn may_fail(mut self, times: usize) -> Self {
        self.failures = times;
        self
    }

    pub(crate) fn of_a_closing_pool(mut self) -> Self {
        self.closing = true;
        self
    }

    pub(crate) fn take_victim(&mut self) -> Probe<'static, ()> {
        self.victim.take().expect("one victim a play")
    }

    /// Waiters queue up behind the victim.
    pub(crate) fn queue_up(&mut self, number: usize) {
        let Some(pool) = &self.pool else { return };
        for _ in 0..number {
            let pool = pool.clone();
            let mut waiter = Probe::new(async move {
                match pool.acquire().await {
                    Ok(guard) => {
                        let held = hold(guard);
                        yield_now().await;
                        drop(held);
                        Extra::Served
                    }
                    Err(Error::Closed) => Extra::Refused,
                    Err(error) => Extra::Failed(format!("{error:?}")),
                }
            });
            waiter.poll();
            self.behind.push(waiter);
        }
    }

    pub(crate) fn next_event(&mut self) -> bool {
        match self.events.pop_front() {
            Some(event) => {
                event();
                true
            }
            None => false,
        }
    }

    /// Polls one of the waiters behind, if one is awake.
    pub(crate) fn step_behind(&mut self) -> bool {
        match self.behind.iter_mut().find(|waiter| waiter.wants_poll()) {
            Some(waiter) => {
                waiter.poll();
                true
            }
            None => false,
        }
    }

    /// Everything else happens; then all goes well again, and all who wait must be served.
    pub(crate) fn finish(&mut self, stage: &Stage) {
        stage.settle();
        while self.next_event() {
            stage.settle();
        }
        self.control.all_goes_well();
        if !stage.drive(&mut self.behind) {
            let waiting = self
                .behind
                .iter()
                .filter(|waiter| !waiter.is_ready())
                .count();
            let status = self.pool.as_ref().map(FakePool::status);
            panic!("HANG: {waiting} behind the victim are not served; {status:?}");
        }
        for mut waiter in std::mem::take(&mut self.behind) {
            match waiter.take() {
                Extra::Served => {}
                Extra::Refused => assert!(self.closing, "only a closing pool refuses"),
                Extra::Failed(error) => self.account_for(&error),
            }
        }
        stage.settle();
        if !self.closing && !stage.spawns() {
            self.finish_what_was_begun(stage);
        }
    }

    /// A failure is right as long as one is scripted that nobody has had yet.
    fn account_for(&mut self, error: &str) {
        let left = self.failures.checked_sub(1);
        self.failures =
            left.unwrap_or_else(|| panic!("a waiter fails with what was not its own: {error}"));
    }

    /// Without a spawner, a step whose waiter has left lies there until the next acquire: let that have come, for it
    /// takes the step's failure along.
    fn finish_what_was_begun(&mut self, stage: &Stage) {
        let Some(pool) = self.pool.clone() else {
            return;
        };
        for _ in 0..self.failures {
            match stage.run(pool.acquire()) {
                Ok(guard) => drop(hold(guard)),
                Err(error) => self.account_for(&format!("{error:?}")),
            }
        }
    }

    /// The invariants: the bound, the counts, nobody waits in vain, the full capacity, nothing is left at the end.
    pub(crate) fn judge(&mut self, stage: &Stage) {
        match self.pool.take() {
            Some(pool) if self.closing => closed_for_good(stage, pool, &self.control),
            Some(pool) => all_is_well(stage, pool, &self.control),
            None => self.assert_nothing_left(stage),
        }
    }

    /// The victim had the pool, or was building it: nothing of it is left.
    fn assert_nothing_left(&self, stage: &Stage) {
        stage.settle();
        assert_eq!(self.control.in_connect(), 0, "a connect outlives its pool");
        assert_eq!(self.control.live(), 0, "a connection outlives its pool");
        assert!(
            stage.soon(|| !self.control.manager_is_alive()),
            "the manager outlives its pool"
        );
        assert_eq!(stage.tasks(), 0, "a task outlives its pool");
        self.control.assert_no_violation();
    }
}
