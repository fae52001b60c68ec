//! The table, its footnotes and its totals, as Markdown.

use crate::peer::{Kind, Offer};
use crate::runner::{Cell, Scenario};
use crate::world::Fault;

/// The row of a scenario: a cell for each kind of pool.
pub(crate) type Row = (Scenario, Vec<Cell>);

/// What stands in a cell.
pub(crate) fn word(cell: &Cell) -> &'static str {
    match cell {
        Cell::Pass => "pass",
        Cell::Fault(Fault::Fail(_)) => "fail",
        Cell::Fault(Fault::Hang(_)) => "HANG",
        Cell::Absent(_) => "-",
    }
}

/// Prints the rows.
pub(crate) fn print(kinds: &[Kind], rows: &[Row]) {
    print!("| scenario |");
    for kind in kinds {
        print!(" {} {} |", kind.package, kind.version);
    }
    print!("\n| --- |");
    for _ in kinds {
        print!(" --- |");
    }
    println!();
    for (scenario, cells) in rows {
        print!("| {} {} |", scenario.id, scenario.name);
        for cell in cells {
            print!(" {} |", word(cell));
        }
        println!();
    }
    println!();
    print_faults(kinds, rows);
    print_absent(kinds, rows);
    print_totals(kinds, rows);
}

fn print_faults(kinds: &[Kind], rows: &[Row]) {
    for (scenario, cells) in rows {
        for (kind, cell) in kinds.iter().zip(cells) {
            if let Cell::Fault(Fault::Fail(what) | Fault::Hang(what)) = cell {
                println!("- {} {}, {}: {what}.", scenario.id, kind.name, word(cell));
            }
        }
    }
    println!();
}

fn print_absent(kinds: &[Kind], rows: &[Row]) {
    for (nth, kind) in kinds.iter().enumerate() {
        let mut absent: Vec<Offer> = Vec::new();
        for (_, cells) in rows {
            if let Cell::Absent(offer) = cells[nth]
                && !absent.contains(&offer)
            {
                absent.push(offer);
            }
        }
        if !absent.is_empty() {
            let words: Vec<_> = absent.iter().map(|offer| kind.why_absent(*offer)).collect();
            println!("- `-` of {}: {}.", kind.name, words.join("; "));
        }
    }
    println!();
}

fn print_totals(kinds: &[Kind], rows: &[Row]) {
    let totals: Vec<_> = kinds
        .iter()
        .enumerate()
        .map(|(nth, kind)| {
            let passed = rows.iter().filter(|(_, cells)| cells[nth] == Cell::Pass);
            let absent = rows
                .iter()
                .filter(|(_, cells)| matches!(cells[nth], Cell::Absent(_)));
            format!(
                "{} {} of {}",
                kind.name,
                passed.count(),
                rows.len() - absent.count()
            )
        })
        .collect();
    println!("Passed: {}.", totals.join(", "));
}
