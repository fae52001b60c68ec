//! Failures that explain themselves: who holds what, where, and for how long.

use std::time::Duration;

use pool_core::{Error, Event, Phase};
use support::invariants::{acquire_now, all_is_well};
use support::{FakeError, FakeGuard, Probe, Stage, Step, Told, Verb};

#[path = "explained/labels.rs"]
mod labels;

const SECOND: Duration = Duration::from_secs(1);

#[track_caller]
fn error_of(result: Result<FakeGuard, Error<FakeError>>) -> Error<FakeError> {
    match result {
        Err(error) => error,
        Ok(_) => panic!("it must be a time-out, not a connection"),
    }
}

#[test]
fn a_time_out_names_the_pool_the_counts_and_who_holds_a_connection_for_the_longest_time() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let (builder, _told) = Told::by(builder.name("orders").acquire_timeout(5 * SECOND));
        let pool = builder.build_lazy().unwrap();
        let first = stage.run(pool.acquire().label("checkout")).unwrap();
        let line = line!() - 1;
        stage.advance(57 * SECOND);
        let second = acquire_now(stage, &pool);
        let mut late = Probe::pending(pool.acquire());
        stage.advance(5 * SECOND);
        assert!(late.poll_until_stalled(stage));
        let error = error_of(late.take());
        let place = format!("{}:{line}", file!());
        assert_eq!(
            error.to_string(),
            format!(
                "pool \"orders\" timed out after 5s while waiting for a connection; size 2 (free 0, held 2, checking 0, recycling 0, closing 0, connecting 0), waiting 0, maxsize 2\n\
                 held longest: connection 1 for 62s by {place} (checkout)"
            )
        );
        assert_eq!(error.pool_name(), Some("orders"));
        let holder = error.longest_holder().expect("two are held");
        assert_eq!((holder.id(), holder.age()), (1, 62 * SECOND));
        assert_eq!(holder.label(), Some("checkout"));
        assert_eq!(holder.place().line(), line);
        assert!(!error.is_nested());
        drop((first, second, late));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn without_an_observer_the_holder_is_known_and_its_age_is_a_lower_bound() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.acquire_timeout(5 * SECOND).build_lazy().unwrap();
        let held = acquire_now(stage, &pool);
        let line = line!() - 1;
        stage.advance(57 * SECOND);
        let mut late = Probe::pending(pool.acquire());
        stage.advance(5 * SECOND);
        assert!(late.poll_until_stalled(stage));
        let error = error_of(late.take());
        let text = error.to_string();
        let holder = format!(
            "held longest: connection 1 for at least 5s by {}:{line}",
            file!()
        );
        assert!(text.ends_with(&holder), "{text}");
        stage.advance(SECOND);
        assert_eq!(pool.borrowed()[0].age(), 6 * SECOND);
        drop((held, late));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn what_is_borrowed_is_listed_and_what_came_back_is_not() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = builder.build_lazy().unwrap();
        let one = stage.run(pool.acquire().label("one")).unwrap();
        let two = stage
            .run(pool.acquire().label(String::from("two")))
            .unwrap();
        let three = acquire_now(stage, &pool);
        let labels = |pool: &support::FakePool| -> Vec<_> {
            let all = pool.borrowed().into_iter();
            all.map(|borrowed| borrowed.label().map(str::to_owned))
                .collect()
        };
        assert_eq!(
            labels(&pool),
            [Some("one".to_owned()), Some("two".to_owned()), None]
        );
        drop(one);
        stage.settle();
        assert_eq!(labels(&pool), [Some("two".to_owned()), None]);
        let again = acquire_now(stage, &pool);
        assert_eq!(
            labels(&pool),
            [Some("two".to_owned()), None, None],
            "a label ends with its borrow"
        );
        drop((two, three, again));
        stage.settle();
        assert!(pool.borrowed().is_empty());
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_leak_is_told_once_and_so_is_its_end() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let builder = builder.leak_warning_after(10 * SECOND);
        let (builder, told) = Told::by(builder);
        let pool = builder.build_lazy().unwrap();
        let leaked = stage.run(pool.acquire().label("report")).unwrap();
        let line = line!() - 1;
        let soon = acquire_now(stage, &pool);
        stage.advance(5 * SECOND);
        drop(soon);
        stage.settle();
        told.take();
        stage.advance(5 * SECOND);
        // Where nothing can be spawned, the next caller tells it.
        drop(acquire_now(stage, &pool));
        let place = format!("{}:{line} (report)", file!());
        assert_eq!(
            told.take_with("is it leaked?"),
            [format!(
                "connection 1 has been held for 10s, since it was acquired at {place}: is it leaked?"
            )]
        );
        stage.advance(60 * SECOND);
        drop(acquire_now(stage, &pool));
        assert!(told.take_with("is it leaked?").is_empty(), "once");
        drop(leaked);
        assert_eq!(
            told.take_with("came back"),
            [format!(
                "connection 1, acquired at {place}, came back after 70s"
            )]
        );
        assert_eq!(pool.stats().suspected_leaks(), 1);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_leak_is_told_at_its_time_where_tasks_can_be_spawned() {
    let stage = &Stage::spawning();
    let (builder, control) = stage.pool(1);
    let (builder, told) = Told::by(builder.leak_warning_after(10 * SECOND));
    let pool = builder.build_lazy().unwrap();
    let held = acquire_now(stage, &pool);
    stage.advance(10 * SECOND);
    assert_eq!(told.take_with("is it leaked?").len(), 1);
    drop(held);
    all_is_well(stage, pool, &control);
}

