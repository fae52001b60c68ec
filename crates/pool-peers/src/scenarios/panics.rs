//! Panics in the caller, in the steps, in the drop of a connection and in a waker.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::peer::{Offer, Settings};
use crate::runner::Scenario;
use crate::server::Step;
use crate::world::{Check, World, bounded, let_settle, wait_at_most};

pub(crate) const ALL: &[Scenario] = &[
    Scenario::new(
        "P64",
        "30 callers panic while they hold a connection",
        |w| Box::pin(caller(w)),
    ),
    Scenario::new("P67i", "connect panics", |w| {
        Box::pin(step(w, Where::Connect))
    }),
    Scenario::new("P67ii", "check panics", |w| Box::pin(step(w, Where::Check)))
        .needs(&[Offer::Check]),
    Scenario::new("P67iii", "recycle panics", |w| {
        Box::pin(step(w, Where::Recycle))
    })
    .needs(&[Offer::Recycle]),
    Scenario::new("P67iv", "drop of a broken connection panics", |w| {
        Box::pin(connection_drop(w))
    }),
    Scenario::new("P67v", "a waiter's waker panics", |w| Box::pin(waker(w))),
];

async fn caller(w: World) -> Check {
    let pool = w.open(Settings::of(3)).await?;
    for _ in 0..30 {
        let user = pool.clone();
        let crashed = tokio::spawn(async move {
            let _lease = user.acquire().await;
            panic!("the caller panics");
        });
        // The panic is the caller's own.
        let _ = bounded("a task that panics", crashed).await?;
    }
    pool.is_whole().await
}

#[derive(Clone, Copy)]
enum Where {
    Connect,
    Check,
    Recycle,
}

async fn step(w: World, place: Where) -> Check {
    let mut settings = Settings::of(2);
    settings.acquire_timeout = Duration::from_millis(600);
    let pool = w.open(settings).await?;
    if !matches!(place, Where::Connect) {
        drop(pool.served("the first acquire").await?);
        let_settle().await;
    }
    let set = |step: Step| match place {
        Where::Connect => w.server.set_connect(step),
        Where::Check => w.server.set_check(step),
        Where::Recycle => w.server.set_recycle(step),
    };
    set(Step::Panic);
    for _ in 0..6 {
        let user = pool.clone();
        let acquire = tokio::spawn(async move { user.acquire().await.map(drop) });
        // The panic may reach the caller: only what is left behind counts.
        let _ = bounded("an acquire while a step panics", acquire).await?;
        let_settle().await;
    }
    set(Step::Ok);
    pool.is_whole().await
}

async fn connection_drop(w: World) -> Check {
    let pool = w.open(Settings::of(1)).await?;
    for _ in 0..3 {
        let lease = pool.served("an acquire").await?;
        lease.connection().cut();
        w.server.panic_in_next_drop();
        // The panic is the connection's own, and it may reach the caller.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(lease)));
        let user = pool.clone();
        let next = tokio::spawn(async move { user.acquire().await.map(drop) });
        let _ = bounded("the acquire after the panic", next).await?;
    }
    pool.is_whole().await
}

async fn waker(w: World) -> Check {
    let pool = w.open(Settings::of(1)).await?;
    let held = pool.served("the first acquire").await?;
    let mut bad = pool.probe().with_waker_that_panics();
    bad.must_wait()?;
    let mut good = pool.probe();
    good.must_wait()?;
    // The panic may reach whoever wakes.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(held)));
    wait_at_most(Duration::from_millis(300), &mut || bad.wakes() > 0).await;
    let_settle().await;
    let _ = catch_unwind(AssertUnwindSafe(|| drop(bad)));
    drop(good.served("the waiter behind a waker that panics").await?);
    pool.is_whole().await
}
