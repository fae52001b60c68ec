//! The server is killed and started again half a second later, while 16 tasks ask it. Each measurement has a server of its
//! own.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{Conn, Opts};
use private_server::PrivateServer;
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use crate::arithmetic::median;
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
/// The throughput is full again in the first part of the time of this length that has nine tenths of the usual number of
/// answers.
const PART: Duration = Duration::from_millis(20);
/// From this time after the server is back to the end, the throughput counts for the usual number.
const LATER: Duration = Duration::from_millis(500);

const COLUMNS: &[Column] = &[
    less("errors"),
    less("ms to the first answer"),
    less("ms until all are served"),
    less("ms to full throughput"),
    neutral("later/before"),
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

/// When the load began, when the server was killed, and when it listened again.
#[derive(Clone, Copy)]
struct Outage {
    began: Instant,
    killed: Instant,
    back: Instant,
}

async fn measure<C: Client>(server: Arc<PrivateServer>) -> Result<Sample, Failed> {
    let target = Target::tcp(&server);
    let client = Arc::new(C::open(&target, TASKS).await?);
    client.fill(TASKS).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let began = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| tokio::spawn(work(Arc::clone(&client), Arc::clone(&stop))))
        .collect();
    sleep(BEFORE).await;
    let (restarted, opts) = (Arc::clone(&server), target.opts());
    let restarting = tokio::task::spawn_blocking(move || restart(&restarted, opts, began));
    let (outage, asker) = restarting.await??;
    sleep(AFTER).await;
    stop.store(true, Ordering::Relaxed);
    let (mut answers, mut errors, mut hung) = (Vec::new(), 0, 0);
    let mut served = Vec::new();
    for task in tasks {
        match timeout(AFTER, task).await {
            Ok(seen) => {
                let seen = seen?;
                served.extend(outage.first_answer(&seen.answers));
                answers.extend(seen.answers);
                errors += seen.errors;
            }
            Err(_) => hung += 1,
        }
    }
    answers.sort_unstable();
    let mut values = vec![("errors", errors as f64)];
    values.extend(times(&answers, outage));
    let last = served.iter().max().filter(|_| served.len() == TASKS);
    values.extend(last.map(|at| ("ms until all are served", outage.millis(*at))));
    values.push(("most sessions", most_sessions(asker).await?));
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

/// Kills the server and starts it again. The connection that it returns is opened as soon as the server listens, so it is
/// one of the sessions for as long as the server is watched.
fn restart(server: &PrivateServer, opts: Opts, began: Instant) -> Result<(Outage, Conn), Failed> {
    let killed = Instant::now();
    server.kill();
    std::thread::sleep(DOWN);
    let address = (server.host().to_owned(), server.port());
    let runtime = Handle::current();
    let listens = std::thread::spawn(move || {
        while TcpStream::connect((&*address.0, address.1)).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let back = Instant::now();
        let asker = runtime.block_on(Conn::new(opts));
        asker.map(|asker| (back, asker))
    });
    server.start_again()?;
    let (back, asker) = listens.join().expect("it does not panic")?;
    let outage = Outage {
        began,
        killed,
        back,
    };
    Ok((outage, asker))
}

impl Outage {
    /// From the moment in which the server listened.
    fn millis(self, at: Instant) -> f64 {
        at.saturating_duration_since(self.back).as_secs_f64() * 1e3
    }

    /// The first of these answers that the new server gave.
    fn first_answer(self, answers: &[Instant]) -> Option<Instant> {
        // No answer that was under way when the server was killed comes as late as this.
        let late = self.killed + DOWN / 2;
        answers.iter().copied().find(|at| *at > late)
    }
}

/// How many answers came in each part of this time. The answers are sorted.
fn per_part(answers: &[Instant], from: Instant, length: Duration) -> Vec<f64> {
    let before = |at: Instant| answers.partition_point(|answer| *answer < at);
    let parts = u32::try_from(length.as_millis() / PART.as_millis()).unwrap_or_default();
    (0..parts)
        .map(|part| from + PART * part)
        .map(|from| (before(from + PART) - before(from)) as f64)
        .collect()
}

/// How long it took from the moment in which the server listened to the first answer, and to the full throughput.
///
/// The speed of a shared machine changes within a second by more than the tenth that may be missing. So the usual number
/// of answers is the smaller one of two medians: before the server was killed, and later. The ratio of the two shows a
/// pool that stays slow.
fn times(answers: &[Instant], outage: Outage) -> Vec<(&'static str, f64)> {
    let first = outage
        .first_answer(answers)
        .map(|at| ("ms to the first answer", outage.millis(at)));
    let mut values: Vec<_> = first.into_iter().collect();
    let before = median(&per_part(answers, outage.began, BEFORE)).unwrap_or_default();
    let later = median(&per_part(
        answers,
        outage.back + LATER,
        AFTER.saturating_sub(LATER),
    ));
    let later = later.unwrap_or_default();
    let usual = before.min(later);
    if usual > 0.0 {
        values.push(("later/before", later / before));
        let after = per_part(answers, outage.back, AFTER);
        let full = after.iter().position(|answers| *answers >= 0.9 * usual);
        values.extend(full.map(|part| {
            let millis = (part + 1) as f64 * PART.as_secs_f64() * 1e3;
            ("ms to full throughput", millis)
        }));
    }
    values
}

/// The largest number of sessions at once since the server was started again, without the one that asks.
async fn most_sessions(mut asker: Conn) -> Result<f64, Failed> {
    let row: Option<(String, f64)> = asker
        .query_first("SHOW GLOBAL STATUS LIKE 'Max_used_connections'")
        .await?;
    asker.disconnect().await?;
    Ok(row.map_or(0.0, |(_, most)| most - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times of answers that come at an even pace: before the outage, soon after it, and later.
    fn of_paces(before: u32, soon: u32, later: u32) -> Vec<(&'static str, f64)> {
        let began = Instant::now();
        let killed = began + BEFORE;
        let back = killed + DOWN;
        let outage = Outage {
            began,
            killed,
            back,
        };
        let millis = Duration::from_millis;
        let mut answers = Vec::new();
        for (from, length, each) in [
            (began, BEFORE, before),
            (back + millis(40), millis(260), soon),
            (back + millis(300), millis(1200), later),
        ] {
            let gap = PART / each.max(1);
            let count = each * u32::try_from(length.as_millis() / PART.as_millis()).expect("few");
            answers.extend((0..count).map(|answer| from + gap * answer));
        }
        times(&answers, outage)
    }

    fn value(values: &[(&'static str, f64)], column: &str) -> Option<f64> {
        let found = values.iter().find(|(name, _)| *name == column);
        found.map(|(_, value)| value.round())
    }

    #[test]
    fn the_throughput_is_full_in_the_first_part_with_nine_tenths_of_the_usual_answers() {
        let values = of_paces(20, 10, 20);
        assert_eq!(value(&values, "ms to the first answer"), Some(40.0));
        assert_eq!(value(&values, "ms to full throughput"), Some(320.0));
    }

    #[test]
    fn a_machine_that_has_become_slower_does_not_count_as_an_outage() {
        let values = of_paces(20, 10, 10);
        assert_eq!(value(&values, "ms to full throughput"), Some(60.0));
        assert!(values.contains(&("later/before", 0.5)), "{values:?}");
    }

    #[test]
    fn a_pool_that_answers_nobody_later_has_no_full_throughput() {
        let values = of_paces(20, 20, 0);
        assert_eq!(value(&values, "ms to full throughput"), None);
    }
}
