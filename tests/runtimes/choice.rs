//! Which runtime a pool uses: one of its own, none, or the one of the context.

use super::*;

#[test]
fn a_runtime_of_ones_own_serves_as_well() {
    within(MINUTE, "own runtime", || {
        let runtime = OwnThread::start();
        let spawned = Arc::clone(&runtime.spawned);
        let (builder, control) = fake(3);
        block_on(one_body(builder.runtime(runtime), control));
        assert!(spawned.load(Ordering::SeqCst) > 0, "it was asked");
    });
}

/// A runtime that refuses every task, or panics over it, or drops it at once, is one without a spawner.
#[test]
fn a_runtime_that_takes_no_task_is_one_without_a_spawner() {
    #[derive(Clone, Copy, Debug)]
    enum Manner {
        Refuses,
        Panics,
        DropsIt,
    }
    struct Unwilling(Manner);
    impl Runtime for Unwilling {
        fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
            match self.0 {
                Manner::Refuses => Err(NoSpawner),
                Manner::Panics => panic!("scripted: the runtime panics"),
                Manner::DropsIt => {
                    drop(task);
                    Ok(())
                }
            }
        }
        fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
            ThreadTimer::new().sleep_until(at)
        }
        fn now(&self) -> Instant {
            Instant::now()
        }
    }
    for manner in [Manner::Refuses, Manner::Panics, Manner::DropsIt] {
        within(MINUTE, &format!("{manner:?}"), move || {
            let (builder, control) = fake(3);
            block_on(one_body(builder.runtime(Unwilling(manner)), control));
        });
    }
}

/// A returned connection is recycled in the background, without another acquire.
async fn recycles_in_the_background(builder: Builder<FakeManager>, control: FakeControl) {
    let pool = builder.build().await.unwrap();
    drop(pool.acquire().await.unwrap());
    settle_until(&pool, 1, || control.recycles()).await;
}

/// A returned connection waits for the next acquire: there are no background tasks.
async fn recycles_in_the_next_acquire(builder: Builder<FakeManager>, control: FakeControl) {
    let pool = builder.build().await.unwrap();
    drop(pool.acquire().await.unwrap());
    assert_eq!((pool.freesize(), control.recycles()), (1, 0));
    drop(pool.acquire().await.unwrap());
    assert_eq!(control.recycles(), 1);
}

/// In this build the adapters of all runtimes are there, and tokio and async-std are found where they are current.
#[test]
fn tokio_and_async_std_are_found_where_they_are_current() {
    for flavour in [
        Flavour::TokioThreads,
        Flavour::TokioCurrent,
        Flavour::AsyncStd,
    ] {
        within(MINUTE, &format!("{flavour:?}"), move || {
            let (builder, control) = fake(1);
            flavour.run(recycles_in_the_background(builder, control));
        });
    }
}

/// The feature `smol` must not change the runtime of pools elsewhere, so smol is used only where it is named.
#[test]
fn smol_is_used_only_where_it_is_named() {
    for flavour in [Flavour::Smol, Flavour::Bare] {
        within(MINUTE, &format!("{flavour:?}"), move || {
            let (builder, control) = fake(1);
            flavour.run(recycles_in_the_next_acquire(builder, control));
            let (builder, control) = fake(1);
            let builder = builder.runtime(SmolRuntime::new());
            flavour.run(recycles_in_the_background(builder, control));
        });
    }
}

/// The virtual runtime and its twin without a spawner share one clock.
#[test]
fn a_stage_without_a_spawner_has_the_same_clock() {
    let stage = Stage::bare();
    let start = stage.now();
    stage.advance(Duration::from_secs(3));
    assert_eq!(stage.now() - start, Duration::from_secs(3));
    assert_eq!(stage.runtime().spawn(Box::pin(async {})), Err(NoSpawner));
    assert_eq!(
        Stage::spawning().runtime().spawn(Box::pin(async {})),
        Ok(())
    );
}
