//! Our cursor beside the driver's own `query_first`, on the same held connection, with the same statement. The two take many short
//! turns, so that noise affects both.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Pool, PooledConnection, create_pool};
use tokio::runtime::Runtime;

use crate::cpu_time::CpuTime;
use crate::effort::Effort;
use crate::executors::two_workers;
use crate::mysql::client::{Failed, QUERY, one};
use crate::mysql::target::Target;
use crate::workload::{Cell, Column, Sample, Workload, less, more};

const COLUMNS: &[Column] = &[more("queries/s"), less("CPU us/query")];
const QUERY_FIRST: &str = "query_first";
const CURSOR: &str = "Cursor: execute, fetchone";
/// How many queries there are between two looks at the clock.
const CHUNK: u32 = 16;

pub(crate) fn workload(effort: Effort, target: &Target) -> Workload {
    let held = Rc::new(RefCell::new(Held::new(target.clone())));
    let time = Duration::from_millis(20);
    let cell = |contender, way| {
        let held = Rc::clone(&held);
        Cell {
            contender,
            measure: Box::new(move || held.borrow_mut().measure(way, time)),
        }
    };
    Workload {
        id: "mysql-cursor",
        title: "SELECT 1 over a unix socket on one held connection of pool-mysql: the cursor and the driver's function"
            .to_owned(),
        columns: COLUMNS,
        baseline: QUERY_FIRST,
        rounds: effort.pick(101, 41),
        needs_quiet: false,
        cells: vec![cell(QUERY_FIRST, Way::QueryFirst), cell(CURSOR, Way::Cursor)],
    }
}

/// How a query is sent.
#[derive(Clone, Copy)]
enum Way {
    QueryFirst,
    Cursor,
}

/// The connection that all turns use. It is opened in the first one.
struct Held {
    runtime: Runtime,
    target: Target,
    opened: Option<(Pool, PooledConnection)>,
}

impl Held {
    fn new(target: Target) -> Self {
        Self {
            runtime: two_workers(),
            target,
            opened: None,
        }
    }

    fn measure(&mut self, way: Way, time: Duration) -> Result<Sample, String> {
        let (opened, target) = (self.opened.take(), self.target.clone());
        let turn = self.runtime.spawn(async move {
            let (pool, mut conn) = match opened {
                Some(opened) => opened,
                None => open(&target).await?,
            };
            let sample = turn(&mut conn, way, time).await?;
            Ok::<_, Failed>((sample, (pool, conn)))
        });
        let words = |error: &dyn std::fmt::Display| format!("FAILED: {error}");
        let ended = self.runtime.block_on(turn).map_err(|error| words(&error))?;
        let (sample, opened) = ended.map_err(|error| words(&error))?;
        self.opened = Some(opened);
        Ok(sample)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some((pool, conn)) = self.opened.take() {
            self.runtime.block_on(async {
                drop(conn);
                pool.close();
                // An error is ignored: the pool is closed in any case.
                let _ = pool.wait_closed().await;
            });
        }
    }
}

async fn open(target: &Target) -> Result<(Pool, PooledConnection), Failed> {
    let pool = create_pool(target.ours()).maxsize(1).build().await?;
    let conn = pool.acquire().await?;
    Ok((pool, conn))
}

async fn turn(conn: &mut PooledConnection, way: Way, time: Duration) -> Result<Sample, Failed> {
    queries(conn, way, CHUNK).await?;
    let (start, cpu) = (Instant::now(), CpuTime::now());
    let mut count = 0;
    while start.elapsed() < time {
        queries(conn, way, CHUNK).await?;
        count += CHUNK;
    }
    let (elapsed, cpu) = (start.elapsed(), cpu.elapsed());
    Ok(Sample::of([
        ("queries/s", f64::from(count) / elapsed.as_secs_f64()),
        ("CPU us/query", cpu.as_secs_f64() * 1e6 / f64::from(count)),
    ]))
}

async fn queries(conn: &mut PooledConnection, way: Way, count: u32) -> Result<(), Failed> {
    for _ in 0..count {
        let answer = match way {
            Way::QueryFirst => conn.query_first(QUERY).await?,
            Way::Cursor => {
                let mut cursor = conn.cursor();
                cursor.execute(QUERY, ()).await?;
                cursor.fetchone().await?
            }
        };
        one(answer)?;
    }
    Ok(())
}
