//! The server is killed and started again half a second later, while 16 tasks ask it. Each measurement has a server of its
//! own.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pool_mysql::mysql_async::Conn;
use pool_mysql::mysql_async::prelude::Queryable;
use private_server::{PrivateServer, ServerError};
use tokio::time::{sleep, timeout};

use crate::effort::Effort;
use crate::executors::{drive, two_workers};
use crate::mysql::client::{Client, ClientTask, Failed};
use crate::mysql::clients::{Raw, run_for_all};
use crate::mysql::target::Target;
use crate::workload::{Cell, Column, Sample, Workload, less, neutral};

const TASKS: usize = 16;
/// How long the server runs before, how long it is down, and how long it is watched afterwards.
const BEFORE: Duration = Duration::from_millis(500);
const DOWN: Duration = Duration::from_millis(500);
const AFTER: Duration = Duration::from_millis(1500);
/// The pause of a task after an error.
const PAUSE: Duration = Duration::from_millis(10);
/// The throughput is full again in the first part of the time of this length that has nine tenths of what was before.
const PART: Duration = Duration::from_millis(20);

const COLUMNS: &[Column] = &[
    less("errors"),
    less("ms to the first answer"),
    less("ms to full throughput"),
    neutral("most sessions"),
];

pub(crate) fn workload(effort: Effort) -> Workload {
    Workload {
        id: "mysql-outage",
        title: format!(
            "Outage: the server is killed and started again {} ms later, under {TASKS} tasks with {TASKS} connections; the times count from the moment in which it listens",
            DOWN.as_millis()
        ),
        columns: COLUMNS,
        baseline: Raw::NAME,
        rounds: effort.pick(5, 2),
        needs_quiet: false,
        cells: run_for_all(&Run),
    }
}

struct Run;

impl ClientTask for Run {
    type Output = Cell;

    fn run<C: Client>(&self) -> Cell {
        Cell {
            contender: C::NAME,
            measure: Box::new(|| {
                let failed = |error: &dyn std::fmt::Display| format!("FAILED: {error}");
                let server = PrivateServer::start().map_err(|error| failed(&error))?;
                let measured = drive(two_workers(), measure::<C>(Arc::new(server)));
                measured?.map_err(|error| failed(&error))
            }),
        }
    }
}

/// What a task has seen.
#[derive(Default)]
struct Seen {
    answers: Vec<Instant>,
    errors: usize,
}

/// When the server was killed, and when it listened again.
struct Outage {
    killed: Instant,
    back: Instant,
}

async fn measure<C: Client>(server: Arc<PrivateServer>) -> Result<Sample, Failed> {
    let target = Target::tcp(&server);
    let client = Arc::new(C::open(&target, TASKS).await?);
    client.fill(TASKS).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| tokio::spawn(work(Arc::clone(&client), Arc::clone(&stop))))
        .collect();
    sleep(BEFORE).await;
    let restarted = Arc::clone(&server);
    let outage = tokio::task::spawn_blocking(move || restart(&restarted)).await??;
    sleep(AFTER).await;
    stop.store(true, Ordering::Relaxed);
    let (mut answers, mut errors, mut hung) = (Vec::new(), 0, 0);
    for task in tasks {
        match timeout(AFTER, task).await {
            Ok(seen) => {
                let seen = seen?;
                answers.extend(seen.answers);
                errors += seen.errors;
            }
            Err(_) => hung += 1,
        }
    }
    answers.sort_unstable();
    let mut values = vec![("errors", errors as f64)];
    values.extend(times(&answers, &outage));
    values.push(("most sessions", most_sessions(&target).await?));
    let is_back = values
        .iter()
        .any(|(name, _)| *name == "ms to full throughput");
    Ok(Sample::of(values)
        .note_if(hung > 0, || format!("HANGS: {hung} of {TASKS} tasks"))
        .note_if(!is_back, || {
            format!("SLOW: no full throughput within {} ms", AFTER.as_millis())
        }))
}

/// Asks until it is told to stop. After an error it waits for a moment; a connection without a pool is opened anew.
async fn work<C: Client>(client: Arc<C>, stop: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    let mut lane = None;
    while !stop.load(Ordering::Relaxed) {
        let asked = async {
            if lane.is_none() {
                lane = Some(client.lane().await?);
            }
            let lane = lane.as_mut().expect("it has just been opened");
            C::query(lane).await
        };
        match asked.await {
            Ok(()) => seen.answers.push(Instant::now()),
            Err(_) => {
                seen.errors += 1;
                lane = lane.filter(|_| !C::IS_RAW);
                sleep(PAUSE).await;
            }
        }
    }
    seen
}

fn restart(server: &PrivateServer) -> Result<Outage, ServerError> {
    let killed = Instant::now();
    server.kill();
    std::thread::sleep(DOWN);
    let address = (server.host().to_owned(), server.port());
    let listens = std::thread::spawn(move || {
        while TcpStream::connect((&*address.0, address.1)).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
        Instant::now()
    });
    server.start_again()?;
    let back = listens.join().expect("it only waits");
    Ok(Outage { killed, back })
}

/// How long it took from the moment in which the server listened to the first answer, and to the full throughput.
fn times(answers: &[Instant], outage: &Outage) -> Vec<(&'static str, f64)> {
    let millis = |at: Instant| at.saturating_duration_since(outage.back).as_secs_f64() * 1e3;
    let before = answers.iter().filter(|at| **at < outage.killed).count();
    let usual = before as f64 * PART.as_secs_f64() / BEFORE.as_secs_f64();
    // No answer that was under way when the server was killed comes as late as this.
    let late = outage.killed + DOWN / 2;
    let after: Vec<Instant> = answers.iter().copied().filter(|at| *at > late).collect();
    let first = after
        .first()
        .map(|at| ("ms to the first answer", millis(*at)));
    let parts = u32::try_from(AFTER.as_millis() / PART.as_millis()).unwrap_or_default();
    let full = (0..parts)
        .map(|part| outage.back + PART * part)
        .find(|from| {
            let within = after
                .iter()
                .filter(|at| **at >= *from && **at < *from + PART);
            within.count() as f64 >= 0.9 * usual
        });
    let full = full.map(|from| ("ms to full throughput", millis(from + PART)));
    first.into_iter().chain(full).collect()
}

/// The largest number of sessions at once since the server was started again, without the one that asks.
async fn most_sessions(target: &Target) -> Result<f64, Failed> {
    let mut conn = Conn::new(target.opts()).await?;
    let row: Option<(String, f64)> = conn
        .query_first("SHOW GLOBAL STATUS LIKE 'Max_used_connections'")
        .await?;
    Ok(row.map_or(0.0, |(_, most)| most))
}
