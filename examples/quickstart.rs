//! A pooled connection answers `SELECT 10`: the basic usage of aiomysql's pool, line by line.
//!
//! Run it with `cargo xtask quickstart`, or with `cargo run --example quickstart` if a server program is installed
//! or `MYSQL_URL` names a server.

use std::error::Error;

use pool_mysql::{ConnectOptions, create_pool};

fn main() -> Result<(), Box<dyn Error>> {
    let server = examples::Server::find()?;
    // The pool runs on any executor. This one is the smallest.
    Ok(futures_lite::future::block_on(go(server.url()))?)
}

async fn go(url: &str) -> Result<(), pool_mysql::Error> {
    let options = ConnectOptions::from_url(url)?.autocommit(false);
    let pool = create_pool(options).minsize(1).maxsize(10).build().await?;

    {
        let mut conn = pool.acquire().await?;
        let mut cur = conn.cursor();
        cur.execute("SELECT 10", ()).await?;
        let (r,): (i32,) = cur.fetchone().await?.expect("SELECT 10 returns one row");
        assert_eq!(r, 10);
    } // the connection goes back to the pool

    pool.close();
    pool.wait_closed().await?;

    println!("quickstart ok: SELECT 10 returned 10");
    Ok(())
}
