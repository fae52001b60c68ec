//! A hundred thousand rows are inserted in batches, with a progress bar.
//!
//! Run it with `cargo run --example bulk_load`.

use std::error::Error;
use std::io::{IsTerminal, Write};

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, create_pool};

const ROWS: usize = 100_000;
const BATCH: usize = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    let server = examples::Server::find()?;
    Ok(futures_lite::future::block_on(go(server.url()))?)
}

async fn go(url: &str) -> Result<(), pool_mysql::Error> {
    let pool = create_pool(ConnectOptions::from_url(url)?).build().await?;
    let mut conn = pool.acquire().await?;
    conn.query_drop("DROP TABLE IF EXISTS readings").await?;
    conn.query_drop(
        "CREATE TABLE readings (id INT PRIMARY KEY, station VARCHAR(20), value DOUBLE)",
    )
    .await?;

    let mut bar = Progress::new(ROWS);
    // Ten batches in each transaction. Every commit waits for the disk, but a large transaction holds its locks for a long time.
    for part in (0..ROWS).step_by(10 * BATCH) {
        let mut tx = conn.start_transaction(<_>::default()).await?;
        for first in (part..part + 10 * BATCH).step_by(BATCH) {
            let rows: Vec<_> = (first..first + BATCH).map(reading).collect();
            let insert = "INSERT INTO readings (id, station, value) VALUES (?, ?, ?)";
            tx.cursor().executemany(insert, rows).await?;
            bar.advance(BATCH);
        }
        tx.commit().await?;
    }
    bar.finish();

    let count: Option<usize> = conn.query_first("SELECT COUNT(*) FROM readings").await?;
    assert_eq!(count, Some(ROWS));
    println!("bulk load ok: {ROWS} rows");
    drop(conn);
    pool.close();
    pool.wait_closed().await?;
    Ok(())
}

/// A row of the source. A real program would read it from a file or from the network.
fn reading(number: usize) -> (usize, String, f64) {
    let station = format!("station {}", number % 7);
    (number, station, (number as f64 / 100.0).sin())
}

/// A progress bar on the terminal. Without a terminal, it writes a line for each tenth.
struct Progress {
    all: usize,
    done: usize,
    is_terminal: bool,
}

impl Progress {
    fn new(all: usize) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self {
            all,
            done: 0,
            is_terminal,
        }
    }

    fn advance(&mut self, by: usize) {
        let tenths_before = 10 * self.done / self.all;
        self.done += by;
        let percent = 100 * self.done / self.all;
        let mut stderr = std::io::stderr();
        // An error is ignored: the load goes on without the bar.
        let _ = if self.is_terminal {
            write!(stderr, "\r[{:<50}] {percent:>3} %", "#".repeat(percent / 2))
        } else if 10 * self.done / self.all > tenths_before {
            writeln!(stderr, "{percent} %")
        } else {
            Ok(())
        };
    }

    fn finish(&self) {
        if self.is_terminal {
            eprintln!();
        }
    }
}
