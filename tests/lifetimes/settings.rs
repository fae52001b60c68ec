//! The settings: what cannot be used, and what changes while the pool runs.

use std::time::Duration;

use pool_core::{Builder, CheckPolicy, Error};
use support::invariants::{acquire_now, all_is_well};
use support::{FakeGuard, FakeManager, Stage};

use super::{MINUTE, SECOND};

#[test]
fn a_value_that_cannot_be_used_names_its_setting_and_says_what_to_do() {
    type Set = fn(Builder<FakeManager>) -> Builder<FakeManager>;
    let cases: [(&str, Set, &str); 10] = [
        (
            "max_lifetime",
            |b| b.max_lifetime(Duration::ZERO),
            "longer time, or None",
        ),
        (
            "idle_timeout",
            |b| b.idle_timeout(Duration::ZERO),
            "max_idle 0",
        ),
        (
            "keepalive",
            |b| b.keepalive(Duration::ZERO),
            "CheckPolicy::Always",
        ),
        ("max_uses", |b| b.max_uses(0), "at least 1"),
        (
            "max_lifetime_jitter",
            |b| b.max_lifetime_jitter(SECOND),
            "there is no max_lifetime",
        ),
        ("min_idle", |b| b.min_idle(6), "raise maxsize"),
        (
            "max_idle",
            |b| b.minsize(2).max_idle(1),
            "less than minsize, which is 2",
        ),
        (
            "max_idle",
            |b| b.min_idle(2).max_idle(1),
            "less than min_idle, which is 2",
        ),
        ("max_idle", |b| b.minsize(1).max_idle(0), "raise max_idle"),
        ("min_idle", |b| b.min_idle(usize::MAX), "lower min_idle"),
    ];
    let stage = Stage::spawning();
    for (field, set, words) in cases {
        let (builder, _control) = stage.pool(5);
        let Err(Error::Config(error)) = set(builder).build_lazy() else {
            panic!("{field} was taken");
        };
        assert_eq!(error.field(), field);
        assert!(error.message().contains(words), "{error}");
    }
}

#[test]
fn all_of_them_can_be_read_and_changed() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(5);
    let pool = builder.build_lazy().unwrap();
    pool.reconfigure(|knobs| {
        knobs.max_lifetime(MINUTE);
        knobs.max_lifetime_jitter(SECOND);
        knobs.max_uses(7);
        knobs.idle_timeout(MINUTE);
        knobs.min_idle(1);
        knobs.max_idle(3);
        knobs.keepalive(30 * SECOND);
    })
    .unwrap();
    let now = pool.settings();
    assert_eq!(now.max_lifetime(), Some(MINUTE));
    assert_eq!(now.max_lifetime_jitter(), Some(SECOND));
    assert_eq!(
        (now.max_uses(), now.min_idle(), now.max_idle()),
        (Some(7), 1, Some(3))
    );
    assert_eq!(now.idle_timeout(), Some(MINUTE));
    assert_eq!(now.keepalive(), Some(30 * SECOND));
    let refused = pool.reconfigure(|knobs| knobs.max_idle(0));
    assert!(matches!(refused, Err(Error::Config(error)) if error.field() == "max_idle"));
    stage.settle();
    assert_eq!(pool.freesize(), 1, "min_idle");
    all_is_well(&stage, pool, &control);
}

#[test]
fn a_lifetime_that_is_set_later_counts_from_the_connect() {
    Stage::each_virtual(|stage| {
        for policy in [CheckPolicy::Never, CheckPolicy::default()] {
            let (builder, control) = stage.pool(2);
            let pool = builder.check_policy(policy).build_lazy().unwrap();
            let old = acquire_now(stage, &pool);
            stage.advance(MINUTE);
            let young = acquire_now(stage, &pool);
            drop(young);
            stage.settle();
            pool.reconfigure(|knobs| knobs.max_lifetime(MINUTE))
                .unwrap();
            drop(old);
            stage.settle();
            assert_eq!(control.open_connections(), [2], "{}", pool.status());
            stage.advance(MINUTE);
            assert_eq!(acquire_now(stage, &pool).id(), 3);
            // And not any more.
            pool.reconfigure(|knobs| knobs.max_lifetime(None)).unwrap();
            stage.advance(100 * MINUTE);
            assert_eq!(acquire_now(stage, &pool).id(), 3);
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn a_smaller_max_idle_closes_what_is_one_too_many_at_once() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(5);
        let pool = builder.build_lazy().unwrap();
        let guards: Vec<FakeGuard> = (0..5).map(|_| acquire_now(stage, &pool)).collect();
        drop(guards);
        stage.settle();
        pool.reconfigure(|knobs| knobs.max_idle(2)).unwrap();
        stage.settle();
        assert_eq!(pool.size(), 2);
        all_is_well(stage, pool, &control);
    });
}