#[test]
fn a_slow_acquire_is_told_once_while_it_waits() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let (builder, told) = Told::by(builder.slow_acquire_after(2 * SECOND));
        let pool = builder.build_lazy().unwrap();
        let held = acquire_now(stage, &pool);
        let mut waits = Probe::pending(pool.acquire().label("slow one"));
        let line = line!() - 1;
        stage.advance(SECOND);
        let mut later = Probe::pending(pool.acquire());
        stage.advance(SECOND);
        // Where nothing can be spawned, the next caller tells it.
        assert!(pool.try_acquire().is_err());
        let slow = told.take_with("has waited");
        assert_eq!(slow.len(), 1, "{slow:?}");
        let begin = format!(
            "acquire 2 at {}:{line} (slow one) has waited for 2s and is still waiting for a connection; size 1",
            file!()
        );
        assert!(slow[0].starts_with(&begin), "{slow:?}");
        stage.advance(SECOND);
        assert!(pool.try_acquire().is_err());
        let slow = told.take_with("has waited");
        assert!(
            slow.len() == 1 && slow[0].starts_with("acquire 3 at"),
            "{slow:?}"
        );
        stage.advance(10 * SECOND);
        assert!(pool.try_acquire().is_err());
        assert!(told.take_with("has waited").is_empty());
        assert_eq!(pool.stats().slow_acquires(), 2);
        drop(held);
        assert!(waits.poll_until_stalled(stage));
        drop(waits.take());
        assert!(later.poll_until_stalled(stage));
        drop(later.take());
        drop((waits, later));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_slow_connect_is_told_with_its_phase() {
    let stage = &Stage::bare();
    let (builder, control) = stage.pool(1);
    let (builder, told) = Told::by(builder.slow_acquire_after(SECOND));
    let pool = builder.build_lazy().unwrap();
    control.next(Verb::Connect, Step::Delay(5 * SECOND));
    let mut waits = Probe::pending(pool.acquire());
    stage.advance(2 * SECOND);
    assert!(pool.try_acquire().is_err());
    let slow = told.take_with("is still connecting");
    assert_eq!(slow.len(), 1);
    stage.advance(5 * SECOND);
    assert!(waits.poll_until_stalled(stage));
    drop(waits.take());
    drop(waits);
    all_is_well(stage, pool, &control);
}

