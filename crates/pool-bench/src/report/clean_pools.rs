//! One picture of the clean pools: how many queries each answers with 1, 8, 64 and 512 tasks, beside raw connections.

use std::fmt::Write;

use super::plot::escape;
use super::table::number;
use crate::arithmetic::median;
use crate::workload::Outcome;

/// The name of the file.
pub(super) const FILE: &str = "clean-pools.svg";

/// The workloads, and the words below their bars.
const LOADS: [(&str, &str); 4] = [
    ("mysql-1-unix", "1 task on 10 connections"),
    ("mysql-8-unix", "8 tasks on 8"),
    ("mysql-64-unix", "64 tasks on 16"),
    ("mysql-512-unix", "512 tasks on 16"),
];

/// The contenders, their colours, and what the legend says about them.
const CONTENDERS: [(&str, &str, &str); 5] = [
    ("raw connections", "#9aa5ae", "no pool, nothing is cleaned"),
    (
        "pool-mysql, if dirty",
        "#2b7bba",
        "a reset only where a statement may have left something",
    ),
    (
        "pool-mysql",
        "#8cbde0",
        "Always, the default: a reset after each use",
    ),
    ("mysql_async's pool", "#e0a458", "a reset after each use"),
    ("deadpool, reset", "#b5651d", "a reset before each use"),
];

const WIDTH: f64 = 760.0;
const BAR: f64 = 30.0;
const GROUP: f64 = 182.0;
const LEFT: f64 = 22.0;
const TOP: f64 = 172.0;
const ROOM: f64 = 200.0;

/// The picture, or `None` if one of the workloads did not run.
pub(super) fn draw(outcomes: &[Outcome]) -> Option<String> {
    let mut groups = Vec::new();
    for (id, words) in LOADS {
        let outcome = outcomes.iter().find(|outcome| outcome.id == id)?;
        let values = CONTENDERS.map(|(contender, ..)| {
            let row = outcome.row(contender)?;
            median(&row.values("queries/s"))
        });
        groups.push((words, values));
    }
    Some(svg(&groups))
}

fn svg(groups: &[(&str, [Option<f64>; CONTENDERS.len()])]) -> String {
    let values = groups.iter().flat_map(|(_, values)| values).flatten();
    let most = values.copied().fold(f64::MIN_POSITIVE, f64::max);
    let (floor, height) = (TOP + ROOM, TOP + ROOM + 34.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"22\" font-size=\"15\" font-weight=\"bold\">Clean pools: SELECT 1 over a unix socket</text>\n\
         <text x=\"12\" y=\"42\" fill=\"#555\">queries/s, more is better; the client and the server share the cores</text>\n"
    );
    for (index, (contender, colour, words)) in CONTENDERS.into_iter().enumerate() {
        let y = 54.0 + 19.0 * index as f64;
        let _ = writeln!(
            out,
            "<rect x=\"12\" y=\"{y:.0}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>\
             <text x=\"30\" y=\"{:.0}\">{}: {}</text>",
            y + 11.0,
            escape(contender),
            escape(words),
        );
    }
    for (index, (words, values)) in groups.iter().enumerate() {
        let left = LEFT + GROUP * index as f64;
        let middle = left + BAR * values.len() as f64 / 2.0;
        let _ = writeln!(
            out,
            "<text x=\"{middle:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
            floor + 20.0,
            escape(words),
        );
        for (bar, (value, (_, colour, _))) in values.iter().zip(CONTENDERS).enumerate() {
            let Some(value) = value else { continue };
            let (x, tall) = (left + BAR * bar as f64, ROOM * value / most);
            let y = floor - tall;
            let _ = writeln!(
                out,
                "<rect x=\"{x:.0}\" y=\"{y:.1}\" width=\"{:.0}\" height=\"{tall:.1}\" fill=\"{colour}\"/>\
                 <text x=\"{:.0}\" y=\"{:.1}\" font-size=\"10\" text-anchor=\"middle\">{}</text>",
                BAR - 3.0,
                x + (BAR - 3.0) / 2.0,
                y - 4.0,
                number(*value),
            );
        }
    }
    out + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Column, Row, Sample, more};

    fn outcome(id: &'static str) -> Outcome {
        const COLUMNS: &[Column] = &[more("queries/s")];
        let row = |contender, samples| Row {
            contender,
            samples,
            notes: Vec::new(),
        };
        let sample = |value| vec![Some(Sample::of([("queries/s", value)]))];
        Outcome {
            id,
            title: "w".to_owned(),
            columns: COLUMNS,
            baseline: "raw connections",
            rows: vec![
                row("raw connections", sample(30_000.0)),
                row("pool-mysql", sample(15_000.0)),
                row("bb8", sample(1.0)),
                row("deadpool, reset", vec![None]),
            ],
            others_share: Vec::new(),
        }
    }

    #[test]
    fn the_picture_has_a_bar_for_each_clean_pool_that_was_measured() {
        let outcomes = LOADS.map(|(id, _)| outcome(id));
        let svg = draw(&outcomes).expect("all workloads ran");
        assert_eq!(svg.matches("font-size=\"10\"").count(), 8);
        assert!(svg.contains("height=\"200.0\"") && svg.contains("height=\"100.0\""));
        assert!(svg.contains(">512 tasks on 16<"));
    }

    #[test]
    fn without_all_its_workloads_there_is_no_picture() {
        let outcomes = [outcome("mysql-1-unix")];
        assert_eq!(draw(&outcomes), None);
    }
}
