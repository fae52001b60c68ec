//! The age of connections.

use std::time::{Duration, Instant};

use crate::peer::{Offer, Settings};
use crate::runner::Scenario;
use crate::world::{Check, World, expect};

pub(crate) const ALL: &[Scenario] = &[
    Scenario::new("P78", "a busy connection also reaches its lifetime", |w| {
        Box::pin(busy_one_expires(w))
    })
    .needs(&[Offer::Lifetime]),
    Scenario::new("P97", "lifetime longer than the machine runs", |w| {
        Box::pin(long_lifetime(w))
    })
    .needs(&[Offer::Lifetime]),
];

async fn busy_one_expires(w: World) -> Check {
    let mut settings = Settings::of(1);
    settings.lifetime = Some(Duration::from_millis(100));
    let pool = w.open(settings).await?;
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1500) {
        drop(pool.served("an acquire").await?);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    expect(
        w.server.made() > 2,
        "a connection with a lifetime of 100 ms is used for 1.5 s",
    )
}

async fn long_lifetime(w: World) -> Check {
    let mut settings = Settings::of(2);
    settings.lifetime = Some(Duration::from_secs(20 * 365 * 24 * 3600));
    let pool = w.open(settings).await?;
    for _ in 0..5 {
        drop(pool.served("an acquire").await?);
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    pool.is_whole().await
}
