//! Fault tests: a process that has no room for the thread of the built-in timer keeps its pools.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use pool_core::{Builder, CheckPolicy, Error, Pool, ThreadTimer, Verdict};
use support::probe::poll_once;
use support::{FakeControl, FakeManager, FakePool, Step, Verb};

const CHILD: &str = "POOL_TESTS_PROCESS_WITHOUT_ROOM";
const MEBIBYTE: usize = 1 << 20;
/// The address space of the child process.
const ROOM_IN_KIBIBYTES: usize = 8 << 20;
/// The stack of every thread that does not ask for another: it needs that much address space in one piece.
const STACK: usize = 2 << 30;
const BLOCK: usize = 256 * MEBIBYTE;

/// Runs the test in a child process of limited address space, where `body` then finds no room for another thread.
fn without_room(test: &str, body: impl FnOnce(Room)) {
    if std::env::var_os(CHILD).is_some() {
        return body(Room::used_up());
    }
    let limit = format!("ulimit -v {ROOM_IN_KIBIBYTES} && exec \"$0\" \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &limit])
        .arg(std::env::current_exe().expect("the test has a file"))
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .env("RUST_MIN_STACK", STACK.to_string())
        .output()
        .expect("a process can be started");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "the process without room ended with {}\n{stdout}\n{stderr}",
        output.status
    );
}

/// The address space that the child process has used up; it is reserved and never touched.
struct Room(Vec<Vec<u8>>);

impl Room {
    fn used_up() -> Self {
        let mut blocks = Vec::new();
        loop {
            let mut block = Vec::<u8>::new();
            if block.try_reserve_exact(BLOCK).is_err() {
                break;
            }
            blocks.push(block);
        }
        // One block is left for ordinary allocations: too little for a stack.
        blocks.pop().expect("the process had some room");
        let thread = std::thread::Builder::new().spawn(|| {});
        assert!(thread.is_err(), "there is no room for a thread");
        Self(blocks)
    }

    fn give_back(self) {
        drop(self.0);
        let thread = std::thread::Builder::new().spawn(|| {});
        let thread = thread.expect("there is room for a thread again");
        thread.join().expect("it does nothing");
    }
}

fn builder() -> (Builder<FakeManager>, FakeControl) {
    let manager = FakeManager::bounded(1);
    let control = manager.control();
    control.always_verdict(Verdict::Reuse);
    let builder = Pool::builder(manager).runtime(ThreadTimer::new());
    (builder.minsize(0).maxsize(1), control)
}

fn drop_is_quiet<T>(guard: T) -> bool {
    catch_unwind(AssertUnwindSafe(|| drop(guard))).is_ok()
}

/// The words of an error and of its causes.
fn in_full(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(in_full);
    format!("{error}: {}", cause.unwrap_or_default())
}

/// The error of an acquire that has to be answered at its first poll.
fn refused(pool: &FakePool, limit: Option<Duration>) -> String {
    let mut acquire = pool.acquire();
    if let Some(limit) = limit {
        acquire = acquire.timeout(limit);
    }
    let polled = catch_unwind(AssertUnwindSafe(|| poll_once(&mut acquire)));
    match polled {
        Ok(Poll::Ready(Err(Error::Panicked { message, .. }))) => panic!("a panic: {message}"),
        Ok(Poll::Ready(Err(error))) => in_full(&error),
        Ok(Poll::Ready(Ok(_))) => panic!("it was served, and nothing is free"),
        Ok(Poll::Pending) => panic!("HANG: it waits, and no timer can wake it"),
        Err(_) => panic!("the poll of acquire panics"),
    }
}

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(1);
/// The idle time after which a connection is checked.
const IDLE: Duration = Duration::from_millis(50);

#[test]
fn a_guard_drops_quietly_where_the_timer_thread_cannot_be_started() {
    let test = "a_guard_drops_quietly_where_the_timer_thread_cannot_be_started";
    without_room(test, |_room| {
        let (builder, _) = builder();
        let pool = builder.build_lazy().unwrap();
        for round in 0..3 {
            let guard = block_on(pool.acquire()).unwrap();
            assert!(drop_is_quiet(guard), "the drop of a guard panics: {round}");
        }
        let guard = block_on(pool.acquire().timeout(LONG));
        let guard = guard.expect("an idle connection needs no timer");
        assert!(drop_is_quiet(guard), "the drop of a guard panics");
    });
}

#[test]
fn idle_connections_are_checked_where_the_timer_thread_cannot_be_started() {
    let test = "idle_connections_are_checked_where_the_timer_thread_cannot_be_started";
    without_room(test, |_room| {
        let (builder, control) = builder();
        let policy = CheckPolicy::IdleFor(IDLE);
        let pool = builder.check_policy(policy).build_lazy().unwrap();
        for round in 0..3 {
            let before = control.checks();
            let guard = block_on(pool.acquire()).unwrap();
            if round > 0 {
                assert_eq!(control.checks(), before + 1, "it goes out unchecked");
            }
            assert!(drop_is_quiet(guard), "the drop of a guard panics: {round}");
            let returned = Instant::now();
            while returned.elapsed() < IDLE {
                std::thread::yield_now();
            }
        }
    });
}

#[test]
fn an_acquire_with_a_time_limit_says_that_no_timer_can_be_had() {
    let test = "an_acquire_with_a_time_limit_says_that_no_timer_can_be_had";
    without_room(test, |_room| {
        let (builder, _) = builder();
        let pool = builder
            .check_policy(CheckPolicy::Never)
            .build_lazy()
            .unwrap();
        let held = block_on(pool.acquire()).unwrap();
        let error = refused(&pool, Some(LONG));
        assert!(error.contains("timer"), "{error}");
        assert_eq!(pool.status().waiting(), 0, "it has left the queue");

        let mut unlimited = pool.acquire();
        assert!(poll_once(&mut unlimited).is_pending());
        drop(held);
        assert!(block_on(unlimited).is_ok(), "without a limit all works");
    });
}

#[test]
fn a_connect_with_a_time_limit_says_that_no_timer_can_be_had() {
    let test = "a_connect_with_a_time_limit_says_that_no_timer_can_be_had";
    without_room(test, |_room| {
        let (builder, control) = builder();
        let builder = builder.check_policy(CheckPolicy::Never);
        let pool = builder.connect_timeout(LONG).build_lazy().unwrap();
        control.next(Verb::Connect, Step::Pend);
        let error = refused(&pool, None);
        assert!(error.contains("timer"), "{error}");
        // This one does not wait and so needs no timer.
        assert!(block_on(pool.acquire()).is_ok(), "the place is free again");
    });
}

#[test]
fn the_timer_thread_is_started_as_soon_as_there_is_room() {
    let test = "the_timer_thread_is_started_as_soon_as_there_is_room";
    without_room(test, |room| {
        let (builder, _) = builder();
        let pool = builder
            .check_policy(CheckPolicy::Never)
            .build_lazy()
            .unwrap();
        let held = block_on(pool.acquire()).unwrap();
        let error = refused(&pool, Some(LONG));
        assert!(error.contains("timer"), "{error}");
        room.give_back();
        let waited = block_on(pool.acquire().timeout(SHORT));
        assert!(matches!(waited, Err(Error::Timeout { .. })), "{waited:?}");
        drop(held);
    });
}
