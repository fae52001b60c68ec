//! 32 connections with a connect of 5 ms: does the pool connect one after another, or all at once?

use std::time::{Duration, Instant};

use futures::future::join_all;

use crate::contender::{Contender, ContenderTask};
use crate::contenders::{OURS, run_for_all};
use crate::effort::Effort;
use crate::executors::{drive, two_workers};
use crate::fake::{SMALL, Server};
use crate::workload::{Cell, Column, Sample, Workload, less, neutral};

const SIZE: usize = 32;
const CONNECT_TIME: Duration = Duration::from_millis(5);

const COLUMNS: &[Column] = &[
    less("cold ms"),
    neutral("cold connects"),
    less("warm ms"),
    neutral("warm connects"),
];

pub(crate) fn workloads(effort: Effort) -> Vec<Workload> {
    vec![Workload {
        id: "fill",
        title: format!(
            "Fill of {SIZE} with a connect of 5 ms: cold: {SIZE} acquires at once; warm: the pool's own function"
        ),
        columns: COLUMNS,
        baseline: OURS,
        needs_quiet: false,
        rounds: effort.pick(7, 3),
        cells: run_for_all::<SMALL, _>(&Run)
            .into_iter()
            .flatten()
            .collect(),
    }]
}

struct Run;

impl ContenderTask for Run {
    type Output = Option<Cell>;

    fn run<C: Contender>(&self) -> Option<Cell> {
        C::WAITS.then(|| Cell {
            contender: C::NAME,
            measure: Box::new(move || drive(two_workers(), measure::<C>())),
        })
    }
}

async fn measure<C: Contender>() -> Sample {
    let server = Server::with_connect_time(CONNECT_TIME);
    let pool = C::open(server.clone(), SIZE).await;
    let start = Instant::now();
    let guards = join_all((0..SIZE).map(|_| pool.acquire())).await;
    let mut values = vec![
        ("cold ms", start.elapsed().as_secs_f64() * 1e3),
        ("cold connects", server.connects() as f64),
    ];
    drop(guards);

    let server = Server::with_connect_time(CONNECT_TIME);
    let start = Instant::now();
    if C::open_full(server.clone(), SIZE).await.is_some() {
        values.push(("warm ms", start.elapsed().as_secs_f64() * 1e3));
        values.push(("warm connects", server.connects() as f64));
    }
    Sample::of(values)
}
