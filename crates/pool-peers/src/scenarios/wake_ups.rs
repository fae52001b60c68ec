//! Lost wake-ups and hangs.

use std::time::Duration;

use crate::peer::{Offer, Settings};
use crate::runner::Scenario;
use crate::server::Step;
use crate::world::{Check, Fault, World, bounded, expect, let_settle};

pub(crate) const ALL: &[Scenario] = &[
    Scenario::new("P18", "a return races with an acquire, 3000 times", |w| {
        Box::pin(return_races(w))
    })
    .on_two_threads(),
    Scenario::new("P19i", "broken on return, with a waiter", |w| {
        Box::pin(leaves_with_a_waiter(w, Leave::Broken))
    }),
    Scenario::new("P19ii", "discarded, with a waiter", |w| {
        Box::pin(leaves_with_a_waiter(w, Leave::Discarded))
    })
    .needs(&[Offer::Discard]),
    Scenario::new("P19iii", "recycle fails, with a waiter", |w| {
        Box::pin(leaves_with_a_waiter(w, Leave::RecycleFails))
    })
    .needs(&[Offer::Recycle]),
    Scenario::new("P19iv", "expired on return, with a waiter", |w| {
        Box::pin(leaves_with_a_waiter(w, Leave::Expired))
    })
    .needs(&[Offer::Lifetime]),
    Scenario::new("P19v", "recycle panics, with a waiter", |w| {
        Box::pin(leaves_with_a_waiter(w, Leave::RecyclePanics))
    })
    .needs(&[Offer::Recycle]),
    Scenario::new("P12", "recycle never ends", |w| Box::pin(recycle_hangs(w)))
        .needs(&[Offer::Recycle]),
    Scenario::new("P26", "all broken on return, 10 waiters", |w| {
        Box::pin(all_broken(w))
    }),
    Scenario::new(
        "P29",
        "two returns before the first woken waiter runs",
        |w| Box::pin(two_returns(w)),
    ),
    Scenario::new("P55", "1000 parked waiters cause no work", |w| {
        Box::pin(parked(w))
    }),
];

async fn return_races(w: World) -> Check {
    let pool = w.open(Settings::of(1)).await?;
    let race = async {
        for _ in 0..3000 {
            let users = [pool.clone(), pool.clone()]
                .map(|pool| tokio::spawn(async move { pool.acquire().await.map(drop) }));
            for user in users {
                user.await
                    .map_err(|error| Fault::Fail(error.to_string()))?
                    .map_err(Fault::Fail)?;
            }
        }
        Ok(())
    };
    match tokio::time::timeout(Duration::from_secs(10), race).await {
        Ok(done) => done?,
        Err(_) => return Err(Fault::Hang("an acquire is not woken".into())),
    }
    pool.is_whole().await
}

#[derive(Clone, Copy)]
enum Leave {
    Broken,
    Discarded,
    RecycleFails,
    Expired,
    RecyclePanics,
}

async fn leaves_with_a_waiter(w: World, leave: Leave) -> Check {
    let mut settings = Settings::of(1);
    if matches!(leave, Leave::Expired) {
        settings.lifetime = Some(Duration::from_millis(30));
    }
    let pool = w.open(settings).await?;
    let held = pool.served("the first acquire").await?;
    let first = held.connection().id;
    let mut waiter = pool.probe();
    waiter.must_wait()?;
    match leave {
        Leave::Broken => held.connection().cut(),
        Leave::RecycleFails => w.server.set_recycle(Step::Err),
        Leave::RecyclePanics => w.server.set_recycle(Step::Panic),
        Leave::Expired => tokio::time::sleep(Duration::from_millis(80)).await,
        Leave::Discarded => {}
    }
    match leave {
        Leave::Discarded => held.discard(),
        _ => drop(held),
    }
    let lease = waiter.served("the waiter").await?;
    expect(
        lease.connection().id != first,
        "the waiter gets the connection that had to leave",
    )?;
    w.server.set_recycle(Step::Ok);
    drop(lease);
    match leave {
        // It expires again while its counts are compared.
        Leave::Expired => pool.kept_its_limits(),
        _ => pool.is_whole().await,
    }
}

async fn recycle_hangs(w: World) -> Check {
    let mut settings = Settings::of(1);
    settings.step_timeout = Some(Duration::from_millis(100));
    let pool = w.open(settings).await?;
    w.server.set_recycle(Step::Pend);
    drop(pool.served("the first acquire").await?);
    let_settle().await;
    w.server.set_recycle(Step::Ok);
    drop(pool.served("the acquire behind a stuck return").await?);
    pool.is_whole().await
}

async fn all_broken(w: World) -> Check {
    let pool = w.open(Settings::of(5)).await?;
    let users = (0..10).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move {
            let lease = pool.acquire().await?;
            tokio::task::yield_now().await;
            lease.connection().cut();
            Ok::<_, String>(())
        })
    });
    for user in users.collect::<Vec<_>>() {
        bounded("an acquire", user)
            .await?
            .map_err(|error| Fault::Fail(error.to_string()))?
            .map_err(Fault::Fail)?;
    }
    pool.is_whole().await
}

async fn two_returns(w: World) -> Check {
    let pool = w.open(Settings::of(2)).await?;
    let held = (
        pool.served("the first acquire").await?,
        pool.served("the second acquire").await?,
    );
    let mut waiters = [pool.probe(), pool.probe()];
    for waiter in &mut waiters {
        waiter.must_wait()?;
    }
    drop(held);
    let mut leases = Vec::new();
    for waiter in &mut waiters {
        leases.push(waiter.served("a waiter").await?);
    }
    drop(leases);
    pool.is_whole().await
}

async fn parked(w: World) -> Check {
    let pool = w.open(Settings::of(1)).await?;
    let held = pool.served("the first acquire").await?;
    let mut waiters: Vec<_> = (0..1000).map(|_| pool.probe()).collect();
    for waiter in &mut waiters {
        waiter.must_wait()?;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let wakes: usize = waiters.iter().map(|waiter| waiter.wakes()).sum();
    expect(wakes == 0, format!("{wakes} wakes without a return"))?;
    drop(held);
    for waiter in &mut waiters {
        drop(waiter.served("a parked waiter").await?);
    }
    pool.is_whole().await
}
