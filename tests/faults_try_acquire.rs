//! Fault tests: `try_acquire` polls what others wait for, and none of them loses the wake-up that it needs.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use pool_core::{BoxFuture, CheckPolicy, Error, Manager, Pool, Verdict};
use support::probe::{CountingWaker, Probe};
use support::{Gate, Mode, Stage};

type Hook = Box<dyn FnOnce() + Send>;

/// What the test and the manager share.
#[derive(Default)]
struct Control {
    /// The gate of each connect, and of each check.
    connects: Mutex<Vec<Gate>>,
    checks: Gate,
    /// Called once, from inside the next poll of a step.
    hook: Mutex<Option<Hook>>,
    polls: AtomicUsize,
}

impl Control {
    fn call_hook(&self) {
        self.polls.fetch_add(1, Ordering::SeqCst);
        let hook = self.hook.lock().unwrap().take();
        if let Some(hook) = hook {
            hook();
        }
    }

    fn set_hook(&self, hook: impl FnOnce() + Send + 'static) {
        *self.hook.lock().unwrap() = Some(Box::new(hook));
    }

    async fn pass(&self, gate: Gate) {
        let mut wait = Box::pin(gate.wait());
        poll_fn(|cx| {
            self.call_hook();
            wait.as_mut().poll(cx)
        })
        .await;
    }
}

struct Gated(Arc<Control>);

impl Manager for Gated {
    type Connection = usize;
    type Error = Infallible;

    async fn connect(&self) -> Result<usize, Infallible> {
        let gate = Gate::new();
        let number = {
            let mut connects = self.0.connects.lock().unwrap();
            connects.push(gate.clone());
            connects.len()
        };
        self.0.pass(gate).await;
        Ok(number)
    }
    async fn check(&self, _: &mut usize) -> Result<(), Infallible> {
        self.0.pass(self.0.checks.clone()).await;
        Ok(())
    }
    async fn recycle(&self, _: &mut usize) -> Result<(), Infallible> {
        unreachable!("every connection comes back clean")
    }
    fn on_release(&self, _: &mut usize) -> Verdict {
        Verdict::Reuse
    }
}

/// An acquire that a hook starts, driven like a task of an executor: polled only when it was woken.
#[derive(Clone, Default)]
struct Started {
    future: Arc<Mutex<Option<BoxFuture<'static, usize>>>>,
    waker: Arc<CountingWaker>,
    seen: Arc<AtomicUsize>,
}

impl Started {
    fn start(&self, pool: &Pool<Gated>) {
        let pool = pool.clone();
        *self.future.lock().unwrap() = Some(Box::pin(async move {
            *pool.acquire().await.expect("the pool is open")
        }));
        assert!(self.poll().is_none(), "nothing can serve it yet");
    }

    fn poll(&self) -> Option<usize> {
        self.seen.store(self.waker.wakes(), Ordering::SeqCst);
        let mut slot = self.future.lock().unwrap();
        let future = slot.as_mut().expect("it was started and is not done");
        let waker = self.waker.waker();
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(number) => {
                *slot = None;
                Some(number)
            }
            Poll::Pending => None,
        }
    }

    /// Polls as often as it is woken; `None`: it sleeps.
    fn run(&self) -> Option<usize> {
        while self.waker.wakes() > self.seen.load(Ordering::SeqCst) {
            if let Some(number) = self.poll() {
                return Some(number);
            }
        }
        None
    }
}

/// A pool of which `connects` connects are under way, and nobody waits for them.
fn pool_with_connects_left_behind(stage: &Stage, connects: usize) -> (Pool<Gated>, Arc<Control>) {
    let control = Arc::new(Control::default());
    let builder = stage.builder(Gated(Arc::clone(&control)));
    let pool = builder.minsize(0).maxsize(connects).build_lazy().unwrap();
    let left: Vec<_> = (0..connects)
        .map(|_| Probe::pending(pool.acquire()))
        .collect();
    drop(left);
    stage.settle();
    assert_eq!(pool.status().connecting(), connects);
    (pool, control)
}

