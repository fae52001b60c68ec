//! Connections that the server cuts.

use crate::peer::{Offer, Settings};
use crate::runner::Scenario;
use crate::world::{Check, Lease, Pool, World, expect, let_settle};

pub(crate) const ALL: &[Scenario] = &[
    Scenario::new("P27", "all in use are cut, then returned", |w| {
        Box::pin(cut_in_use(w))
    }),
    Scenario::new("P74", "64 idle ones are cut, none is handed out", |w| {
        Box::pin(cut_while_idle(w, 64))
    })
    .needs(&[Offer::Check]),
    Scenario::new("I7", "broken one that came back is not handed out", |w| {
        Box::pin(broken_one(w))
    }),
];

async fn take_all(pool: &Pool, maxsize: usize) -> Result<Vec<Lease>, crate::world::Fault> {
    let mut leases = Vec::new();
    for _ in 0..maxsize {
        leases.push(pool.served("an acquire").await?);
    }
    Ok(leases)
}

fn none_is_broken(leases: &[Lease]) -> Check {
    let broken = leases
        .iter()
        .filter(|lease| lease.connection().is_broken())
        .count();
    expect(
        broken == 0,
        format!(
            "{broken} of {} connections that were handed out are broken",
            leases.len()
        ),
    )
}

async fn cut_in_use(w: World) -> Check {
    let pool = w.open(Settings::of(5)).await?;
    let leases = take_all(&pool, 5).await?;
    for lease in &leases {
        lease.connection().cut();
    }
    drop(leases);
    let leases = take_all(&pool, 5).await?;
    none_is_broken(&leases)?;
    drop(leases);
    pool.is_whole().await
}

async fn cut_while_idle(w: World, maxsize: usize) -> Check {
    let pool = w.open(Settings::of(maxsize)).await?;
    let leases = take_all(&pool, maxsize).await?;
    let cutters: Vec<_> = leases
        .iter()
        .map(|lease| lease.connection().cutter())
        .collect();
    drop(leases);
    let_settle().await;
    for cut in cutters {
        cut();
    }
    let leases = take_all(&pool, maxsize).await?;
    none_is_broken(&leases)?;
    drop(leases);
    pool.is_whole().await
}

async fn broken_one(w: World) -> Check {
    let pool = w.open(Settings::of(2)).await?;
    for _ in 0..10 {
        let lease = pool.served("an acquire").await?;
        none_is_broken(std::slice::from_ref(&lease))?;
        lease.connection().cut();
    }
    pool.is_whole().await
}
