//! The level and the fields of each event in the log, and the spans.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

use pool_core::{
    Builder, CheckPolicy, CloseReason, ErrorClass, Event, PooledConnection, Shedding,
    TracingObserver, Verdict,
};
use support::invariants::acquire_now;
use support::{FakeManager, FakePool, Probe, Stage, Step, Verb};

use super::SECOND;
use super::log::{Line, Log};

/// What is logged of each event beside its sentence and the pool's name: its level and its fields. A field with `?` is left
/// out where there is no value.
const TABLE: &[(&str, &str, &str)] = &[
    ("ConnectStarted", "DEBUG", "connection"),
    ("Connected", "DEBUG", "connection took_ms"),
    ("ConnectFailed", "WARN", "class connection error took_ms"),
    ("ConnectCancelled", "DEBUG", "connection reason"),
    ("Checked", "DEBUG", "connection took_ms"),
    ("CheckFailed", "INFO", "connection error took_ms"),
    ("Recycled", "DEBUG", "connection took_ms"),
    ("RecycleFailed", "WARN", "connection error took_ms"),
    ("Waiting", "DEBUG", "waiter"),
    (
        "Acquired",
        "DEBUG",
        "connection label? place waited_ms waiter?",
    ),
    (
        "AcquireFailed connect",
        "DEBUG",
        "error reason waited_ms waiter",
    ),
    (
        "AcquireFailed breaker_open",
        "DEBUG",
        "error reason waited_ms waiter",
    ),
    (
        "AcquireFailed check",
        "DEBUG",
        "error reason waited_ms waiter",
    ),
    (
        "AcquireFailed closed",
        "DEBUG",
        "error reason waited_ms waiter",
    ),
    (
        "AcquireFailed panicked",
        "WARN",
        "error reason waited_ms waiter",
    ),
    ("Rejected closed", "DEBUG", "error place reason status"),
    (
        "Rejected queue_full",
        "WARN",
        "error label max_waiters place reason status",
    ),
    (
        "Rejected shed",
        "WARN",
        "error place reason status target_ms",
    ),
    (
        "TimedOut",
        "WARN",
        "error label? phase place waited_ms waiter",
    ),
    ("Cancelled", "DEBUG", "waited_ms waiter"),
    (
        "SlowAcquire",
        "WARN",
        "label? phase place status waited_ms waiter",
    ),
    ("Released", "DEBUG", "connection held_ms"),
    ("Detached", "DEBUG", "connection held_ms"),
    ("LeakSuspected", "WARN", "connection held_ms label? place"),
    ("LeakResolved", "INFO", "connection held_ms label? place"),
    ("Closed", "DEBUG", "connection reason"),
    ("Closed broken", "INFO", "connection reason"),
    ("Closed abandoned", "INFO", "connection reason"),
    ("Closed holder_panicked", "WARN", "connection reason"),
    ("Closed manager_panicked", "WARN", "connection reason"),
    ("Closed with an error", "WARN", "connection error reason"),
    ("BreakerOpened", "WARN", "class error retry_after_ms"),
    ("BreakerClosed", "INFO", "open_for_ms"),
    ("PoolClosing", "DEBUG", "status"),
    ("PoolTerminated", "DEBUG", "held"),
    ("PoolClosed", "INFO", ""),
    ("PoolSuspended", "INFO", "status"),
    ("PoolResumed", "INFO", "status"),
    ("Resized", "INFO", "from to"),
    ("Added", "DEBUG", "connection"),
    ("SpawnFailed", "DEBUG", ""),
    ("Lagged", "WARN", "missed"),
];

/// The row of an event in the table.
fn row(event: &Event<'_>) -> String {
    match event {
        Event::Closed { error: Some(_), .. } => "Closed with an error".to_owned(),
        Event::Closed { reason, .. } => match reason {
            CloseReason::Broken(_)
            | CloseReason::Abandoned
            | CloseReason::HolderPanicked
            | CloseReason::ManagerPanicked => format!("Closed {}", reason.as_str()),
            _ => "Closed".to_owned(),
        },
        Event::AcquireFailed { reason, .. } => format!("AcquireFailed {}", reason.as_str()),
        Event::Rejected { reason, .. } => format!("Rejected {}", reason.as_str()),
        other => {
            let text = format!("{other:?}");
            let end = text.find(' ').unwrap_or(text.len());
            text[..end].to_owned()
        }
    }
}

