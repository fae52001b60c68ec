//! What observers are told: every change, in order, with its reason.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pool_core::{CheckPolicy, CloseReason, Event, Pool, PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well};
use support::{FakeManager, Gate, Probe, Stage, Step, Told, Verb};

#[path = "observers/closing.rs"]
mod closing;
#[path = "observers/order.rs"]
mod order;
#[path = "observers/reasons.rs"]
mod reasons;
#[path = "observers/slow.rs"]
mod slow;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_life_of_a_connection_is_told_in_order() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let builder = builder.check_policy(CheckPolicy::IdleFor(SECOND));
        let (builder, told) = Told::by(builder.name("orders"));
        let pool = builder.build_lazy().unwrap();
        assert_eq!(pool.name(), "orders");
        control.next(Verb::Connect, Step::Delay(SECOND));
        let mut acquire = Probe::pending(pool.acquire());
        stage.advance(SECOND);
        assert!(acquire.poll_until_stalled(stage));
        let conn = acquire.take().unwrap();
        let line = line!() - 4;
        let file = file!();
        stage.advance(3 * SECOND);
        stage.run(PooledConnection::release(conn)).unwrap();
        stage.advance(SECOND);
        drop(acquire_now(stage, &pool));
        let again = line!() - 1;
        stage.settle();
        let mut sentences = told.take();
        // When a recycle runs depends on the runtime.
        let varies = ["was recycled", "takes no background tasks"];
        sentences.retain(|sentence| !varies.iter().any(|words| sentence.contains(words)));
        assert_eq!(
            sentences,
            [
                "acquire 1 waits".to_owned(),
                "connecting number 1".to_owned(),
                "connection 1 was opened in 1s".to_owned(),
                format!("connection 1 was acquired at {file}:{line} after 1s"),
                "connection 1 was released after 3s".to_owned(),
                "acquire 2 waits".to_owned(),
                "connection 1 passed its check in 0ns".to_owned(),
                format!("connection 1 was acquired at {file}:{again} after 0ns"),
                "connection 1 was released after 0ns".to_owned(),
            ]
        );
        pool.close();
        stage.run(pool.wait_closed()).unwrap();
        let end = told.take();
        assert!(end[0].starts_with("the pool closes; size 1"), "{end:?}");
        assert_eq!(
            end[end.len() - 2..],
            [
                "connection 1 was closed: the pool was closed",
                "the pool is closed"
            ]
        );
        drop(acquire);
        drop(pool);
    });
}

#[test]
fn errors_that_nobody_waits_for_come_with_their_cause() {
    let stage = &Stage::spawning();
    let (builder, control) = stage.pool(2);
    let builder = builder.minsize(1).check_policy(CheckPolicy::Always);
    let (builder, told) = Told::by(builder.check_timeout(SECOND));
    control.next(Verb::Connect, Step::Err);
    let pool = builder.build_lazy().unwrap();
    stage.settle();
    let failed = told.take_with("connecting number 1 failed");
    assert_eq!(failed.len(), 1, "the background connect");
    assert!(failed[0].contains("(transient): "), "{failed:?}");

    drop(acquire_now(stage, &pool));
    stage.settle();
    told.take();
    control.next(Verb::Check, Step::Err);
    drop(acquire_now(stage, &pool));
    let sentences = told.take();
    let check = sentences
        .iter()
        .position(|text| text.contains("the check of connection 2 failed"));
    let close = sentences
        .iter()
        .position(|text| text == "connection 2 was closed: its check failed");
    assert!(check.is_some() && check < close, "{sentences:?}");

    stage.settle();
    told.take();
    control.next(Verb::Recycle, Step::Err);
    drop(acquire_now(stage, &pool));
    stage.settle();
    let sentences = told.take();
    let text = sentences.join("\n");
    assert!(
        text.contains("the recycle of connection 3 failed after 0ns: "),
        "{text}"
    );
    assert!(
        text.contains("connection 3 was closed: its recycle failed"),
        "{text}"
    );
    all_is_well(stage, pool, &control);
}

/// What is told of the end of a connection to which this happens.
fn reason(happens: impl FnOnce(&Stage, &Pool<FakeManager>, &support::FakeControl)) -> String {
    let stage = &Stage::spawning();
    // It may become as large as two.
    let (builder, control) = stage.pool(2);
    let builder = builder
        .maxsize(1)
        .check_policy(CheckPolicy::Never)
        .close_timeout(SECOND);
    let (builder, told) = Told::by(builder.name("orders").pool_recycle(60 * SECOND));
    let pool = builder.build_lazy().unwrap();
    happens(stage, &pool, &control);
    stage.settle();
    let mut closed = told.take_with("was closed");
    assert_eq!(closed.len(), 1, "{closed:?}");
    let stats = pool.stats();
    assert_eq!(stats.closes(), 1);
    let closed = closed.remove(0);
    closed
        .strip_prefix("connection 1 was closed: ")
        .expect("the first")
        .to_owned()
}

