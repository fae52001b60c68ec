//! What is left behind.

use std::time::Duration;

use crate::peer::Settings;
use crate::runner::Scenario;
use crate::world::{Check, World, expect, let_settle, wait_until};

pub(crate) const ALL: &[Scenario] = &[
    Scenario::new("P102", "5000 acquires that time out leave nothing", |w| {
        Box::pin(timed_out(w))
    }),
    Scenario::new("P102b", "last handle dropped closes all connections", |w| {
        Box::pin(last_handle(w))
    }),
    Scenario::new("P102c", "last handle dropped before the guard", |w| {
        Box::pin(guard_outlives(w))
    }),
];

async fn timed_out(w: World) -> Check {
    let pool = w.open(Settings::of(1)).await?;
    let held = pool.served("the first acquire").await?;
    for _ in 0..50 {
        let mut waiters: Vec<_> = (0..100).map(|_| pool.probe()).collect();
        for waiter in &mut waiters {
            waiter.must_wait()?;
        }
        drop(waiters);
    }
    drop(held);
    pool.is_whole().await
}

async fn last_handle(w: World) -> Check {
    let pool = w.open(Settings::of(3)).await?;
    let leases = [
        pool.served("an acquire").await?,
        pool.served("an acquire").await?,
    ];
    drop(leases);
    let_settle().await;
    drop(pool);
    expect(
        wait_until(|| w.server.live() == 0).await,
        "connections stay open after the last handle is dropped",
    )
}

async fn guard_outlives(w: World) -> Check {
    let pool = w.open(Settings::of(2)).await?;
    let lease = pool.served("an acquire").await?;
    drop(pool);
    tokio::time::sleep(Duration::from_millis(20)).await;
    expect(w.server.live() == 1, "the connection in use is closed")?;
    drop(lease);
    expect(
        wait_until(|| w.server.live() == 0).await,
        "the last connection stays open",
    )
}
