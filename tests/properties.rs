//! Random settings: what cannot be used is refused by name, and what is accepted is kept.

use std::time::Duration;

use pool_core::{CheckPolicy, Error, Pool};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use support::{FakeManager, Stage};

/// The same input in every run. `PROPTEST_CASES` asks for more of it.
fn config() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(10),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A time that may be none at all, or as long as can be.
fn time() -> impl Strategy<Value = Duration> {
    prop_oneof![
        1 => Just(Duration::ZERO),
        1 => Just(Duration::MAX),
        8 => (1..10_000_u64).prop_map(Duration::from_millis),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn settings_are_kept_or_refused_by_name(
        minsize in 0..6_usize,
        maxsize in 0..6_usize,
        acquire in proptest::option::of(time()),
        connect in proptest::option::of(time()),
        check in proptest::option::of(time()),
        recycle in proptest::option::of(time()),
        close in proptest::option::of(time()),
        pool_recycle in proptest::option::of(time()),
        idle_for in proptest::option::of(time()),
        echo in any::<bool>(),
    ) {
        let stage = Stage::bare();
        let mut builder = stage.builder(FakeManager::new()).minsize(minsize).maxsize(maxsize).echo(echo);
        let mut wrong = Vec::new();
        if maxsize != 0 && minsize > maxsize {
            wrong.push("minsize");
        }
        for (field, value) in [
            ("acquire_timeout", acquire),
            ("connect_timeout", connect),
            ("check_timeout", check),
            ("recycle_timeout", recycle),
            ("close_timeout", close),
            ("pool_recycle", pool_recycle),
            ("check_policy", idle_for),
        ] {
            let Some(value) = value else {
                continue;
            };
            builder = match field {
                "acquire_timeout" => builder.acquire_timeout(value),
                "connect_timeout" => builder.connect_timeout(value),
                "check_timeout" => builder.check_timeout(value),
                "recycle_timeout" => builder.recycle_timeout(value),
                "close_timeout" => builder.close_timeout(value),
                "pool_recycle" => builder.pool_recycle(value),
                _ => builder.check_policy(CheckPolicy::IdleFor(value)),
            };
            if value.is_zero() {
                wrong.push(field);
            }
        }
        match builder.build_lazy() {
            Ok(pool) => {
                prop_assert!(wrong.is_empty(), "{:?} were accepted", wrong);
                prop_assert_eq!((pool.minsize(), pool.maxsize(), pool.echo()), (minsize, maxsize, echo));
                // It works: a time as long as can be is no reason to fail, or to wait.
                let held = stage.run(pool.acquire());
                prop_assert!(held.is_ok(), "{:?}", held.err());
                drop(held);
                serves_all_it_may(&stage, &pool)?;
            }
            Err(Error::Config(error)) => {
                prop_assert!(wrong.contains(&error.field()), "{}, and {:?} are wrong", error, wrong);
                prop_assert!(error.to_string().starts_with(error.field()), "{}", error);
            }
            Err(other) => prop_assert!(false, "it must be a ConfigError: {}", other),
        }
    }
}

/// As many as `maxsize` can be held at once, and not one more.
fn serves_all_it_may(stage: &Stage, pool: &Pool<FakeManager>) -> Result<(), TestCaseError> {
    let held: Vec<_> = (0..pool.maxsize())
        .map(|_| stage.run(pool.acquire()))
        .collect();
    prop_assert!(held.iter().all(Result::is_ok), "{}", pool.status());
    prop_assert!(pool.maxsize() == 0 || pool.try_acquire().is_err());
    Ok(())
}
