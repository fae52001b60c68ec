//! One connection is handed from waiter to waiter through a queue.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::Instant;

use tokio::sync::Notify;
use tokio::task::unconstrained;

use crate::arithmetic::median;
use crate::contender::{Contender, ContenderTask, fill};
use crate::contenders::{OURS, run_for_all};
use crate::effort::Effort;
use crate::executors::{current_thread, drive};
use crate::fake::{SMALL, Server, yield_once};
use crate::workload::{Cell, Column, Sample, Workload, less};

const COLUMNS: &[Column] = &[
    less("ns"),
    less("heap bytes/waiter, first"),
    less("heap bytes/waiter, warm"),
    less("acquire future bytes"),
];

pub(crate) fn workloads(effort: Effort) -> Vec<Workload> {
    let workload = |id, waiters: usize, words: &str| Workload {
        id,
        title: format!("Hand-off of one connection through {words} waiters"),
        columns: COLUMNS,
        baseline: OURS,
        needs_quiet: false,
        rounds: effort.pick(5, 3),
        cells: run_for_all::<SMALL, _>(&Run {
            waiters,
            times: (effort.pick(50_000, 10_000) / waiters).max(1),
        })
        .into_iter()
        .flatten()
        .collect(),
    };
    vec![
        workload("hand-off-10", 10, "10"),
        workload("hand-off-1000", 1_000, "1,000"),
        workload("hand-off-100000", 100_000, "100,000"),
    ]
}

struct Run {
    waiters: usize,
    times: usize,
}

impl ContenderTask for Run {
    type Output = Option<Cell>;

    fn run<C: Contender>(&self) -> Option<Cell> {
        let (waiters, times) = (self.waiters, self.times);
        C::WAITS.then(|| Cell {
            contender: C::NAME,
            measure: Box::new(move || {
                drive(
                    current_thread(),
                    unconstrained(measure::<C>(waiters, times)),
                )
            }),
        })
    }
}

async fn measure<C: Contender>(waiters: usize, times: usize) -> Sample {
    let pool = Arc::new(C::open(Server::new(), 1).await);
    fill(&*pool, 1).await;
    let first = heap_bytes(&*pool, waiters).await;
    let warm = heap_bytes(&*pool, waiters).await;
    let mut nanos = Vec::with_capacity(times);
    for _ in 0..times {
        nanos.push(hand_through(&pool, waiters).await);
    }
    Sample::of([
        ("ns", median(&nanos).unwrap_or_default()),
        ("heap bytes/waiter, first", first),
        ("heap bytes/waiter, warm", warm),
        ("acquire future bytes", pool.acquire_size() as f64),
    ])
}

/// Nanoseconds for one hand-off, including the wake and the end of the task.
async fn hand_through<C: Contender>(pool: &Arc<C>, waiters: usize) -> f64 {
    let guard = pool.acquire().await;
    let begun = Arc::new(AtomicUsize::new(0));
    let done = Arc::new(AtomicUsize::new(0));
    let end = Arc::new(Notify::new());
    for _ in 0..waiters {
        let (pool, begun) = (Arc::clone(pool), Arc::clone(&begun));
        let (done, end) = (Arc::clone(&done), Arc::clone(&end));
        tokio::spawn(async move {
            begun.fetch_add(1, Ordering::Relaxed);
            let guard = pool.acquire().await;
            drop(guard);
            if done.fetch_add(1, Ordering::Relaxed) + 1 == waiters {
                end.notify_one();
            }
        });
    }
    while begun.load(Ordering::Relaxed) < waiters {
        tokio::task::yield_now().await;
    }
    let start = Instant::now();
    drop(guard);
    end.notified().await;
    start.elapsed().as_nanos() as f64 / waiters as f64
}

/// The bytes that the pool allocates for a waiter, without the acquire future itself.
async fn heap_bytes<C: Contender>(pool: &C, waiters: usize) -> f64 {
    let guard = pool.acquire().await;
    let mut futures: Vec<_> = (0..waiters).map(|_| Box::pin(pool.acquire())).collect();
    let mut cx = Context::from_waker(Waker::noop());
    let counted = allocation_counter::measure(|| {
        for future in &mut futures {
            assert!(future.as_mut().poll(&mut cx).is_pending());
        }
    });
    drop(futures);
    drop(guard);
    for _ in 0..8 {
        yield_once().await;
    }
    counted.bytes_current as f64 / waiters as f64
}
