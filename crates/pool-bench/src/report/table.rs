//! Tables in Markdown, aligned so that they can be read on a terminal, too.

use std::fmt::Write;

use crate::arithmetic::{median, ratio_within_rounds, spread};
use crate::workload::{Outcome, Row};

/// The table of a workload: medians over the rounds, and the spread of the first column.
pub(crate) fn table(outcome: &Outcome) -> String {
    let first = outcome.columns[0].name;
    let mut head = vec!["contender".to_owned()];
    head.extend(outcome.columns.iter().map(|column| column.name.to_owned()));
    let shows_spread = outcome.rows.iter().any(|row| row.values(first).len() > 1);
    if shows_spread {
        head.insert(2, "+-".to_owned());
    }
    head.insert(2, format!("x {}", outcome.baseline));
    let baseline = outcome.row(outcome.baseline).map(|row| row.rounds(first));
    let shows_notes = outcome.rows.iter().any(|row| !row.notes.is_empty());
    if shows_notes {
        head.push(String::new());
    }
    let body = outcome.rows.iter().map(|row| {
        let mut cells = vec![row.contender.to_owned()];
        cells.extend(outcome.columns.iter().map(|column| cell(row, column.name)));
        if shows_spread {
            let spread = spread(&row.values(first));
            cells.insert(
                2,
                spread.map_or("-".to_owned(), |spread| format!("{spread:.0} %")),
            );
        }
        let ratio = baseline
            .as_deref()
            .and_then(|theirs| ratio_within_rounds(&row.rounds(first), theirs));
        cells.insert(2, ratio.map_or("-".to_owned(), number));
        if shows_notes {
            cells.push(row.notes.join("; "));
        }
        cells
    });
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(body).collect();
    align(&rows)
}

fn cell(row: &Row, column: &str) -> String {
    median(&row.values(column)).map_or("-".to_owned(), number)
}

/// A number with three digits. Whole numbers below 10,000 keep all their digits.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 1e6 {
        format!("{:.2} M", value / 1e6)
    } else if size >= 1e4 {
        format!("{:.0} k", value / 1e3)
    } else if size >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size >= 0.01 {
        format!("{value:.2}")
    } else {
        format!("{value:.4}")
    }
}

/// Writes rows as a table with aligned columns. The first row is the head.
pub(crate) fn align(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let widths = rows.iter().filter_map(|row| row.get(column));
        widths
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
            .max(3)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        for (column, width) in widths.iter().enumerate() {
            let cell = row.get(column).map_or("", String::as_str);
            let _ = match column {
                0 => write!(text, "| {cell:<width$} "),
                _ => write!(text, "| {cell:>width$} "),
            };
        }
        text += "|\n";
        if index == 0 {
            for (column, width) in widths.iter().enumerate() {
                let line = "-".repeat(width + 1);
                text += &match column {
                    0 => format!("|{line}-"),
                    _ => format!("|{line}:"),
                };
            }
            text += "|\n";
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_figures() {
        let shown = [
            0.0,
            3.0,
            0.123_4,
            12.34,
            123.4,
            9999.0,
            12_345.0,
            1_234_567.0,
        ]
        .map(number);
        assert_eq!(
            shown,
            ["0", "3", "0.12", "12.3", "123", "9999", "12 k", "1.23 M"]
        );
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [["a", "n"], ["long name", "1"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(
            align(&rows),
            "| a         |   n |\n|-----------|----:|\n| long name |   1 |\n"
        );
    }
}
