//! The load: customers of a small shop, a little more than the pool can serve at once.

use std::ops::Range;
use std::time::{Duration, Instant};

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Error, Pool, connect};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The password that the pool knows. A test looks for it in all that is shown, so it is no word of anything else.
pub(crate) const PASSWORD: &str = "s3cret-of-the-shop";
/// The account of the pool.
pub(crate) const ACCOUNT: &str = "'shop'@'%'";

const CUSTOMERS: u64 = 12;

/// Makes the table, and the account that the pool logs in with.
pub(crate) async fn prepare(root: ConnectOptions) -> Result<(), Error> {
    let mut conn = connect(root).await?;
    conn.query_drop(format!(
        "CREATE DATABASE shop;
         CREATE TABLE shop.orders (id INT PRIMARY KEY AUTO_INCREMENT, amount INT NOT NULL) ENGINE=InnoDB;
         INSERT INTO shop.orders (amount) VALUES (10), (20), (30);
         CREATE USER {ACCOUNT} IDENTIFIED BY '{PASSWORD}';
         GRANT ALL ON shop.* TO {ACCOUNT}"
    ))
    .await?;
    conn.ensure_closed().await?;
    Ok(())
}

/// How the pool logs in.
pub(crate) fn user(root: ConnectOptions) -> ConnectOptions {
    root.user("shop").password(PASSWORD).db("shop")
}

/// Customers who come and go until this is dropped.
pub(crate) async fn run(pool: Pool) {
    customers(&pool, 0..CUSTOMERS, None).await;
}

/// Rush hour: many more customers, for this long.
pub(crate) async fn rush(pool: &Pool, lasts: Duration) {
    customers(pool, CUSTOMERS..9 * CUSTOMERS, Some(lasts)).await;
}

async fn customers(pool: &Pool, numbers: Range<u64>, lasts: Option<Duration>) {
    let end = lasts.map(|lasts| Instant::now() + lasts);
    let mut customers = JoinSet::new();
    for number in numbers {
        let pool = pool.clone();
        customers.spawn(async move {
            let turns = (0_u64..).take_while(|_| end.is_none_or(|end| Instant::now() < end));
            for turn in turns {
                // The pool's events tell why a purchase failed.
                if purchase(&pool, number).await.is_err() {
                    sleep(Duration::from_millis(100)).await;
                }
                let pause = 20 + (number * 7 + turn * 13) % 60;
                sleep(Duration::from_millis(pause)).await;
            }
        });
    }
    customers.join_all().await;
}

async fn purchase(pool: &Pool, customer: u64) -> Result<(), Error> {
    // Each task has a label of its own, so that a time-out can tell a task that waits for itself.
    let label = format!("customer {customer}");
    let mut conn = pool.acquire().label(label).await?;
    let count: Option<i64> = conn
        .query_first("SELECT COUNT(*) + 0 * SLEEP(0.02) FROM orders")
        .await?;
    if count > Some(100) {
        conn.query_drop("DELETE FROM orders LIMIT 50").await?;
    }
    conn.query_drop("INSERT INTO orders (amount) VALUES (10)")
        .await?;
    Ok(())
}
