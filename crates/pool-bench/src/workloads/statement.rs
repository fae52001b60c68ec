//! What it costs pool-mysql to read the text of a statement, which it does before it sends the statement.

use std::hint::black_box;
use std::time::{Duration, Instant};

use pool_fuzz::read_statement;

use crate::arithmetic::median;
use crate::effort::Effort;
use crate::workload::{Cell, Column, Sample, Workload, less};

const SELECT: &str = "SELECT id, name, cost FROM items WHERE id = 123 AND kind = 7";
const INSERT: &str = "INSERT INTO orders (customer, item, amount, price, note) VALUES (1234, 567, 8, 9.99, 'a gift, please')";
/// The number of readings in a chunk. Most chunks are so short that nothing interrupts them.
const CHUNK: u32 = 256;

const COLUMNS: &[Column] = &[less("ns"), less("allocations")];

pub(crate) fn workloads(effort: Effort) -> Vec<Workload> {
    let time = effort.millis(50, 20);
    let cell = |contender, sql: &'static str, watched| Cell {
        contender,
        measure: Box::new(move || Ok(measure(sql, watched, time))),
    };
    vec![Workload {
        id: "statement",
        title: format!(
            "Reading the text of a plain statement: a SELECT of {} bytes and an INSERT of {}, with the policies Always and IfDirty",
            SELECT.len(),
            INSERT.len()
        ),
        columns: COLUMNS,
        baseline: "SELECT",
        rounds: effort.pick(5, 3),
        needs_quiet: false,
        cells: vec![
            cell("SELECT", SELECT, false),
            cell("SELECT, if dirty", SELECT, true),
            cell("INSERT", INSERT, false),
            cell("INSERT, if dirty", INSERT, true),
        ],
    }]
}

fn measure(sql: &str, watched: bool, time: Duration) -> Sample {
    read(sql, watched, 4 * CHUNK);
    let mut chunks = Vec::with_capacity(1 << 12);
    let end = Instant::now() + time;
    loop {
        let start = Instant::now();
        read(sql, watched, CHUNK);
        let now = Instant::now();
        chunks.push((now - start).as_nanos() as f64 / f64::from(CHUNK));
        if now > end {
            break;
        }
    }
    let counted = allocation_counter::measure(|| read(sql, watched, CHUNK));
    Sample::of([
        ("ns", median(&chunks).unwrap_or_default()),
        ("allocations", counted.count_total as f64 / f64::from(CHUNK)),
    ])
}

fn read(sql: &str, watched: bool, count: u32) {
    for _ in 0..count {
        black_box(read_statement(black_box(sql.as_bytes()), watched));
    }
}

#[cfg(test)]
mod tests {
    use super::{INSERT, SELECT, read_statement};

    #[test]
    fn the_statements_are_plain_and_as_long_as_the_goal_says() {
        for sql in [SELECT, INSERT] {
            assert!(read_statement(sql.as_bytes(), true), "{sql}");
        }
        assert_eq!(SELECT.len(), 60);
        assert!((95..=105).contains(&INSERT.len()));
    }
}
