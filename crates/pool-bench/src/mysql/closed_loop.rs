//! A closed loop: each task sends its next query after it has read the answer to the previous one.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use crate::arithmetic::least_over_most;
use crate::cpu_time::CpuTime;
use crate::effort::Effort;
use crate::executors::{drive, two_workers};
use crate::histogram::Histogram;
use crate::mysql::client::{Client, ClientTask, Failed};
use crate::mysql::clients::{Raw, run_for_all};
use crate::mysql::counters::Counters;
use crate::mysql::target::{Target, Transport};
use crate::workload::{Cell, Column, Sample, Workload, less, more, neutral};

const COLUMNS: &[Column] = &[
    more("queries/s"),
    less("p50 us"),
    less("p99 us"),
    less("max us"),
    less("CPU us/query"),
    more("slowest/fastest"),
    neutral("selects/query"),
    neutral("admin/query"),
    neutral("sessions"),
];

/// The number of tasks and of connections, and the duration in a full run.
struct Load {
    id: &'static str,
    tasks: usize,
    size: usize,
    millis: u64,
}

pub(crate) fn workloads(
    effort: Effort,
    transport: Transport,
    target: &Target,
    counters: &Rc<RefCell<Counters>>,
) -> Vec<Workload> {
    let load = |id, tasks, size, millis| Load {
        id,
        tasks,
        size,
        millis,
    };
    let id = |tcp, unix| transport.pick(tcp, unix);
    let loads = [
        load(id("mysql-1-tcp", "mysql-1-unix"), 1, 10, 300),
        load(id("mysql-8-tcp", "mysql-8-unix"), 8, 8, 300),
        load(id("mysql-64-tcp", "mysql-64-unix"), 64, 16, 900),
        load(id("mysql-512-tcp", "mysql-512-unix"), 512, 16, 900),
    ];
    loads
        .into_iter()
        .map(|load| Workload {
            id: load.id,
            title: format!(
                "SELECT 1 over {}: {} on a full pool of {}",
                transport.words(),
                tasks(load.tasks),
                load.size
            ),
            columns: COLUMNS,
            baseline: Raw::NAME,
            rounds: effort.pick(5, 2),
            needs_quiet: true,
            cells: run_for_all(&Run {
                target: target.clone(),
                counters: Rc::clone(counters),
                tasks: load.tasks,
                size: load.size,
                time: effort.millis(load.millis, load.millis / 3),
            }),
        })
        .collect()
}

/// `1 task`, `8 tasks`.
fn tasks(count: usize) -> String {
    match count {
        1 => "1 task".to_owned(),
        _ => format!("{count} tasks"),
    }
}

struct Run {
    target: Target,
    counters: Rc<RefCell<Counters>>,
    tasks: usize,
    size: usize,
    time: Duration,
}

impl ClientTask for Run {
    type Output = Cell;

    fn run<C: Client>(&self) -> Cell {
        let (target, counters) = (self.target.clone(), Rc::clone(&self.counters));
        let (size, time) = (self.size, self.time);
        let tasks = match C::IS_RAW {
            true => self.tasks.min(size),
            false => self.tasks,
        };
        Cell {
            contender: C::NAME,
            measure: Box::new(move || {
                let mut counters = counters.borrow_mut();
                let before = counters.read().map_err(words)?;
                let measured = drive(two_workers(), measure::<C>(&target, tasks, size, time));
                let (mut sample, queries) = measured?.map_err(words)?;
                let asked = counters.read().map_err(words)? - before;
                sample.values.extend([
                    ("selects/query", asked.selects / queries as f64),
                    ("admin/query", asked.admin / queries as f64),
                    ("sessions", asked.sessions),
                ]);
                Ok(sample)
            }),
        }
    }
}

fn words(error: Failed) -> String {
    format!("FAILED: {error}")
}

const WARM_UP: u8 = 0;
const COUNT: u8 = 1;
const STOP: u8 = 2;

/// The measurement, and the number of all queries, including those of the warm-up.
async fn measure<C: Client>(
    target: &Target,
    tasks: usize,
    size: usize,
    time: Duration,
) -> Result<(Sample, u64), Failed> {
    let client = C::open(target, size).await?;
    // One task alone would open only one connection, but a full pool is to be measured.
    client.fill(size).await?;
    let phase = Arc::new(AtomicU8::new(WARM_UP));
    let mut running = Vec::with_capacity(tasks);
    for _ in 0..tasks {
        let lane = client.lane().await?;
        running.push(tokio::spawn(task::<C>(lane, Arc::clone(&phase))));
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    phase.store(COUNT, Ordering::Relaxed);
    let (start, cpu) = (Instant::now(), CpuTime::now());
    tokio::time::sleep(time).await;
    phase.store(STOP, Ordering::Relaxed);
    let (elapsed, cpu) = (start.elapsed(), cpu.elapsed());
    let mut waits = Histogram::new();
    let mut shares = Vec::with_capacity(tasks);
    let mut queries = 0;
    for task in running {
        let done = task.await??;
        shares.push(done.counted);
        queries += done.all;
        waits.merge(&done.waits);
    }
    client.close().await;
    let counted: u64 = shares.iter().sum();
    let fairness = least_over_most(&shares);
    let sample = Sample::of([
        ("queries/s", counted as f64 / elapsed.as_secs_f64()),
        ("p50 us", waits.quantile(0.5) / 1e3),
        ("p99 us", waits.quantile(0.99) / 1e3),
        ("max us", waits.longest() / 1e3),
        ("CPU us/query", cpu.as_secs_f64() * 1e6 / counted as f64),
        ("slowest/fastest", fairness),
    ])
    .note_if(fairness < 0.2 && !C::IS_RAW, || {
        "STARVES some tasks".to_owned()
    });
    Ok((sample, queries))
}

struct Done {
    counted: u64,
    all: u64,
    waits: Histogram,
}

async fn task<C: Client>(mut lane: C::Lane, phase: Arc<AtomicU8>) -> Result<Done, Failed> {
    let mut done = Done {
        counted: 0,
        all: 0,
        waits: Histogram::new(),
    };
    loop {
        let phase = phase.load(Ordering::Relaxed);
        if phase == STOP {
            return Ok(done);
        }
        let start = Instant::now();
        C::query(&mut lane).await?;
        done.all += 1;
        if phase == COUNT {
            done.waits.add(start.elapsed());
            done.counted += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::tasks;

    #[test]
    fn one_task_is_written_in_the_singular() {
        assert_eq!([1, 8].map(tasks), ["1 task", "8 tasks"]);
    }
}
