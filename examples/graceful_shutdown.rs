//! Shuts a service down gracefully: it takes no new work, lets running work finish in a limited time, and aborts the rest.
//!
//! Run it with `cargo run --example graceful_shutdown`. A real service would wait for Ctrl-C. This one waits
//! until its workers are busy.

use std::error::Error;
use std::time::Duration;

use pool_mysql::{ConnectOptions, Pool, create_pool};
use tokio::sync::mpsc;
use tokio::time::timeout;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let server = examples::Server::find().map_err(|error| error.to_string())?;
    let pool = create_pool(ConnectOptions::from_url(server.url())?)
        .maxsize(4)
        .build()
        .await?;

    let (busy, mut all_busy) = mpsc::channel(4);
    let quick: Vec<_> = (0..3)
        .map(|_| tokio::spawn(work(pool.clone(), "SELECT SLEEP(0.2)", busy.clone())))
        .collect();
    let stuck = tokio::spawn(work(pool.clone(), "SELECT SLEEP(60)", busy.clone()));
    for _ in 0..4 {
        all_busy.recv().await;
    }

    // 1. No new work: from now on every acquire fails, also those that are waiting.
    pool.close();
    assert!(pool.acquire().await.is_err());

    // 2. Running work may finish.
    let drained = timeout(Duration::from_secs(2), pool.wait_closed()).await;
    for task in quick {
        task.await??;
    }

    // 3. Work that does not finish in time is aborted: the server kills its query, and the task gets an error.
    if drained.is_err() {
        println!("still busy after two seconds: {}", pool.status());
        pool.terminate();
        pool.wait_closed().await?;
    }
    assert!(stuck.await?.is_err(), "the stuck query was aborted");
    println!("graceful shutdown ok: {}", pool.status());
    Ok(())
}

async fn work(
    pool: Pool,
    statement: &'static str,
    busy: mpsc::Sender<()>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut conn = pool.acquire().await?;
    busy.send(()).await?;
    let mut cur = conn.cursor();
    cur.execute(statement, ()).await?;
    Ok(())
}
