//! Bar charts as SVG, one for each workload. Each contender has a rectangle, a line for the range, and a number.

use std::fmt::Write;

use super::table::number;
use crate::arithmetic::{median, range};
use crate::workload::{Better, Outcome};

/// The workloads that have a plot.
const PLOTTED: [&str; 11] = [
    "uncontended",
    "uncontended-1k",
    "no-wait",
    "crowd-64",
    "crowd-1000",
    "hand-off-1000",
    "mysql-1-unix",
    "mysql-8-unix",
    "mysql-64-unix",
    "mysql-512-unix",
    "mysql-cold-unix",
];

const WIDTH: f64 = 760.0;
const LEFT: f64 = 210.0;
const BAR: f64 = 18.0;
const STEP: f64 = 26.0;
const TOP: f64 = 56.0;

struct Bar {
    label: &'static str,
    value: f64,
    least: f64,
    most: f64,
}

/// The names and contents of the files.
pub(super) fn plots(outcomes: &[Outcome]) -> Vec<(String, String)> {
    outcomes
        .iter()
        .filter(|outcome| PLOTTED.contains(&outcome.id))
        .map(|outcome| (format!("{}.svg", outcome.id), draw(outcome)))
        .collect()
}

fn draw(outcome: &Outcome) -> String {
    let column = outcome.columns[0];
    let bars: Vec<Bar> = outcome
        .rows
        .iter()
        .filter_map(|row| {
            let values = row.values(column.name);
            let (least, most) = range(&values)?;
            Some(Bar {
                label: row.contender,
                value: median(&values)?,
                least,
                most,
            })
        })
        .collect();
    let better = match column.better {
        Better::Less => ", less is better",
        Better::More => ", more is better",
        Better::Neutral => "",
    };
    let caption = format!(
        "{}{better}; the line goes from the worst to the best round",
        column.name
    );
    svg(&outcome.title, &caption, &bars)
}

fn svg(title: &str, caption: &str, bars: &[Bar]) -> String {
    let height = TOP + STEP * bars.len() as f64 + 12.0;
    // One extreme round must not make all other bars short, so the scale follows the medians.
    let longest = bars.iter().map(|bar| bar.value).fold(0.0, f64::max) * 1.25;
    let room = WIDTH - LEFT - 90.0;
    let x = |value: f64| LEFT + room * (value / longest.max(f64::MIN_POSITIVE)).min(1.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"22\" font-size=\"15\" font-weight=\"bold\">{}</text>\n\
         <text x=\"12\" y=\"42\" fill=\"#555\">{}</text>\n",
        escape(title),
        escape(caption)
    );
    for (index, bar) in bars.iter().enumerate() {
        let y = TOP + STEP * index as f64;
        let middle = y + BAR / 2.0;
        let _ = writeln!(
            out,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{LEFT}\" y=\"{y:.0}\" width=\"{:.1}\" height=\"{BAR}\" fill=\"{}\"/>\
             <line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle}\" y2=\"{middle}\" stroke=\"#222\"/>\
             <text x=\"{:.1}\" y=\"{:.0}\">{}</text>",
            LEFT - 8.0,
            y + 14.0,
            escape(bar.label),
            (x(bar.value) - LEFT).max(1.0),
            colour(bar.label),
            x(bar.least),
            x(bar.most),
            x(bar.most.max(bar.value)) + 6.0,
            y + 14.0,
            number(bar.value),
        );
    }
    out + "</svg>\n"
}

/// One colour each for ours, the floors and the peers.
fn colour(label: &str) -> &'static str {
    match label {
        _ if label.starts_with("pool-") => "#2b7bba",
        _ if label.starts_with("floor") || label.starts_with("raw") => "#9aa5ae",
        _ => "#e0a458",
    }
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_a_bar_for_each_and_no_raw_angle_brackets() {
        let bar = |label, value| Bar {
            label,
            value,
            least: value,
            most: value,
        };
        let svg = svg(
            "a < b",
            "c",
            &[bar("pool-core", 1.0), bar("Mutex<Vec>", 2.0)],
        );
        assert!(svg.contains("a &lt; b") && svg.contains("Mutex&lt;Vec&gt;"));
        assert_eq!(svg.matches("<rect x=").count(), 2);
    }
}
