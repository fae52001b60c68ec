//! Acquires that are cancelled.

use std::time::Duration;

use crate::peer::{Offer, Settings};
use crate::runner::Scenario;
use crate::server::{Gate, Step};
use crate::world::{Check, World, expect, let_settle, wait_at_most, wait_until};

pub(crate) const ALL: &[Scenario] = &[
    Scenario::new("P01", "woken waiter is dropped before its poll", |w| {
        Box::pin(woken_waiter_dropped(w, false))
    }),
    Scenario::new("P01b", "the same, after a discard", |w| {
        Box::pin(woken_waiter_dropped(w, true))
    })
    .needs(&[Offer::Discard]),
    Scenario::new("P02", "head of the queue is cancelled", |w| {
        Box::pin(head_cancelled(w))
    }),
    Scenario::new("P02b", "served, but the result is dropped", |w| {
        Box::pin(result_dropped(w))
    }),
    Scenario::new("P03", "cancelled during a check", |w| {
        Box::pin(cancelled_in_check(w, Some(Duration::from_millis(200))))
    })
    .needs(&[Offer::Check]),
    Scenario::new("P03c", "the same, with no limit for the check", |w| {
        Box::pin(cancelled_in_check(w, None))
    })
    .needs(&[Offer::Check]),
    Scenario::new("P03b", "cancelled during a connect", |w| {
        Box::pin(cancelled_in_connect(w))
    }),
    Scenario::new("P03d", "cancelled during a connect that never ends", |w| {
        Box::pin(connect_never_ends(w, Some(Duration::from_millis(200))))
    }),
    Scenario::new("P03e", "the same, with no limit for the connect", |w| {
        Box::pin(connect_never_ends(w, None))
    }),
    Scenario::new(
        "P07",
        "50 cancelled acquires beside an idle connection",
        |w| Box::pin(many_cancelled(w)),
    )
    .needs(&[Offer::Check]),
    Scenario::new("P08", "storm of 200 acquires with short time-outs", |w| {
        Box::pin(storm(w))
    })
    .on_two_threads(),
    Scenario::new("(a)", "cancelled after its k-th poll, for each k", |w| {
        Box::pin(cancelled_at_each_poll(w))
    }),
];

async fn woken_waiter_dropped(w: World, discard: bool) -> Check {
    let pool = w.open(Settings::of(1)).await?;
    let held = pool.served("the first acquire").await?;
    let mut woken = pool.probe();
    woken.must_wait()?;
    let mut next = pool.probe();
    next.must_wait()?;
    match discard {
        true => held.discard(),
        false => drop(held),
    }
    // A pool that wakes nobody here may still serve the next one.
    wait_at_most(Duration::from_millis(500), &mut || woken.wakes() > 0).await;
    drop(woken);
    drop(next.served("the waiter behind a dropped one").await?);
    pool.is_whole().await
}

async fn head_cancelled(w: World) -> Check {
    let pool = w.open(Settings::of(1)).await?;
    let held = pool.served("the first acquire").await?;
    let mut waiters = [pool.probe(), pool.probe(), pool.probe()];
    for waiter in &mut waiters {
        waiter.must_wait()?;
    }
    let [head, mut second, mut third] = waiters;
    drop(head);
    drop(held);
    drop(second.served("the waiter behind a cancelled head").await?);
    drop(third.served("the last waiter").await?);
    pool.is_whole().await
}

async fn result_dropped(w: World) -> Check {
    let pool = w.open(Settings::of(1)).await?;
    let held = pool.served("the first acquire").await?;
    let mut first = pool.probe();
    first.must_wait()?;
    let mut second = pool.probe();
    second.must_wait()?;
    drop(held);
    let result = first.served("the first waiter").await?;
    drop(first);
    drop(result);
    drop(second.served("the second waiter").await?);
    pool.is_whole().await
}

async fn cancelled_in_check(w: World, limit: Option<Duration>) -> Check {
    let mut settings = Settings::of(1);
    settings.step_timeout = limit;
    let pool = w.open(settings).await?;
    drop(pool.served("the first acquire").await?);
    let_settle().await;
    let checks = w.server.checks();
    w.server.set_check(Step::Pend);
    let mut acquire = pool.probe();
    acquire.must_wait()?;
    expect(
        wait_until(|| w.server.checks() > checks).await,
        "the idle connection is not checked",
    )?;
    drop(acquire);
    w.server.set_check(Step::Ok);
    pool.is_whole().await
}

async fn cancelled_in_connect(w: World) -> Check {
    let pool = w.open(Settings::of(1)).await?;
    let gate = Gate::new();
    w.server.set_connect(Step::Gate(gate.clone()));
    let mut acquire = pool.probe();
    acquire.must_wait()?;
    expect(
        wait_until(|| w.server.attempts() > 0).await,
        "no connect starts",
    )?;
    drop(acquire);
    w.server.set_connect(Step::Ok);
    gate.open();
    pool.is_whole().await
}

async fn connect_never_ends(w: World, limit: Option<Duration>) -> Check {
    let mut settings = Settings::of(1);
    settings.step_timeout = limit;
    let pool = w.open(settings).await?;
    w.server.set_connect(Step::Pend);
    let mut acquire = pool.probe();
    acquire.must_wait()?;
    expect(
        wait_until(|| w.server.attempts() > 0).await,
        "no connect starts",
    )?;
    drop(acquire);
    w.server.set_connect(Step::Ok);
    if limit.is_some() {
        // A pool that lets the connect go on ends it at its limit.
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    pool.is_whole().await
}

async fn many_cancelled(w: World) -> Check {
    let pool = w.open(Settings::of(5)).await?;
    drop(pool.served("the first acquire").await?);
    let_settle().await;
    w.server.set_check(Step::Yield(2));
    for _ in 0..50 {
        let mut acquire = pool.probe();
        drop(acquire.poll());
        drop(acquire);
        tokio::task::yield_now().await;
    }
    w.server.set_check(Step::Ok);
    pool.is_whole().await
}

async fn storm(w: World) -> Check {
    let pool = w.open(Settings::of(10)).await?;
    w.server.set_connect(Step::Yield(1));
    w.server.set_check(Step::Yield(1));
    let tasks = (0..200_u64).map(|task| {
        let pool = pool.clone();
        tokio::spawn(async move {
            for round in 0..20_u64 {
                let limit = Duration::from_micros((task * 37 + round * 101) % 400);
                if let Ok(Ok(lease)) = tokio::time::timeout(limit, pool.acquire()).await {
                    tokio::task::yield_now().await;
                    drop(lease);
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        crate::world::bounded("the storm", task)
            .await?
            .map_err(|error| crate::world::Fault::Fail(error.to_string()))?;
    }
    pool.is_whole().await
}

async fn cancelled_at_each_poll(w: World) -> Check {
    for maxsize in [1, 2, 5] {
        for polls in 0..12 {
            let w = World {
                server: crate::server::Server::default(),
                kind: w.kind,
            };
            let pool = w.open(Settings::of(maxsize)).await?;
            w.server.set_connect(Step::Yield(2));
            w.server.set_check(Step::Yield(2));
            w.server.set_recycle(Step::Yield(2));
            // First with nothing idle, then with an idle connection.
            for _ in 0..2 {
                let mut acquire = pool.probe();
                for _ in 0..polls {
                    if acquire.poll().is_some() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
                drop(acquire);
                drop(pool.served("the acquire after a cancelled one").await?);
            }
            pool.is_whole().await?;
        }
    }
    Ok(())
}
