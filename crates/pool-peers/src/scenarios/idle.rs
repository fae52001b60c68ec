//! Connections that are idle for too long.

use std::time::{Duration, Instant};

use crate::peer::{Offer, Settings};
use crate::runner::Scenario;
use crate::server::{Gate, Step};
use crate::world::{Check, World, expect, let_settle, wait_until};

pub(crate) const ALL: &[Scenario] = &[
    Scenario::new("P32", "idle ones expire while an acquire waits", |w| {
        Box::pin(expire_beside_a_waiter(w))
    })
    .needs(&[Offer::Check, Offer::IdleTimeout]),
    Scenario::new("P82", "idle time-out against minsize, no traffic", |w| {
        Box::pin(against_minsize(w))
    })
    .needs(&[Offer::Minsize, Offer::IdleTimeout]),
];

async fn expire_beside_a_waiter(w: World) -> Check {
    let mut settings = Settings::of(3);
    // Where it is offered: each connection that expires is opened again.
    settings.minsize = 3;
    settings.idle_timeout = Some(Duration::from_millis(150));
    let pool = w.open(settings).await?;
    let leases = [
        pool.served("an acquire").await?,
        pool.served("an acquire").await?,
        pool.served("an acquire").await?,
    ];
    drop(leases);
    let_settle().await;
    let gate = Gate::new();
    w.server.set_check(Step::Gate(gate.clone()));
    let mut waiter = pool.probe();
    waiter.must_wait()?;
    expect(
        wait_until(|| w.server.checks() > 0).await,
        "the idle connection is not checked",
    )?;
    // The others expire now, some of them more than once.
    tokio::time::sleep(Duration::from_millis(600)).await;
    w.server.set_check(Step::Ok);
    gate.open();
    drop(waiter.served("the waiter").await?);
    // They go on expiring, so the counts are not compared.
    for _ in 0..3 {
        drop(pool.served("an acquire afterwards").await?);
    }
    pool.kept_its_limits()
}

async fn against_minsize(w: World) -> Check {
    const IDLE: Duration = Duration::from_millis(300);
    let mut settings = Settings::of(3);
    settings.minsize = 1;
    settings.idle_timeout = Some(IDLE);
    let start = Instant::now();
    let pool = w.open(settings).await?;
    drop(pool.served("an acquire").await?);
    tokio::time::sleep(IDLE * 5).await;
    let made = w.server.made();
    // A pool may keep it, or open it again each time that it expires, and may look a little early.
    let most = 2 + 2 * start.elapsed().as_millis() / IDLE.as_millis();
    expect(
        u128::from(made) <= most,
        format!("{made} connections for one that is kept; {most} would be one for each time-out"),
    )?;
    drop(pool.served("an acquire afterwards").await?);
    pool.kept_its_limits()
}
