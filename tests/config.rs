//! The settings: their defaults, what they accept, and what they refuse by name.

use std::error::Error as _;
use std::time::Duration;

use pool_core::{Builder, CheckPolicy, ConfigError, Error, IdleOrder, Pool, Shedding};
use support::invariants::{acquire_now, all_is_well};
use support::{FakeError, FakeManager, Stage};

const SECOND: Duration = Duration::from_secs(1);

fn builder() -> Builder<FakeManager> {
    Pool::builder(FakeManager::new())
}

#[track_caller]
fn refused(builder: Builder<FakeManager>) -> ConfigError {
    match builder.build_lazy() {
        Err(Error::Config(error)) => error,
        Err(other) => panic!("it must be a ConfigError: {other:?}"),
        Ok(_) => panic!("it must be refused"),
    }
}

#[test]
fn the_defaults_are_one_to_ten_connections_and_no_echo() {
    let pool = builder().build_lazy().unwrap();
    assert_eq!((pool.minsize(), pool.maxsize()), (1, 10));
    assert!(!pool.echo());
    assert!(!pool.is_closing() && !pool.is_closed());
}

#[test]
fn minsize_above_maxsize_is_refused() {
    let error = refused(builder().minsize(3).maxsize(2));
    assert_eq!(error.field(), "minsize");
    assert!(
        error.message().contains('3') && error.message().contains('2'),
        "{error}"
    );
}

#[test]
fn minsize_alone_above_the_default_maxsize_is_refused() {
    assert_eq!(refused(builder().minsize(11)).field(), "minsize");
}

#[test]
fn minsize_may_equal_maxsize_and_maxsize_zero_has_no_bound() {
    for (minsize, maxsize) in [(0, 0), (0, 1), (1, 1), (10, 10), (1_000, 0)] {
        let pool = builder()
            .minsize(minsize)
            .maxsize(maxsize)
            .build_lazy()
            .unwrap();
        assert_eq!((pool.minsize(), pool.maxsize()), (minsize, maxsize));
    }
}

#[test]
fn a_zero_duration_is_refused_with_the_name_of_its_setting() {
    let zero = Duration::ZERO;
    let refusals = [
        ("acquire_timeout", refused(builder().acquire_timeout(zero))),
        ("connect_timeout", refused(builder().connect_timeout(zero))),
        ("check_timeout", refused(builder().check_timeout(zero))),
        ("recycle_timeout", refused(builder().recycle_timeout(zero))),
        ("close_timeout", refused(builder().close_timeout(zero))),
        ("pool_recycle", refused(builder().pool_recycle(zero))),
        (
            "check_policy",
            refused(builder().check_policy(CheckPolicy::IdleFor(zero))),
        ),
    ];
    for (setting, error) in refusals {
        assert_eq!(error.field(), setting);
        assert!(error.to_string().contains(setting), "{error}");
        assert!(!error.message().is_empty());
    }
}

#[test]
fn durations_may_be_given_bare_or_as_options() {
    let pool = builder()
        .acquire_timeout(SECOND)
        .connect_timeout(Some(SECOND))
        .check_timeout(None)
        .recycle_timeout(Duration::MAX)
        .close_timeout(SECOND)
        .pool_recycle(Some(Duration::MAX))
        .build_lazy();
    assert!(pool.is_ok());
}

#[test]
fn the_last_call_of_a_setter_counts() {
    let pool = builder()
        .maxsize(1)
        .maxsize(7)
        .acquire_timeout(Duration::ZERO)
        .acquire_timeout(None)
        .build_lazy()
        .unwrap();
    assert_eq!(pool.maxsize(), 7);
}

#[test]
fn a_time_out_too_long_for_the_clock_is_no_time_out() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder
            .acquire_timeout(Duration::MAX)
            .connect_timeout(Duration::MAX)
            .check_timeout(Duration::MAX)
            .recycle_timeout(Duration::MAX)
            .close_timeout(Duration::MAX)
            .pool_recycle(Duration::MAX)
            .check_policy(CheckPolicy::IdleFor(Duration::MAX))
            .build_lazy()
            .unwrap();
        for _ in 0..3 {
            drop(acquire_now(stage, &pool));
        }
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_configuration_is_checked_before_anything_is_connected() {
    let stage = Stage::spawning();
    let (manager, control) = stage.fake(0);
    let outcome = stage.run(stage.builder(manager).minsize(5).maxsize(2).build());
    assert!(matches!(outcome, Err(Error::Config(_))));
    assert_eq!(control.connects(), 0);
    assert!(!control.manager_is_alive());
}

#[test]
fn the_manager_may_refuse_its_own_options() {
    let own = ConfigError::new("host", "an empty host cannot be reached: name one");
    for eager in [false, true] {
        let stage = Stage::spawning();
        let (manager, control) = stage.fake(0);
        let builder = stage.builder(manager.refusing(own.clone()));
        let outcome = match eager {
            true => stage.run(builder.build()),
            false => builder.build_lazy(),
        };
        match outcome {
            Err(Error::Config(error)) => assert_eq!(error, own),
            _ => panic!("it must be the manager's own error"),
        }
        assert_eq!(control.connects(), 0);
    }
}