/// The rows of the events that were told, in order.
type Rows = Arc<Mutex<Vec<String>>>;

/// A pool that tells its events to the log, right after their rows were noted.
fn logged(builder: Builder<FakeManager>, rows: &Rows) -> FakePool {
    let rows = Arc::clone(rows);
    let builder = builder.observer(move |event: &Event<'_>| rows.lock().unwrap().push(row(event)));
    let builder = builder.name("orders").observer(TracingObserver::new());
    builder.build_lazy().unwrap()
}

/// Acquires, gives back, and lets everything end that goes on.
fn use_once(stage: &Stage, pool: &FakePool) {
    drop(acquire_now(stage, pool));
    stage.settle();
}

/// What becomes of those that wait, and of one connection.
fn waits_and_steps(stage: &Stage, rows: &Rows) {
    // It may become as large as two.
    let (builder, control) = stage.pool(2);
    let builder = builder
        .maxsize(1)
        .acquire_timeout(5 * SECOND)
        .check_timeout(SECOND)
        .close_timeout(SECOND)
        .slow_acquire_after(SECOND)
        .leak_warning_after(SECOND)
        .check_policy(CheckPolicy::Always)
        .max_waiters(1);
    let pool = logged(builder, rows);
    control.next(Verb::Connect, Step::Err);
    assert!(stage.run(pool.acquire()).is_err());
    let held = acquire_now(stage, &pool);
    let mut waits = Probe::pending(pool.acquire());
    assert!(stage.run(pool.acquire().label("checkout")).is_err());
    stage.advance(5 * SECOND);
    assert!(waits.poll_until_stalled(stage));
    drop(Probe::pending(pool.acquire()));
    drop((waits, held));
    stage.settle();
    control.next(Verb::Check, Step::Err);
    use_once(stage, &pool);
    control.next(Verb::Check, Step::Panic);
    assert!(stage.run(pool.acquire()).is_err());
    control.next(Verb::Recycle, Step::Err);
    use_once(stage, &pool);
    control.next_verdict(Verdict::Discard);
    use_once(stage, &pool);
    control.next(Verb::OnRelease, Step::Panic);
    use_once(stage, &pool);
    let held = acquire_now(stage, &pool);
    let unwinds = AssertUnwindSafe(move || {
        let _held = held;
        resume_unwind(Box::new("the holder panics"));
    });
    assert!(catch_unwind(unwinds).is_err());
    PooledConnection::discard(acquire_now(stage, &pool));
    stage.settle();
    control.next(Verb::Close, Step::Pend);
    PooledConnection::discard(acquire_now(stage, &pool));
    stage.advance(SECOND);
    let outside = PooledConnection::detach(acquire_now(stage, &pool));
    assert!(pool.add(outside).is_ok());
    stage.settle();
    pool.suspend();
    pool.resume();
    pool.resize(2).unwrap();
    control.all_goes_well();
    let held = [acquire_now(stage, &pool), acquire_now(stage, &pool)];
    let mut waits = Probe::pending(pool.acquire());
    pool.close();
    assert!(waits.poll_until_stalled(stage));
    assert!(stage.run(pool.acquire()).is_err());
    pool.terminate();
    stage.settle();
    drop((waits, held));
}

/// The breaker, the interceptors, shedding, and what is given up.
fn limits_and_ends(stage: &Stage, rows: &Rows) {
    let (builder, control) = stage.pool(1);
    let builder = builder.interceptor(control.interceptor());
    let builder = builder
        .shedding(Shedding::new(SECOND, SECOND))
        .check_policy(CheckPolicy::Always);
    let pool = logged(builder, rows);
    control.next(Verb::Connect, Step::Fail(ErrorClass::Auth));
    assert!(stage.run(pool.acquire()).is_err());
    assert!(stage.run(pool.acquire()).is_err());
    stage.advance(2 * SECOND);
    control.next(Verb::BeforeAcquire, Step::Err);
    assert!(stage.run(pool.acquire()).is_err());
    let held = acquire_now(stage, &pool);
    let waiters = [(), ()].map(|()| {
        let waits = Probe::pending(pool.acquire());
        stage.advance(2 * SECOND);
        waits
    });
    assert!(stage.run(pool.acquire()).is_err());
    drop((waiters, held));
    stage.settle();
    // No time-out would end this check.
    control.next(Verb::Check, Step::Pend);
    drop(Probe::pending(pool.acquire()));
    stage.settle();
    control.next(Verb::Connect, Step::Pend);
    let waits = Probe::pending(pool.acquire());
    pool.terminate();
    stage.settle();
    drop(waits);
}

/// Whether the fields are those of the table, beside those that each event has.
fn has_fields(line: &Line, fields: &str) -> bool {
    let mut rest: BTreeSet<&str> = line.fields.0.keys().copied().collect();
    let mut all = fields.split_whitespace().chain(["message", "pool.name"]);
    let is_there = all.all(|field| match field.strip_suffix('?') {
        Some(field) => {
            rest.remove(field);
            true
        }
        None => rest.remove(field),
    });
    is_there && rest.is_empty()
}

/// A log that all events of this thread go to.
pub(crate) fn log(run: impl FnOnce()) -> Log {
    let log = Log::default();
    // While there is only one subscriber, a span that another thread makes first, which has none, counts as unwanted
    // everywhere. With a second one each subscriber is asked.
    let _second = Log::default().dispatch();
    tracing::dispatcher::with_default(&log.dispatch(), run);
    log
}

#[test]
fn each_event_has_its_level_and_its_fields() {
    let rows = Rows::default();
    let log = log(|| {
        waits_and_steps(&Stage::spawning(), &rows);
        limits_and_ends(&Stage::spawning(), &rows);
        // Nothing can be spawned there.
        let stage = Stage::bare();
        let (builder, _control) = stage.pool(1);
        use_once(&stage, &logged(builder, &rows));
        lags(&rows);
    });
    let rows = rows.lock().unwrap();
    let lines = log.events();
    assert_eq!(rows.len(), lines.len(), "one line for each event");
    for (row, line) in rows.iter().zip(&lines) {
        let known = TABLE.iter().find(|(name, ..)| name == row);
        let Some((_, level, fields)) = known else {
            panic!("{row} is not in the table: {line:?}");
        };
        assert_eq!(line.level, *level, "{row}: {line:?}");
        assert!(has_fields(line, fields), "{row}: {line:?}");
        assert_eq!(line.fields.0["pool.name"], "\"orders\"");
    }
    for (name, ..) in TABLE {
        assert!(rows.iter().any(|row| row == name), "no {name} was told");
    }
}

/// While an observer is told one event, more come than are kept.
fn lags(rows: &Rows) {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(1);
    control.always_verdict(Verdict::Reuse);
    let seat: Arc<Mutex<Option<FakePool>>> = Arc::default();
    let own = Arc::clone(&seat);
    let builder = builder.observer(move |event: &Event<'_>| {
        let pool = match event {
            Event::Released { .. } => own.lock().unwrap().take(),
            _ => None,
        };
        if let Some(pool) = pool {
            for _ in 0..33_000 {
                drop(pool.try_acquire().expect("it is clean"));
            }
        }
    });
    let pool = logged(builder, rows);
    use_once(&stage, &pool);
    *seat.lock().unwrap() = Some(pool.clone());
    use_once(&stage, &pool);
    stage.settle();
}

