//! All that was measured, each round of it, for programs.

use serde_json::{Map, Value, json};

use super::Run;
use crate::effort::Effort;
use crate::workload::{Outcome, Row};

pub(super) fn results(run: &Run) -> String {
    let machine = &run.machine;
    let value = json!({
        "quick": run.effort == Effort::Quick,
        "date": machine.date,
        "processor": machine.processor,
        "cores": machine.cores,
        "system": machine.system,
        "rustc": machine.rustc,
        "server": machine.server,
        "load_average": [machine.load.0, machine.load.1],
        "packages": machine.packages.iter().map(|(name, version)| format!("{name} {version}")).collect::<Vec<_>>(),
        "settings": run.settings.iter().map(|&(name, words)| (name.to_owned(), json!(words))).collect::<Map<_, _>>(),
        "workloads": run.outcomes.iter().map(workload).collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}

fn workload(outcome: &Outcome) -> Value {
    json!({
        "id": outcome.id,
        "title": outcome.title,
        "strangers": outcome.strangers,
        "rows": outcome.rows.iter().map(|row| self::row(outcome, row)).collect::<Vec<_>>(),
    })
}

fn row(outcome: &Outcome, row: &Row) -> Value {
    let columns = outcome.columns.iter();
    json!({
        "contender": row.contender,
        "rounds": columns.map(|column| (column.name.to_owned(), json!(row.values(column.name)))).collect::<Map<_, _>>(),
        "notes": row.notes,
    })
}
