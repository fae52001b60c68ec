//! Labels: who waits for whom, as far as they tell.

use pool_core::{Error, labelled};
use support::invariants::{acquire_now, all_is_well};
use support::{FakeError, FakePool, Probe, Stage, yield_now};

use super::{SECOND, error_of};

#[test]
fn a_nested_acquire_is_named_with_both_places() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.acquire_timeout(5 * SECOND).build_lazy().unwrap();
        let task = |label: &'static str| {
            let pool = pool.clone();
            labelled(label, async move {
                let first = pool.acquire().await?;
                yield_now().await;
                let second = pool.acquire().await?;
                drop((first, second));
                Ok::<(), Error<FakeError>>(())
            })
        };
        let lines = (line!() - 7, line!() - 5);
        let mut tasks = [
            Probe::pending(task("request 1")),
            Probe::pending(task("request 2")),
        ];
        assert!(!stage.drive(&mut tasks));
        stage.advance(5 * SECOND);
        stage.drive(&mut tasks);
        let error = tasks[0].take().expect_err("it waits for itself");
        assert!(error.is_nested());
        let named = error.nested().expect("it is nested");
        assert_eq!(named.label(), "request 1");
        let places = (named.holds_since().line(), named.waits_at().line());
        assert_eq!(places, lines);
        let text = error.to_string();
        let nested = format!(
            "every holder waits for another connection of this pool: \"request 1\" holds one since {0}:{1} and waits at {0}:{2}",
            file!(),
            lines.0,
            lines.1
        );
        assert!(text.contains(&nested), "{text}");
        assert_eq!(text.lines().count(), 2);
        drop(tasks);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_holder_that_does_not_wait_is_no_nested_acquire() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.acquire_timeout(5 * SECOND).build_lazy().unwrap();
        let busy = stage.run(pool.acquire().label("busy")).unwrap();
        let mine = stage.run(pool.acquire().label("mine")).unwrap();
        let mut late = Probe::pending(pool.acquire().label("mine"));
        stage.advance(5 * SECOND);
        assert!(late.poll_until_stalled(stage));
        assert!(!error_of(late.take()).is_nested());
        drop((busy, mine, late));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_label_of_the_task_is_taken_unless_the_acquire_has_its_own() {
    let stage = &Stage::spawning();
    let (builder, control) = stage.pool(2);
    let pool = builder.build_lazy().unwrap();
    let (one, two) = stage.run(labelled("task", async {
        let one = pool.acquire().await.unwrap();
        let two = labelled("inner", pool.acquire().label("own"))
            .await
            .unwrap();
        (one, two)
    }));
    let labels: Vec<_> = pool
        .borrowed()
        .iter()
        .map(|b| b.label().map(str::to_owned))
        .collect();
    assert_eq!(labels, [Some("task".to_owned()), Some("own".to_owned())]);
    drop((one, two));
    let none = acquire_now(stage, &pool);
    assert_eq!(pool.borrowed()[0].label(), None);
    drop(none);
    all_is_well(stage, pool, &control);
}

/// Holds a connection and asks for another one; each acquire has a label of its own.
async fn two_of(pool: FakePool) -> Result<(), Error<FakeError>> {
    let first = pool.acquire().label("orders").await?;
    yield_now().await;
    let second = pool.acquire().label("stock").timeout(5 * SECOND).await?;
    drop((first, second));
    Ok(())
}

#[test]
fn a_nested_acquire_is_found_although_its_acquires_have_labels() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let mut task = Probe::pending(labelled("request 7", two_of(pool.clone())));
        assert!(!task.poll_until_stalled(stage));
        stage.advance(5 * SECOND);
        assert!(task.poll_until_stalled(stage), "HANG");
        let error = task.take().expect_err("it waits for itself");
        let nested = error.nested().expect("it is nested");
        assert_eq!(nested.label(), "request 7");
        assert_eq!(nested.waits_at().line(), nested.holds_since().line() + 2);
        drop(task);
        all_is_well(stage, pool, &control);
    });
}

/// One works, and another one that does the same waits: nobody waits for himself.
#[test]
fn tasks_with_the_same_label_are_not_taken_for_one() {
    Stage::each_virtual(|stage| {
        for by_task in [false, true] {
            let (builder, control) = stage.pool(2);
            let pool = builder.acquire_timeout(5 * SECOND).build_lazy().unwrap();
            let acquire = |label: &'static str| {
                let pool = pool.clone();
                async move {
                    match by_task {
                        true => labelled(label, pool.acquire()).await,
                        false => pool.acquire().label(label).await,
                    }
                }
            };
            let held = ["purchase", "report"].map(|label| stage.run(acquire(label)).unwrap());
            let mut late = ["purchase", "report"].map(|label| Probe::polled(acquire(label)));
            stage.advance(5 * SECOND);
            assert!(stage.drive(&mut late), "HANG");
            for late in &mut late {
                assert!(!error_of(late.take()).is_nested());
            }
            drop((held, late));
            all_is_well(stage, pool, &control);
        }
    });
}

/// Many tasks do the same and say so. That two of them hold all places while a third waits is no mistake of theirs.
#[test]
fn a_label_that_many_share_tells_nothing_of_who_waits() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.acquire_timeout(5 * SECOND).build_lazy().unwrap();
        let held = [(); 2].map(|()| stage.run(pool.acquire().label("purchase")).unwrap());
        let mut late = Probe::pending(pool.acquire().label("purchase"));
        stage.advance(5 * SECOND);
        assert!(late.poll_until_stalled(stage));
        assert!(!error_of(late.take()).is_nested());
        drop((held, late));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_label_with_a_line_break_is_one_line() {
    let stage = &Stage::spawning();
    let (builder, control) = stage.pool(1);
    let pool = builder.build_lazy().unwrap();
    let held = stage.run(pool.acquire().label("a\nb")).unwrap();
    let text = pool.borrowed()[0].to_string();
    assert!(text.ends_with("(a\\nb)"), "{text}");
    drop(held);
    all_is_well(stage, pool, &control);
}