#[test]
fn a_config_error_says_what_is_wrong_and_is_the_source() {
    let error: Error<FakeError> = Error::Config(refused(builder().minsize(3).maxsize(2)));
    let source = error.source().expect("the ConfigError");
    assert!(source.is::<ConfigError>());
    assert!(source.to_string().starts_with("minsize: "));
    // The line alone tells the cause, so that a log of `{error}` is enough.
    assert!(error.to_string().ends_with(&source.to_string()));
}

#[test]
fn a_lazy_pool_connects_nothing() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(10);
        let pool = builder.minsize(5).upkeep(false).build_lazy().unwrap();
        stage.advance(3_600 * SECOND);
        assert_eq!((pool.size(), control.connects()), (0, 0));
        assert_eq!(pool.minsize(), 5);
    });
}

#[test]
fn a_lazy_pool_restores_minsize_with_its_first_acquire() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(10);
        let pool = builder.minsize(5).upkeep(false).build_lazy().unwrap();
        drop(acquire_now(stage, &pool));
        stage.settle();
        assert_eq!(pool.size(), 5, "{}", pool.status());
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn echo_is_told_to_the_manager_once_it_is_built() {
    for on in [false, true] {
        let manager = FakeManager::new();
        let control = manager.control();
        let builder = Pool::builder(manager).echo(on);
        assert_eq!(control.echo(), None, "not before");
        let pool = builder.build_lazy().unwrap();
        assert_eq!((control.echo(), pool.echo()), (Some(on), on));
    }
}

#[test]
fn the_check_policy_decides_which_idle_connections_are_checked() {
    let checks = |stage: &Stage, policy: CheckPolicy, idle: Duration| {
        let (builder, control) = stage.pool(1);
        let pool = builder
            .upkeep(false)
            .check_policy(policy)
            .build_lazy()
            .unwrap();
        let conn = acquire_now(stage, &pool);
        stage
            .run(pool_core::PooledConnection::release(conn))
            .unwrap();
        stage.advance(idle);
        drop(acquire_now(stage, &pool));
        control.checks()
    };
    Stage::each_virtual(|stage| {
        let minute = CheckPolicy::IdleFor(60 * SECOND);
        assert_eq!(checks(stage, CheckPolicy::Never, 3_600 * SECOND), 0);
        assert_eq!(checks(stage, CheckPolicy::Always, Duration::ZERO), 1);
        assert_eq!(checks(stage, minute, 59 * SECOND), 0);
        assert_eq!(checks(stage, minute, 60 * SECOND), 1);
        assert_eq!(checks(stage, CheckPolicy::default(), SECOND / 2), 0);
        assert_eq!(checks(stage, CheckPolicy::default(), SECOND), 1);
    });
}

#[test]
fn a_new_connection_is_not_checked() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = builder
            .check_policy(CheckPolicy::Always)
            .build_lazy()
            .unwrap();
        let guards = [(); 3].map(|()| acquire_now(stage, &pool));
        assert_eq!(control.checks(), 0);
        drop(guards);
    });
}

#[test]
fn the_enums_of_the_settings_have_the_documented_defaults() {
    assert_eq!(IdleOrder::default(), IdleOrder::Fifo);
    assert_eq!(CheckPolicy::default(), CheckPolicy::IdleFor(SECOND));
}

#[test]
fn what_would_stop_the_pool_is_refused_with_what_to_do() {
    let short = Duration::from_nanos(1);
    let zero = Duration::ZERO;
    let wrong = [
        ("max_connecting", builder().max_connecting(0)),
        ("connect_retry", builder().connect_retry(zero)),
        ("shedding", builder().shedding(Shedding::new(zero, SECOND))),
        ("shedding", builder().shedding(Shedding::new(SECOND, zero))),
        ("reserved", builder().maxsize(0).reserved(1)),
        ("reserved", builder().maxsize(1).reserved(1)),
        ("reserved", builder().maxsize(5).reserved(usize::MAX)),
    ];
    for (field, builder) in wrong {
        let error = refused(builder);
        assert_eq!(error.field(), field);
        let says_how = ["give", "set", "lower", "raise"];
        let is_helpful = says_how.iter().any(|word| error.message().contains(word));
        assert!(is_helpful, "{error}");
    }
    Stage::each(|stage| {
        for maxsize in [1, 2, 5] {
            for time in [short, Duration::MAX] {
                let (builder, control) = stage.pool(maxsize);
                let builder = builder
                    .connect_retry(time)
                    .shedding(Shedding::new(time, time).dry_run(true))
                    .max_connecting(usize::MAX)
                    .max_waiters(usize::MAX);
                let pool = builder.build_lazy().unwrap();
                let held = acquire_now(stage, &pool);
                drop(held);
                all_is_well(stage, pool, &control);
            }
        }
    });
}