#[test]
fn each_step_has_a_span_and_that_of_an_acquire_says_which_connection_it_got() {
    let log = log(|| {
        let stage = &Stage::spawning();
        let (builder, control) = stage.pool(1);
        let pool = logged(builder.check_policy(CheckPolicy::Always), &Rows::default());
        use_once(stage, &pool);
        control.next(Verb::Check, Step::Err);
        use_once(stage, &pool);
        pool.close();
        stage.run(pool.wait_closed()).unwrap();
    });
    let spans = log.spans();
    let mut seen = Vec::new();
    for span in &spans {
        assert_eq!(span.fields.0["pool.name"], "\"orders\"", "{span:?}");
        let connection = span.fields.0.get("connection");
        let connection = connection.unwrap_or_else(|| panic!("no connection: {span:?}"));
        seen.push((span.name, connection.as_str(), span.outer));
    }
    let of_acquire = |name| (name, "1", Some("pool.acquire"));
    for expected in [
        ("pool.acquire", "1", None),
        ("pool.acquire", "2", None),
        of_acquire("pool.connect"),
        of_acquire("pool.check"),
        ("pool.recycle", "1", None),
        ("pool.close", "2", None),
    ] {
        assert!(seen.contains(&expected), "{expected:?}: {seen:#?}");
    }
}
