//! Connects that fail, and limits of time.

use std::time::{Duration, Instant};

use crate::peer::{Offer, Settings};
use crate::runner::Scenario;
use crate::server::Step;
use crate::world::{Check, World, bounded, expect, let_settle};

pub(crate) const ALL: &[Scenario] = &[
    Scenario::new(
        "P69",
        "a connect error reaches the caller with its cause",
        |w| Box::pin(cause_shown(w)),
    ),
    Scenario::new("P70", "10 callers, each connect fails: few attempts", |w| {
        Box::pin(few_attempts(w))
    }),
    Scenario::new("P22", "outage with broken idle connections", |w| {
        Box::pin(outage(w))
    }),
    Scenario::new("P100i", "acquire time-out while it waits", |w| {
        Box::pin(in_time(w, Stuck::Wait))
    })
    .needs(&[Offer::AcquireTimeout]),
    Scenario::new("P100ii", "acquire time-out while connect hangs", |w| {
        Box::pin(in_time(w, Stuck::Connect))
    })
    .needs(&[Offer::AcquireTimeout]),
    Scenario::new("P100iii", "acquire time-out while check hangs", |w| {
        Box::pin(in_time(w, Stuck::Check))
    })
    .needs(&[Offer::AcquireTimeout, Offer::Check]),
];

async fn cause_shown(w: World) -> Check {
    let mut settings = Settings::of(2);
    settings.acquire_timeout = Duration::from_millis(500);
    let pool = w.open(settings).await?;
    w.server.set_connect(Step::Err);
    let got = bounded("an acquire", pool.acquire()).await?;
    let error = got.err().unwrap_or_default();
    expect(
        error.contains("connect was refused"),
        format!("the caller sees only \"{error}\""),
    )
}

async fn few_attempts(w: World) -> Check {
    let mut settings = Settings::of(10);
    settings.acquire_timeout = Duration::from_millis(500);
    let pool = w.open(settings).await?;
    w.server.set_connect(Step::Err);
    let callers = (0..10).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move { pool.acquire().await.map(drop) })
    });
    for caller in callers.collect::<Vec<_>>() {
        let ended = bounded("an acquire", caller).await?;
        expect(
            matches!(ended, Ok(Err(_))),
            "an acquire succeeds without a server",
        )?;
    }
    let attempts = w.server.attempts();
    // One for each caller, and a few more by the pool itself.
    expect(
        attempts <= 40,
        "more than 4 connects for each caller in half a second",
    )?;
    w.server.set_connect(Step::Ok);
    pool.is_whole().await
}

async fn outage(w: World) -> Check {
    let mut settings = Settings::of(4);
    settings.acquire_timeout = Duration::from_millis(200);
    let pool = w.open(settings).await?;
    let mut leases = Vec::new();
    for _ in 0..4 {
        leases.push(pool.served("an acquire").await?);
    }
    w.server.set_connect(Step::Err);
    for lease in &leases {
        lease.connection().cut();
    }
    drop(leases);
    for _ in 0..3 {
        let callers = (0..20).map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.acquire().await.map(drop) })
        });
        for caller in callers.collect::<Vec<_>>() {
            let ended = bounded("an acquire in the outage", caller).await?;
            expect(ended.is_ok(), "an acquire panics")?;
        }
    }
    w.server.set_connect(Step::Ok);
    // A pool may pause between its connects. All of these pause for less than this.
    let start = Instant::now();
    while pool.acquire().await.map(drop).is_err() {
        expect(
            start.elapsed() < Duration::from_secs(3),
            "no acquire succeeds within 3 s after the outage",
        )?;
    }
    let_settle().await;
    pool.is_whole().await
}

#[derive(Clone, Copy)]
enum Stuck {
    Wait,
    Connect,
    Check,
}

async fn in_time(w: World, stuck: Stuck) -> Check {
    let mut settings = Settings::of(1);
    settings.acquire_timeout = Duration::from_millis(200);
    settings.step_timeout = Some(Duration::from_millis(200));
    let pool = w.open(settings).await?;
    let mut held = None;
    match stuck {
        Stuck::Connect => w.server.set_connect(Step::Delay(Duration::from_secs(1))),
        Stuck::Wait => held = Some(pool.served("the first acquire").await?),
        Stuck::Check => {
            drop(pool.served("the first acquire").await?);
            let_settle().await;
            w.server.set_check(Step::Pend);
        }
    }
    let start = Instant::now();
    let got = bounded("an acquire with a time-out", pool.acquire()).await?;
    let took = start.elapsed();
    // After a check that hangs, a pool may also connect anew in time.
    expect(
        got.is_err() || matches!(stuck, Stuck::Check),
        "an acquire succeeds although everything hangs",
    )?;
    expect(
        took < Duration::from_millis(900),
        "the time-out of 200 ms is not kept",
    )?;
    drop((got, held));
    w.server.set_connect(Step::Ok);
    w.server.set_check(Step::Ok);
    // A connect that a pool has left running ends within a second.
    tokio::time::sleep(Duration::from_millis(1000)).await;
    pool.is_whole().await
}
