//! Instructions of the client for one query over a unix socket, counted by callgrind. What the kernel does is not counted.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::callgrind::{extra_instructions, number};
use crate::effort::Effort;
use crate::executors::two_workers;
use crate::mysql::client::{Client, ClientTask, Failed};
use crate::mysql::clients::{Raw, run_for_all, run_for_resetting};
use crate::mysql::closed_loop::words_for;
use crate::mysql::target::Target;
use crate::workload::{Cell, Column, Sample, Workload, less};

/// With this argument the program only runs some queries.
const ARGUMENT: &str = "--only-queries";
/// Queries that are not counted: the first ones of a connection allocate its buffers.
const WARM_UP: u32 = 512;
const FEW: u32 = 500;
const MANY: u32 = 4_500;

const COLUMNS: &[Column] = &[less("instructions/query")];

pub(crate) fn workloads(effort: Effort, socket: &Path) -> Vec<Workload> {
    let workload = |id, tasks: usize, size: usize| Workload {
        id,
        title: format!(
            "Instructions of the client for SELECT 1 over a unix socket: {} on a full pool of {size}",
            words_for(tasks)
        ),
        columns: COLUMNS,
        baseline: Raw::NAME,
        rounds: 1,
        needs_quiet: false,
        cells: run_for_resetting(&Count {
            socket: socket.to_owned(),
            tasks,
            size,
        }),
    };
    let mut workloads = vec![workload("mysql-instructions-64", 64, 16)];
    if effort == Effort::Full {
        workloads.insert(0, workload("mysql-instructions-1", 1, 10));
    }
    workloads
}

struct Count {
    socket: PathBuf,
    tasks: usize,
    size: usize,
}

impl ClientTask for Count {
    type Output = Cell;

    fn run<C: Client>(&self) -> Cell {
        let socket = self.socket.display().to_string();
        let (tasks, size) = (self.tasks.to_string(), self.size.to_string());
        Cell {
            contender: C::NAME,
            measure: Box::new(move || {
                let words = |count: u32| {
                    let count = count.to_string();
                    [ARGUMENT, C::NAME, &socket, &tasks, &size, &count].map(str::to_owned)
                };
                let query = extra_instructions(words, FEW, MANY)?;
                Ok(Sample::of([("instructions/query", query)]))
            }),
        }
    }
}

/// The part of the program that runs under valgrind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queries {
    client: String,
    socket: PathBuf,
    tasks: usize,
    size: usize,
    count: u32,
}

impl Queries {
    /// Reads the arguments of the program; `None` where they ask for something else.
    pub(crate) fn read(words: &[&str]) -> Option<Result<Self, String>> {
        let &[ARGUMENT, client, socket, tasks, size, count] = words else {
            return None;
        };
        let read = || {
            Ok(Self {
                client: client.to_owned(),
                socket: socket.into(),
                tasks: number(tasks)?,
                size: number(size)?,
                count: number(count)?,
            })
        };
        Some(read())
    }

    pub(crate) fn run(&self) -> Result<(), String> {
        let ran = run_for_all(self).into_iter().flatten().next();
        ran.unwrap_or_else(|| Err(format!("there is no client `{}`", self.client)))
    }
}

impl ClientTask for Queries {
    type Output = Option<Result<(), String>>;

    fn run<C: Client>(&self) -> Self::Output {
        let running = || two_workers().block_on(run::<C>(self));
        (C::NAME == self.client).then(|| running().map_err(|error| error.to_string()))
    }
}

async fn run<C: Client>(queries: &Queries) -> Result<(), Failed> {
    let client = C::open(&Target::socket(&queries.socket), queries.size).await?;
    client.fill(queries.size).await?;
    let tasks = match C::IS_RAW {
        true => queries.tasks.min(queries.size),
        false => queries.tasks,
    };
    let left = Arc::new(AtomicU32::new(WARM_UP + queries.count));
    let mut running = Vec::with_capacity(tasks);
    for _ in 0..tasks {
        let (mut lane, left) = (client.lane().await?, Arc::clone(&left));
        running.push(tokio::spawn(async move {
            let another = |left: u32| left.checked_sub(1);
            let order = Ordering::Relaxed;
            while left.fetch_update(order, order, another).is_ok() {
                C::query(&mut lane).await?;
            }
            Ok::<_, Failed>(())
        }));
    }
    for task in running {
        task.await??;
    }
    client.close().await;
    Ok(())
}