#[test]
fn a_time_out_says_how_the_last_connect_failed_and_when() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.acquire_timeout(5 * SECOND).build_lazy().unwrap();
        control.next(Verb::Connect, Step::Fail(pool_core::ErrorClass::Auth));
        assert!(stage.run(pool.acquire()).is_err());
        stage.advance(2 * SECOND);
        control.next(Verb::Connect, Step::Delay(60 * SECOND));
        let mut late = Probe::pending(pool.acquire());
        stage.advance(5 * SECOND);
        assert!(late.poll_until_stalled(stage));
        let error = error_of(late.take());
        let Some((_, class, age)) = error.last_connect() else {
            panic!("the last connect has failed: {error}");
        };
        assert_eq!((class, age), (pool_core::ErrorClass::Auth, 7 * SECOND));
        let text = error.to_string();
        assert!(
            text.contains("; the last connect failed 7s ago (auth): "),
            "{text}"
        );
        let Error::Timeout { phase, .. } = error else {
            unreachable!("it is a time-out");
        };
        assert_eq!(phase, Phase::Connect);
        drop(late);
        stage.advance(60 * SECOND);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_connect_that_took_too_long_or_panicked_is_told_as_the_last_one_that_failed() {
    let cases = [
        (Step::Pend, "connecting took longer than 10s"),
        (
            Step::Panic,
            "the manager panicked while connecting: scripted: Connect panics",
        ),
    ];
    for (step, words) in cases {
        Stage::each_virtual(|stage| {
            let (builder, control) = stage.pool(1);
            let pool = builder.connect_timeout(10 * SECOND).build_lazy().unwrap();
            let auth = Step::Fail(pool_core::ErrorClass::Auth);
            control.next(Verb::Connect, auth);
            assert!(stage.run(pool.acquire()).is_err());
            // After such a failure the pool does not connect for a while.
            stage.advance(2 * SECOND);
            control.next(Verb::Connect, step.clone());
            let mut failed = Probe::polled(pool.acquire());
            stage.advance(10 * SECOND);
            assert!(failed.poll_until_stalled(stage));
            assert!(failed.take().is_err());
            control.next(Verb::Connect, Step::Pend);
            let mut late = Probe::pending(pool.acquire().timeout(5 * SECOND));
            stage.advance(5 * SECOND);
            assert!(late.poll_until_stalled(stage));
            let error = error_of(late.take());
            // The panic came at once, the other failure after ten seconds.
            let age = match step {
                Step::Panic => 15,
                _ => 5,
            };
            let text = error.to_string();
            let told = format!("; the last connect failed {age}s ago (transient): {words}");
            assert!(text.contains(&told), "{text}");
            assert!(error.last_connect().is_none(), "it has no error of its own");
            let failure = (pool_core::ErrorClass::Transient, age * SECOND);
            assert_eq!(error.last_connect_failure(), Some(failure));
            let readiness = pool.readiness().to_string();
            let told = format!("the last connect failed {age}s ago (transient)");
            assert!(readiness.contains(&told), "{readiness}");
            drop((failed, late));
            stage.advance(60 * SECOND);
            all_is_well(stage, pool, &control);
        });
    }
}

#[test]
fn thresholds_are_checked_and_counted_without_an_observer() {
    let stage = &Stage::spawning();
    for field in ["slow_acquire_after", "leak_warning_after"] {
        let (builder, _control) = stage.pool(1);
        let builder = match field {
            "slow_acquire_after" => builder.slow_acquire_after(Duration::ZERO),
            _ => builder.leak_warning_after(Duration::ZERO),
        };
        let error = builder.build_lazy().expect_err("zero cannot be used");
        let text = error.to_string();
        assert!(
            text.contains(field) && text.contains("zero would warn"),
            "{text}"
        );
    }
    let (builder, control) = stage.pool(1);
    let pool = builder.leak_warning_after(SECOND).build_lazy().unwrap();
    let held = acquire_now(stage, &pool);
    stage.advance(SECOND);
    let stats = pool.stats();
    assert_eq!(stats.suspected_leaks(), 1);
    drop(held);
    assert_eq!(pool.stats().wait_time().count(), 1);
    all_is_well(stage, pool, &control);
}

/// An event that names its pool can be sent on as text.
#[test]
fn each_event_names_its_pool() {
    let event = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let last = std::sync::Arc::clone(&event);
    let stage = &Stage::spawning();
    let (builder, control) = stage.pool(1);
    let builder = builder.name("orders").observer(move |event: &Event<'_>| {
        *last.lock().unwrap() = event.to_string();
    });
    let pool = builder.build_lazy().unwrap();
    drop(acquire_now(stage, &pool));
    assert!(event.lock().unwrap().starts_with("pool \"orders\": "));
    all_is_well(stage, pool, &control);
}