#[test]
fn a_waiter_that_comes_while_try_acquire_polls_is_woken_by_every_connect() {
    const CONNECTS: usize = 4;
    for mode in [Mode::NoSpawner, Mode::BuiltIn] {
        // Which of the connects ends first must make no difference.
        for first in 0..CONNECTS {
            println!("{mode:?}, connect {first} ends first");
            let stage = Stage::new(mode);
            let (pool, control) = pool_with_connects_left_behind(&stage, CONNECTS);
            let waiter = Started::default();
            let (started, handle) = (waiter.clone(), pool.clone());
            control.set_hook(move || started.start(&handle));
            let tried = pool.try_acquire();
            assert!(matches!(tried, Err(Error::Exhausted)), "{tried:?}");
            assert_eq!(pool.status().waiting(), 1, "the hook started a waiter");
            assert_eq!(waiter.run(), None, "nothing has ended yet");

            let gates = control.connects.lock().unwrap().clone();
            gates[first].open();
            assert_eq!(
                waiter.run(),
                Some(first + 1),
                "HANG: connect {first} has ended and the waiter sleeps; {}",
                pool.status()
            );
        }
    }
}

#[test]
fn a_waiter_that_comes_while_try_acquire_drives_a_check_gets_the_connection() {
    Stage::each(|stage| {
        let control = Arc::new(Control::default());
        let builder = stage.builder(Gated(Arc::clone(&control)));
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool = builder.minsize(0).maxsize(1).build_lazy().unwrap();
        let mut first = Probe::pending(pool.acquire());
        let gate = control.connects.lock().unwrap()[0].clone();
        gate.open();
        assert!(first.poll_until_stalled(stage));
        drop(first.take().unwrap());

        let waiter = Started::default();
        let (started, handle) = (waiter.clone(), pool.clone());
        control.set_hook(move || started.start(&handle));
        let tried = pool.try_acquire();
        assert!(matches!(tried, Err(Error::Exhausted)), "{tried:?}");
        stage.settle();
        assert_eq!(waiter.run(), None, "the check has not ended");
        control.checks.open();
        stage.settle();
        assert_eq!(
            waiter.run(),
            Some(1),
            "HANG: the check has ended and the waiter sleeps; {}",
            pool.status()
        );
    });
}

#[test]
fn a_waiter_that_was_there_before_try_acquire_is_still_woken() {
    const CONNECTS: usize = 3;
    for first in 0..CONNECTS {
        let stage = Stage::bare();
        let (pool, control) = pool_with_connects_left_behind(&stage, CONNECTS);
        let waiter = Started::default();
        waiter.start(&pool);
        let tried = pool.try_acquire();
        assert!(matches!(tried, Err(Error::Exhausted)), "{tried:?}");
        let gates = control.connects.lock().unwrap().clone();
        gates[first].open();
        assert_eq!(waiter.run(), Some(first + 1), "HANG: {}", pool.status());
    }
}

#[test]
fn a_served_waiter_leaves_its_wake_ups_to_the_next() {
    const CONNECTS: usize = 3;
    for second in 1..CONNECTS {
        println!("connect {second} ends second");
        let stage = Stage::bare();
        let (pool, control) = pool_with_connects_left_behind(&stage, CONNECTS);
        let mut served = Probe::pending(pool.acquire());
        let mut waiter = [Probe::pending(pool.acquire())];
        let gates = control.connects.lock().unwrap().clone();
        gates[0].open();
        assert!(served.poll_until_stalled(&stage), "HANG: {}", pool.status());
        assert!(!stage.drive(&mut waiter), "nothing else has ended");
        gates[second].open();
        assert!(stage.drive(&mut waiter), "HANG: {}", pool.status());
    }
}
