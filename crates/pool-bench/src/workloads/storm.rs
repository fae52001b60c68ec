//! Acquires are dropped at every point. Is a connection lost, opened again, or handed out twice?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_lite::future::or;
use tokio::time::{timeout, timeout_at};

use crate::contender::{Contender, ContenderTask, fill};
use crate::contenders::{OURS, run_for_all, run_for_checking};
use crate::effort::Effort;
use crate::executors::{drive, two_workers};
use crate::fake::{SMALL, Server, yield_once};
use crate::workload::{Cell, Column, Sample, Workload, less, more, neutral};

const POOL: usize = 4;
const TASKS: usize = 64;

const COLUMNS: &[Column] = &[
    more("attempts/s"),
    neutral("cancelled"),
    less("lost of 4"),
    less("reconnects"),
    less("too many open"),
    less("hung tasks"),
];

pub(crate) fn workloads(effort: Effort) -> Vec<Workload> {
    let run = Run {
        time: effort.millis(600, 200),
    };
    let mut cells = run_for_all::<SMALL, _>(&run);
    cells.extend(run_for_checking::<SMALL, _>(&run));
    vec![Workload {
        id: "storm",
        title: format!(
            "Cancellation storm: {TASKS} tasks on a pool of {POOL} drop their acquire after 0 to 3 suspensions; a check, if there is one, suspends"
        ),
        columns: COLUMNS,
        baseline: OURS,
        needs_quiet: true,
        rounds: effort.pick(3, 1),
        cells: cells.into_iter().flatten().collect(),
    }]
}

struct Run {
    time: Duration,
}

impl ContenderTask for Run {
    type Output = Option<Cell>;

    fn run<C: Contender>(&self) -> Option<Cell> {
        let time = self.time;
        C::WAITS.then(|| Cell {
            contender: C::NAME,
            measure: Box::new(move || drive(two_workers(), measure::<C>(time))),
        })
    }
}

async fn measure<C: Contender>(time: Duration) -> Sample {
    let server = Server::new();
    let pool = Arc::new(C::open(server.clone(), POOL).await);
    fill(&*pool, POOL).await;
    server.let_checks_wait();
    let before = server.connects();
    let stop = Arc::new(AtomicBool::new(false));
    let start = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|number| {
            tokio::spawn(task(
                Arc::clone(&pool),
                Arc::clone(&stop),
                number as u64 + 1,
            ))
        })
        .collect();
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    let elapsed = start.elapsed();
    let end = tokio::time::Instant::now() + Duration::from_secs(3);
    let (mut attempts, mut cancelled, mut hung) = (0_u64, 0_u64, 0_u32);
    for task in tasks {
        match timeout_at(end, task).await {
            Ok(done) => {
                let (tried, left) = done.expect("a task that ends");
                attempts += tried;
                cancelled += left;
            }
            Err(_) => hung += 1,
        }
    }
    let reconnects = server.connects() - before;
    let mut guards = Vec::new();
    while guards.len() < POOL {
        match timeout(Duration::from_secs(1), pool.acquire()).await {
            Ok(guard) => guards.push(guard),
            Err(_) => break,
        }
    }
    let lost = POOL - guards.len();
    let fifth = timeout(Duration::from_millis(20), pool.acquire()).await;
    let too_many = server.peak().saturating_sub(POOL as u64) + u64::from(fifth.is_ok());
    Sample::of([
        ("attempts/s", attempts as f64 / elapsed.as_secs_f64()),
        ("cancelled", cancelled as f64),
        ("lost of 4", lost as f64),
        ("reconnects", reconnects as f64),
        ("too many open", too_many as f64),
        ("hung tasks", f64::from(hung)),
    ])
    .note_if(reconnects > 0, || {
        "discards connections whose check was cancelled".to_owned()
    })
    .note_if(hung > 0, || "HANGS: tasks never ended".to_owned())
    .note_if(too_many > 0, || {
        "OPENS more connections than allowed".to_owned()
    })
    .note_if(lost > 0, || "LOSES connections".to_owned())
}

async fn task<C: Contender>(pool: Arc<C>, stop: Arc<AtomicBool>, seed: u64) -> (u64, u64) {
    let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let (mut attempts, mut cancelled) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let suspensions = random % 4;
        let guard = or(async { Some(pool.acquire().await) }, async {
            for _ in 0..suspensions {
                yield_once().await;
            }
            None
        })
        .await;
        attempts += 1;
        match guard {
            None => cancelled += 1,
            Some(guard) => {
                if random & 16 == 0 {
                    yield_once().await;
                }
                drop(guard);
            }
        }
        yield_once().await;
    }
    (attempts, cancelled)
}
