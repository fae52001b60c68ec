//! The order of the waiters.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::peer::Settings;
use crate::runner::Scenario;
use crate::world::{Check, Fault, World, bounded, expect, let_settle, wait_until};

pub(crate) const ALL: &[Scenario] = &[
    Scenario::new("P50", "late arrival overtakes a woken waiter", |w| {
        Box::pin(late_arrival(w))
    }),
    Scenario::new("P50b", "waiters are served in the order of arrival", |w| {
        Box::pin(order_of_arrival(w))
    }),
    Scenario::new("P50a", "one connection, released twice", |w| {
        Box::pin(released_twice(w))
    }),
    Scenario::new("P53", "50 tasks share 5 connections evenly", |w| {
        Box::pin(even_shares(w))
    }),
];

async fn late_arrival(w: World) -> Check {
    let pool = w.open(Settings::of(1)).await?;
    let held = pool.served("the first acquire").await?;
    let mut waiter = pool.probe();
    waiter.must_wait()?;
    drop(held);
    expect(
        wait_until(|| waiter.wakes() > 0).await,
        "the waiter is not woken",
    )?;
    let_settle().await;
    let mut late = pool.probe();
    expect(
        late.poll().is_none(),
        "a late arrival gets the connection before the woken waiter",
    )?;
    drop(waiter.served("the waiter").await?);
    drop(late.served("the late arrival").await?);
    pool.is_whole().await
}

async fn order_of_arrival(w: World) -> Check {
    let pool = w.open(Settings::of(1)).await?;
    let held = pool.served("the first acquire").await?;
    let served = Arc::new(AtomicUsize::new(0));
    let mut users = Vec::new();
    for place in 0..6 {
        let (pool, served) = (pool.clone(), Arc::clone(&served));
        users.push(tokio::spawn(async move {
            let lease = pool.acquire().await?;
            let turn = served.fetch_add(1, SeqCst);
            drop(lease);
            Ok::<_, String>((place, turn))
        }));
        // The task is in the queue before the next one starts.
        let_settle().await;
    }
    drop(held);
    for user in users {
        let (place, turn) = bounded("a waiter", user)
            .await?
            .map_err(|error| Fault::Fail(error.to_string()))?
            .map_err(Fault::Fail)?;
        expect(place == turn, "a waiter overtakes another one")?;
    }
    pool.is_whole().await
}

/// The guards of all pools are values that a release consumes: what cannot be written cannot fail.
async fn released_twice(w: World) -> Check {
    let pool = w.open(Settings::of(2)).await?;
    let lease = pool.served("an acquire").await?;
    drop(lease);
    pool.is_whole().await
}

async fn even_shares(w: World) -> Check {
    const TASKS: usize = 50;
    const ROUNDS: usize = 10_000;
    let pool = w.open(Settings::of(5)).await?;
    let total = Arc::new(AtomicUsize::new(0));
    let users = (0..TASKS).map(|_| {
        let (pool, total) = (pool.clone(), Arc::clone(&total));
        tokio::spawn(async move {
            let mut own = 0_usize;
            while total.fetch_add(1, SeqCst) < ROUNDS {
                let lease = pool.acquire().await?;
                own += 1;
                tokio::task::yield_now().await;
                drop(lease);
            }
            Ok::<_, String>(own)
        })
    });
    let mut shares = Vec::new();
    for user in users.collect::<Vec<_>>() {
        let share = bounded("a task", user)
            .await?
            .map_err(|error| Fault::Fail(error.to_string()))?
            .map_err(Fault::Fail)?;
        shares.push(share);
    }
    let least = shares.iter().min().copied().unwrap_or(0);
    let most = shares.iter().max().copied().unwrap_or(0);
    expect(
        most * 10 <= least * 12 + 20,
        "one task is served more than 1.2 times as often as another one",
    )?;
    pool.is_whole().await
}
