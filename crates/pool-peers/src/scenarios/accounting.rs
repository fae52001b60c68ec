//! Counts that drift, and more connections than maxsize.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use crate::peer::{Offer, Settings};
use crate::runner::Scenario;
use crate::server::Step;
use crate::world::{Check, Fault, Pool, World, bounded, expect, let_settle};

pub(crate) const ALL: &[Scenario] = &[
    Scenario::new("P36", "counts, read during a storm", |w| {
        Box::pin(counts_in_a_storm(w))
    })
    .on_two_threads(),
    Scenario::new("P38", "failing checks and cut connections, 72 tasks", |w| {
        Box::pin(failing_mix(w))
    })
    .on_two_threads(),
    Scenario::new("P40i", "each return leaves the capacity", |w| {
        Box::pin(leave(w, Way::Returned))
    }),
    Scenario::new("P40ii", "each discard leaves the capacity", |w| {
        Box::pin(leave(w, Way::Discarded))
    })
    .needs(&[Offer::Discard]),
    Scenario::new("P40iii", "each broken one leaves the capacity", |w| {
        Box::pin(leave(w, Way::Broken))
    }),
    Scenario::new("P40iv", "each failed check leaves the capacity", |w| {
        Box::pin(leave(w, Way::CheckFails))
    })
    .needs(&[Offer::Check]),
    Scenario::new("P45", "burst of 10 times maxsize", |w| Box::pin(burst(w))).on_two_threads(),
    Scenario::new("P46", "filling to minsize races with acquires", |w| {
        Box::pin(filler_races(w))
    })
    .needs(&[Offer::Minsize])
    .on_two_threads(),
    Scenario::new("P48", "one caller after an outage opens few", |w| {
        Box::pin(after_outage(w))
    }),
    Scenario::new("P95", "minsize is kept after broken returns", |w| {
        Box::pin(minsize_kept(w))
    })
    .needs(&[Offer::Minsize]),
];

/// Each task acquires and returns this many times.
async fn use_much(pool: &Pool, tasks: usize, rounds: usize, cut: bool) -> Check {
    let users = (0..tasks).map(|task| {
        let pool = pool.clone();
        tokio::spawn(async move {
            for round in 0..rounds {
                let lease = pool.acquire().await?;
                tokio::task::yield_now().await;
                if cut && (task * 7 + round * 3) % 5 == 0 {
                    lease.connection().cut();
                }
            }
            Ok::<_, String>(())
        })
    });
    for user in users.collect::<Vec<_>>() {
        bounded("an acquire", user)
            .await?
            .map_err(|error| Fault::Fail(error.to_string()))?
            .map_err(Fault::Fail)?;
    }
    Ok(())
}

async fn counts_in_a_storm(w: World) -> Check {
    let pool = w.open(Settings::of(4)).await?;
    let ended = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (pool, ended) = (pool.clone(), Arc::clone(&ended));
        async move {
            let mut worst = None;
            while !ended.load(SeqCst) {
                let counts = pool.counts().await;
                if counts.size > 4 || counts.idle > counts.size {
                    worst = Some(counts);
                }
                tokio::task::yield_now().await;
            }
            worst
        }
    });
    for _ in 0..5 {
        use_much(&pool, 8, 200, false).await?;
    }
    ended.store(true, SeqCst);
    let worst = bounded("reading the counts", reader)
        .await?
        .map_err(|error| Fault::Fail(error.to_string()))?;
    if worst.is_some() {
        return Err(Fault::Fail(
            "a reader sees more idle connections than connections, or more than maxsize".into(),
        ));
    }
    pool.is_whole().await
}

async fn failing_mix(w: World) -> Check {
    let pool = w.open(Settings::of(24)).await?;
    w.server.set_connect(Step::Yield(1));
    w.server.set_recycle(Step::Yield(1));
    use_much(&pool, 72, 20, true).await?;
    pool.is_whole().await
}

#[derive(Clone, Copy)]
enum Way {
    Returned,
    Discarded,
    Broken,
    CheckFails,
}

async fn leave(w: World, way: Way) -> Check {
    let pool = w.open(Settings::of(3)).await?;
    for _ in 0..9 {
        let lease = pool.served("an acquire").await?;
        let cut = lease.connection().cutter();
        match way {
            Way::Returned | Way::CheckFails => drop(lease),
            Way::Discarded => lease.discard(),
            Way::Broken => {
                lease.connection().cut();
                drop(lease);
            }
        }
        let_settle().await;
        if matches!(way, Way::CheckFails) {
            // Cut while it is idle: the next check fails, and a new connection is sound.
            cut();
            drop(pool.served("the acquire after a failed check").await?);
        }
    }
    pool.is_whole().await
}

async fn burst(w: World) -> Check {
    let pool = w.open(Settings::of(10)).await?;
    w.server.set_connect(Step::Yield(3));
    use_much(&pool, 100, 1, false).await?;
    pool.is_whole().await
}

async fn filler_races(w: World) -> Check {
    for _ in 0..30 {
        let w = World {
            server: crate::server::Server::default(),
            kind: w.kind,
        };
        w.server.set_connect(Step::Yield(1));
        let mut settings = Settings::of(4);
        settings.minsize = 4;
        let pool = w.open(settings).await?;
        use_much(&pool, 8, 5, true).await?;
        pool.kept_its_limits()?;
    }
    Ok(())
}

async fn after_outage(w: World) -> Check {
    let mut settings = Settings::of(50);
    settings.acquire_timeout = Duration::from_millis(100);
    let pool = w.open(settings).await?;
    w.server.set_connect(Step::Err);
    for _ in 0..10 {
        expect(
            bounded("an acquire during the outage", pool.acquire())
                .await?
                .is_err(),
            "an acquire succeeds without a server",
        )?;
    }
    w.server.set_connect(Step::Ok);
    tokio::time::sleep(Duration::from_millis(500)).await;
    for _ in 0..20 {
        drop(pool.served("the caller after the outage").await?);
        let_settle().await;
    }
    let made = w.server.made();
    expect(made <= 2, format!("{made} connections for one caller"))
}

async fn minsize_kept(w: World) -> Check {
    let mut settings = Settings::of(4);
    settings.minsize = 2;
    let pool = w.open(settings).await?;
    expect(
        crate::world::wait_until(|| w.server.live() >= 2).await,
        "minsize is not reached at the start",
    )?;
    let held = [
        pool.served("an acquire").await?,
        pool.served("an acquire").await?,
    ];
    for lease in held {
        lease.connection().cut();
        drop(lease);
    }
    // Without any further acquire.
    expect(
        crate::world::wait_until(|| w.server.live() >= 2).await,
        "minsize is not restored within 3 s without a further acquire",
    )?;
    pool.kept_its_limits()
}