#[test]
fn each_close_has_a_reason_that_a_person_reads() {
    let idle = |stage: &Stage, pool: &Pool<FakeManager>| {
        drop(acquire_now(stage, pool));
        stage.settle();
    };
    let why = reason(|stage, pool, _| {
        idle(stage, pool);
        stage.advance(61 * SECOND);
    });
    assert_eq!(why, "it was idle for longer than pool_recycle");
    let why = reason(|stage, pool, _| PooledConnection::discard(acquire_now(stage, pool)));
    assert_eq!(why, "its holder discarded it");
    let why = reason(|stage, pool, control| {
        control.next_verdict(Verdict::Discard);
        drop(acquire_now(stage, pool));
    });
    assert_eq!(
        why,
        "it cannot be used again: its manager did not want it back"
    );
    let why = reason(|stage, pool, _| {
        idle(stage, pool);
        stage.run(pool.clear());
    });
    assert_eq!(why, "the pool was cleared");
    let why = reason(|stage, pool, _| {
        let _held = acquire_now(stage, pool);
        pool.terminate();
    });
    assert_eq!(why, "the pool was terminated");
    let why = reason(|stage, pool, control| {
        control.next(Verb::OnRelease, Step::Panic);
        drop(acquire_now(stage, pool));
    });
    assert_eq!(why, "its manager panicked");
    let why = reason(|stage, pool, _| {
        let held = acquire_now(stage, pool);
        let unwinds = std::panic::AssertUnwindSafe(move || {
            let _held = held;
            std::panic::resume_unwind(Box::new("the holder panics"));
        });
        assert!(std::panic::catch_unwind(unwinds).is_err());
    });
    assert_eq!(why, "its holder's thread panicked");
    let why = reason(|stage, pool, control| {
        control.next(Verb::Close, Step::Pend);
        PooledConnection::discard(acquire_now(stage, pool));
        stage.settle();
        stage.advance(SECOND);
    });
    assert!(
        why.starts_with(
            "its holder discarded it; pool \"orders\" timed out after 1s while closing a connection; size 1"
        ),
        "{why}"
    );
}

#[test]
fn a_waiter_is_told_once_how_it_ends() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let (builder, told) = Told::by(builder.acquire_timeout(5 * SECOND));
        let pool = builder.build_lazy().unwrap();
        let held = acquire_now(stage, &pool);
        told.take();
        let mut dropped = Probe::pending(pool.acquire());
        let (line, mut late) = (line!(), Probe::pending(pool.acquire().label("late")));
        stage.advance(SECOND);
        dropped.cancel();
        stage.advance(4 * SECOND);
        assert!(late.poll_until_stalled(stage));
        assert!(late.take().is_err());
        let sentences = told.take();
        assert_eq!(
            sentences[..3],
            [
                "acquire 2 waits",
                "acquire 3 waits",
                "acquire 2 was dropped after 1s"
            ]
        );
        let last = format!(
            "acquire 3 at {}:{line} (late): pool \"pool\" timed out after 5s while waiting",
            file!()
        );
        assert!(sentences[3].starts_with(&last), "{sentences:?}");
        assert_eq!(sentences.len(), 4);
        let mut closed = Probe::pending(pool.acquire());
        pool.close();
        assert!(closed.poll_until_stalled(stage));
        assert_eq!(
            told.take_with("acquire 4 failed"),
            ["acquire 4 failed after 0ns: the pool is closed"]
        );
        let stats = pool.stats();
        assert_eq!((stats.acquires(), stats.waits()), (1, 4));
        assert_eq!((stats.timeouts(), stats.cancelled()), (1, 1));
        drop(closed);
        drop(held);
        drop((dropped, late));
        support::invariants::closed_for_good(stage, pool, &control);
    });
}

#[test]
fn an_observer_that_panics_costs_nothing_and_the_others_hear_the_event() {
    let stage = &Stage::spawning();
    let (builder, control) = stage.pool(1);
    let builder = builder.observer(|_: &Event<'_>| panic!("this observer always panics"));
    let (builder, told) = Told::by(builder);
    let pool = builder.build_lazy().unwrap();
    drop(acquire_now(stage, &pool));
    assert!(told.take().len() >= 4);
    all_is_well(stage, pool, &control);
}

#[test]
fn an_observer_may_use_the_pool_that_calls_it() {
    let stage = &Stage::spawning();
    let (builder, control) = stage.pool(2);
    let seat: Arc<Mutex<Option<Pool<FakeManager>>>> = Arc::default();
    let own = Arc::clone(&seat);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let builder = builder.observer(move |event: &Event<'_>| {
        let pool = own.lock().unwrap().clone();
        if let (Event::Released { .. }, Some(pool)) = (event, pool) {
            counted.fetch_add(1, Ordering::SeqCst);
            if counted.load(Ordering::SeqCst) < 3 {
                drop(pool.try_acquire().expect("it is clean"));
            }
            assert!(pool.status().size() > 0);
        }
    });
    let (builder, told) = Told::by(builder);
    control.always_verdict(Verdict::Reuse);
    let pool = builder.build_lazy().unwrap();
    *seat.lock().unwrap() = Some(pool.clone());
    drop(acquire_now(stage, &pool));
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    assert_eq!(told.take_with("was released").len(), 3);
    *seat.lock().unwrap() = None;
    control.all_goes_well();
    all_is_well(stage, pool, &control);
}

#[test]
fn a_connect_that_is_given_up_is_told_with_the_reason() {
    let stage = &Stage::bare();
    let (builder, control) = stage.pool(1);
    let (builder, told) = Told::by(builder);
    let pool = builder.build_lazy().unwrap();
    let gate = Gate::new();
    control.next(Verb::Connect, Step::gate(&gate));
    let acquire = Probe::pending(pool.acquire());
    pool.terminate();
    let sentences = told.take();
    let given_up = "connecting number 1 was given up: the pool was terminated";
    assert!(
        sentences.iter().any(|text| text == given_up),
        "{sentences:?}"
    );
    assert_eq!(
        sentences.last().map(String::as_str),
        Some("the pool is closed")
    );
    drop(acquire);
    gate.open();
    drop(pool);
}

#[test]
fn reasons_have_words_for_people_and_for_metrics() {
    let broken = CloseReason::Broken("a command was cancelled".into());
    assert_eq!(
        broken.to_string(),
        "it cannot be used again: a command was cancelled"
    );
    assert_eq!(broken.as_str(), "broken");
}
