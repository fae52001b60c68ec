//! Shuts a service down gracefully: it takes no new work, lets running work finish in a limited time, and aborts the rest.
//!
//! Run it with `cargo run --example graceful_shutdown`. A real service would wait for Ctrl-C. This one waits
//! until its workers are busy.

use std::error::Error;
use std::time::Duration;

use pool_mysql::{ConnectOptions, Pool, create_pool};
use tokio::sync::mpsc;

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

    // No new work: from now on every acquire fails, also those that are waiting. Running work may finish. What is not done
    // after two seconds is aborted: the server kills its query, and its task gets an error.
    let report = pool.shutdown(Duration::from_secs(2)).await;
    assert!(pool.acquire().await.is_err());
    for task in quick {
        task.await??;
    }
    assert!(stuck.await?.is_err(), "the stuck query was aborted");

    // It says who was too slow, and where the connection was acquired.
    assert_eq!(report.left().len(), 1, "{report}");
    println!("graceful shutdown ok: {report}");
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
