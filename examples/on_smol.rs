//! Twenty tasks share four connections, on smol.
//!
//! Run it with `cargo run --example on_smol`.

use std::error::Error;

use pool_mysql::{ConnectOptions, Pool, create_pool};

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let server = examples::Server::find().map_err(|error| error.to_string())?;
    Ok(smol::block_on(go(server.url()))?)
}

async fn go(url: &str) -> Result<(), pool_mysql::Error> {
    let pool = create_pool(ConnectOptions::from_url(url)?)
        .maxsize(4)
        .build()
        .await?;
    let tasks: Vec<_> = (0..20)
        .map(|number| smol::spawn(double(pool.clone(), number)))
        .collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await?;
    }
    assert_eq!(sum, 380);
    println!("twenty tasks on smol: {}", pool.status());
    pool.close();
    pool.wait_closed().await?;
    Ok(())
}

async fn double(pool: Pool, number: i64) -> Result<i64, pool_mysql::Error> {
    let mut conn = pool.acquire().await?;
    let mut cur = conn.cursor();
    cur.execute("SELECT 2 * ?", (number,)).await?;
    let (doubled,): (i64,) = cur
        .fetchone()
        .await?
        .expect("a SELECT without FROM has one row");
    Ok(doubled)
}
