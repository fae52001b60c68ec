//! A closed loop: each task sends its next query after it has read the answer to the previous one.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use crate::arithmetic::least_over_most;
use crate::cpu_time::CpuTime;
use crate::effort::Effort;
use crate::executors::{current_thread, drive, two_workers};
use crate::histogram::Histogram;
use crate::mysql::client::{Client, ClientTask, Failed};
use crate::mysql::clients::{Raw, run_for_all, run_for_resetting};
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

/// Where the tasks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// They are spawned on tokio's executor with two workers.
    Spawned,
    /// One task, in `block_on` of that executor: where the body of a `#[tokio::main]` runs.
    BlockOn,
    /// One task, in `block_on` of tokio's current-thread executor.
    CurrentThread,
}

impl Place {
    fn words(self) -> &'static str {
        match self {
            Self::Spawned => "",
            Self::BlockOn => ", in block_on",
            Self::CurrentThread => ", on tokio's current-thread executor",
        }
    }
}

/// The number of tasks and of connections, where the tasks run, and the duration in a full run.
#[derive(Clone, Copy)]
struct Load {
    id: &'static str,
    tasks: usize,
    size: usize,
    place: Place,
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
        place: Place::Spawned,
        millis,
    };
    let id = |tcp, unix| transport.pick(tcp, unix);
    let workload = |load: Load, of: fn(&Run) -> Vec<Cell>| Workload {
        id: load.id,
        title: format!(
            "SELECT 1 over {}: {} on a full pool of {}{}",
            transport.words(),
            words_for(load.tasks),
            load.size,
            load.place.words()
        ),
        columns: COLUMNS,
        baseline: Raw::NAME,
        rounds: effort.pick(5, 2),
        needs_quiet: true,
        cells: of(&Run {
            target: target.clone(),
            counters: Rc::clone(counters),
            load,
            time: effort.millis(load.millis, load.millis / 3),
        }),
    };
    let block_on = Load {
        place: Place::BlockOn,
        ..load(
            id("mysql-1-block-on-tcp", "mysql-1-block-on-unix"),
            1,
            10,
            300,
        )
    };
    let mut workloads = vec![
        workload(
            load(id("mysql-1-tcp", "mysql-1-unix"), 1, 10, 300),
            run_for_all,
        ),
        workload(block_on, run_for_resetting),
        workload(
            load(id("mysql-8-tcp", "mysql-8-unix"), 8, 8, 300),
            run_for_all,
        ),
        workload(
            load(id("mysql-64-tcp", "mysql-64-unix"), 64, 16, 900),
            run_for_all,
        ),
        workload(
            load(id("mysql-512-tcp", "mysql-512-unix"), 512, 16, 900),
            run_for_all,
        ),
    ];
    if transport == Transport::Unix {
        let current_thread = Load {
            place: Place::CurrentThread,
            ..load("mysql-1-current-thread-unix", 1, 10, 300)
        };
        workloads.insert(2, workload(current_thread, run_for_resetting));
    }
    workloads
}

/// `1 task`, `8 tasks`.
pub(crate) fn words_for(tasks: usize) -> String {
    match tasks {
        1 => "1 task".to_owned(),
        _ => format!("{tasks} tasks"),
    }
}

struct Run {
    target: Target,
    counters: Rc<RefCell<Counters>>,
    load: Load,
    time: Duration,
}

impl ClientTask for Run {
    type Output = Cell;

    fn run<C: Client>(&self) -> Cell {
        let (target, counters) = (self.target.clone(), Rc::clone(&self.counters));
        let (mut load, time) = (self.load, self.time);
        if C::IS_RAW {
            load.tasks = load.tasks.min(load.size);
        }
        Cell {
            contender: C::NAME,
            measure: Box::new(move || {
                let mut counters = counters.borrow_mut();
                let before = counters.read().map_err(words)?;
                let runtime = match load.place {
                    Place::Spawned | Place::BlockOn => two_workers(),
                    Place::CurrentThread => current_thread(),
                };
                let measured = drive(runtime, measure::<C>(&target, load, time));
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
    load: Load,
    time: Duration,
) -> Result<(Sample, u64), Failed> {
    let client = C::open(target, load.size).await?;
    // One task alone would open only one connection, but a full pool is to be measured.
    client.fill(load.size).await?;
    let phase = Arc::new(AtomicU8::new(WARM_UP));
    let timed = go_through_phases(Arc::clone(&phase), time);
    let mut done = Vec::with_capacity(load.tasks);
    let (elapsed, cpu) = match load.place {
        Place::Spawned => {
            let mut running = Vec::with_capacity(load.tasks);
            for _ in 0..load.tasks {
                let lane = client.lane().await?;
                running.push(tokio::spawn(task::<C>(lane, Arc::clone(&phase))));
            }
            let timed = timed.await;
            for task in running {
                done.push(task.await??);
            }
            timed
        }
        Place::BlockOn | Place::CurrentThread => {
            let lane = client.lane().await?;
            let timed = tokio::spawn(timed);
            done.push(task::<C>(lane, phase).await?);
            timed.await?
        }
    };
    let mut waits = Histogram::new();
    let mut shares = Vec::with_capacity(load.tasks);
    let mut queries = 0;
    for done in done {
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

/// Lets the tasks warm up, count and stop. Returns how long they counted, and the processor time in it.
async fn go_through_phases(phase: Arc<AtomicU8>, time: Duration) -> (Duration, Duration) {
    tokio::time::sleep(Duration::from_millis(50)).await;
    phase.store(COUNT, Ordering::Relaxed);
    let (start, cpu) = (Instant::now(), CpuTime::now());
    tokio::time::sleep(time).await;
    phase.store(STOP, Ordering::Relaxed);
    (start.elapsed(), cpu.elapsed())
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
    use super::words_for;

    #[test]
    fn one_task_is_written_in_the_singular() {
        assert_eq!([1, 8].map(words_for), ["1 task", "8 tasks"]);
    }
}
