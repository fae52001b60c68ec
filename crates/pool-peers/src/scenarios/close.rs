//! Close.

use std::time::Duration;

use crate::peer::{Offer, Settings};
use crate::runner::Scenario;
use crate::server::{Gate, Step};
use crate::world::{Check, World, bounded, expect, let_settle, wait_until};

pub(crate) const ALL: &[Scenario] = &[
    Scenario::new("P05", "close after a cancelled wait", |w| {
        Box::pin(after_cancelled(w))
    })
    .needs(&[Offer::WaitClosed]),
    Scenario::new("P58", "close during a connect", |w| {
        Box::pin(during_connect(w))
    })
    .needs(&[Offer::WaitClosed]),
    Scenario::new("P59", "closed means that no connection is open", |w| {
        Box::pin(nothing_open(w))
    })
    .needs(&[Offer::WaitClosed]),
    Scenario::new("P59b", "close ends the waits with an error", |w| {
        Box::pin(waits_end(w))
    })
    .needs(&[Offer::Close]),
    Scenario::new(
        "P59c",
        "close beside tasks that acquire again and again",
        |w| Box::pin(beside_loops(w)),
    )
    .needs(&[Offer::WaitClosed]),
    Scenario::new("P59d", "close, with a connection in use", |w| {
        Box::pin(with_one_in_use(w))
    })
    .needs(&[Offer::Close]),
];

async fn after_cancelled(w: World) -> Check {
    let pool = w.open(Settings::of(1)).await?;
    let held = pool.served("the first acquire").await?;
    let mut waiter = pool.probe();
    waiter.must_wait()?;
    drop(waiter);
    drop(held);
    bounded("close", pool.close()).await?;
    expect(w.server.live() == 0, "a connection is open after close")
}

async fn during_connect(w: World) -> Check {
    for connects in 1..=3 {
        let w = World {
            server: crate::server::Server::default(),
            kind: w.kind,
        };
        let pool = w.open(Settings::of(3)).await?;
        let gate = Gate::new();
        w.server.set_connect(Step::Gate(gate.clone()));
        let acquires: Vec<_> = (0..connects)
            .map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move { pool.acquire().await.map(drop) })
            })
            .collect();
        expect(
            wait_until(|| w.server.attempts() >= connects).await,
            "the connects do not start",
        )?;
        let closing = tokio::spawn(pool.close());
        let_settle().await;
        gate.open();
        let closed = bounded("close", closing).await?;
        expect(closed.is_ok(), "close panics")?;
        for acquire in acquires {
            let ended = bounded("an acquire of a closed pool", acquire).await?;
            expect(ended.is_ok(), "an acquire panics")?;
        }
        expect(
            wait_until(|| w.server.live() == 0).await,
            "a connection stays open after close",
        )?;
    }
    Ok(())
}

async fn nothing_open(w: World) -> Check {
    let pool = w.open(Settings::of(5)).await?;
    let mut leases = Vec::new();
    for _ in 0..5 {
        leases.push(pool.served("an acquire").await?);
    }
    leases.truncate(2);
    let_settle().await;
    let closing = tokio::spawn(pool.close());
    let_settle().await;
    drop(leases);
    let closed = bounded("close", closing).await?;
    expect(closed.is_ok(), "close panics")?;
    let live = w.server.live();
    expect(
        live == 0,
        format!("{live} connections are open after close"),
    )
}

async fn waits_end(w: World) -> Check {
    let pool = w.open(Settings::of(1)).await?;
    let held = pool.served("the first acquire").await?;
    let user = pool.clone();
    let waiting = tokio::spawn(async move { user.acquire().await.map(drop) });
    let_settle().await;
    let closing = tokio::spawn(pool.close());
    let ended = bounded("a wait in a closed pool", waiting).await?;
    expect(
        matches!(ended, Ok(Err(_))),
        "a wait in a closed pool does not end with an error",
    )?;
    let later = bounded("an acquire after close", pool.acquire()).await?;
    expect(later.is_err(), "a closed pool serves an acquire")?;
    drop(held);
    expect(bounded("close", closing).await?.is_ok(), "close panics")
}

async fn beside_loops(w: World) -> Check {
    let pool = w.open(Settings::of(2)).await?;
    let loops: Vec<_> = (0..6)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                while let Ok(lease) = pool.acquire().await {
                    tokio::task::yield_now().await;
                    drop(lease);
                }
            })
        })
        .collect();
    let_settle().await;
    bounded("close", pool.close()).await?;
    for user in loops {
        let ended = bounded("a loop of acquires", user).await?;
        expect(ended.is_ok(), "an acquire panics")?;
    }
    expect(w.server.live() == 0, "a connection is open after close")
}

async fn with_one_in_use(w: World) -> Check {
    let pool = w.open(Settings::of(2)).await?;
    let held = pool.served("the first acquire").await?;
    let closing = tokio::spawn(pool.close());
    tokio::time::sleep(Duration::from_millis(20)).await;
    expect(
        w.server.live() == 1,
        "close takes a connection that is in use",
    )?;
    drop(held);
    expect(bounded("close", closing).await?.is_ok(), "close panics")?;
    expect(
        wait_until(|| w.server.live() == 0).await,
        "a connection that comes back to a closed pool stays open",
    )
}
