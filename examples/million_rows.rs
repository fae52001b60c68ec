//! A million rows, 200 MB, are read one by one. The memory of the program does not grow with the number of rows.
//!
//! Run it with `cargo run --example million_rows`.

use std::error::Error;

use futures_lite::StreamExt;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, create_pool};

const ROWS: u64 = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let server = examples::Server::find()?;
    Ok(futures_lite::future::block_on(go(server.url()))?)
}

async fn go(url: &str) -> Result<(), pool_mysql::Error> {
    let pool = create_pool(ConnectOptions::from_url(url)?).build().await?;
    let mut conn = pool.acquire().await?;
    let before = peak_memory();

    let mut rows = conn.query_stream::<(u64, String), _>(query()).await?;
    let (mut count, mut sum, mut bytes) = (0, 0, 0);
    while let Some(row) = rows.next().await {
        let (number, text) = row?;
        count += 1;
        sum += number;
        bytes += text.len();
    }
    drop(rows);
    assert_eq!((count, sum), (ROWS, ROWS * (ROWS - 1) / 2));

    print!("million rows ok: {count} rows, {} MB", bytes / 1_000_000);
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        println!(", the peak memory grew by {} KiB", after - before);
        assert!(after - before < 16 * 1024, "memory grew with the result");
    } else {
        println!();
    }

    drop(conn);
    pool.close();
    pool.wait_closed().await?;
    Ok(())
}

/// A query for the numbers from 0 to 999,999 with 200 bytes each. It joins six tables of ten digits, so it needs no table on
/// the server.
fn query() -> String {
    let digits: Vec<String> = (0..10)
        .map(|digit| format!("SELECT {digit} AS d"))
        .collect();
    let digits = digits.join(" UNION ALL ");
    let tables: Vec<String> = (0..6)
        .map(|place| format!("({digits}) AS t{place}"))
        .collect();
    let number: Vec<String> = (0..6)
        .map(|place| format!("t{place}.d * {}", 10_u64.pow(place)))
        .collect();
    format!(
        "SELECT {}, REPEAT('x', 200) FROM {}",
        number.join(" + "),
        tables.join(", ")
    )
}

/// The peak memory of this process in KiB, if the system tells it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
