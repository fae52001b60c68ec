//! The results for other programs: all values of all rounds.

use serde_json::{Map, Value, json};

use super::{Run, Settings};
use crate::arithmetic::median;
use crate::effort::Effort;
use crate::goals::Judged;
use crate::workload::{Outcome, Row};

pub(super) fn results(run: &Run) -> String {
    let machine = &run.machine;
    let value = json!({
        "quick": run.options.effort == Effort::Quick,
        "date": machine.date,
        "seconds": run.elapsed.as_secs(),
        "processor": machine.processor,
        "cores": machine.cores,
        "system": machine.system,
        "rustc": machine.rustc,
        "server": machine.server,
        "load_average": [machine.load.0, machine.load.1],
        "packages": machine.packages.iter().map(|(name, version)| format!("{name} {version}")).collect::<Vec<_>>(),
        "settings": {
            "in_memory": settings(&run.in_memory),
            "mysql": settings(&run.mysql),
        },
        "goals": run.goals().iter().map(goal).collect::<Vec<_>>(),
        "workloads": run.outcomes.iter().map(workload).collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}

fn settings(settings: &Settings) -> Map<String, Value> {
    let settings = settings.iter();
    settings
        .map(|&(name, words)| (name.to_owned(), json!(words)))
        .collect()
}

fn goal(judged: &Judged) -> Value {
    json!({
        "workload": judged.workload,
        "what": judged.what,
        "goal": judged.goal,
        "measured": judged.measured.map(|(value, _)| value),
        "reached": judged.measured.map(|(_, reached)| reached),
    })
}

fn workload(outcome: &Outcome) -> Value {
    json!({
        "id": outcome.id,
        "title": outcome.title,
        "others_share": outcome.others_share,
        "rows": outcome.rows.iter().map(|row| self::row(outcome, row)).collect::<Vec<_>>(),
    })
}

fn row(outcome: &Outcome, row: &Row) -> Value {
    let columns = || outcome.columns.iter().map(|column| column.name);
    json!({
        "contender": row.contender,
        "medians": columns().map(|name| (name.to_owned(), json!(median(&row.values(name))))).collect::<Map<_, _>>(),
        "rounds": columns().map(|name| (name.to_owned(), json!(row.rounds(name)))).collect::<Map<_, _>>(),
        "notes": row.notes,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::command_line::Options;
    use crate::report::machine::Machine;
    use crate::workload::{Column, Sample, less};

    #[test]
    fn programs_find_settings_of_both_groups_medians_goals_and_the_duration() {
        const COLUMNS: &[Column] = &[less("ns")];
        let run = Run {
            options: Options::everything(Effort::Quick),
            machine: Machine::look("a server".to_owned()),
            elapsed: Duration::from_secs(83),
            outcomes: vec![Outcome {
                id: "uncontended",
                title: "w".to_owned(),
                columns: COLUMNS,
                baseline: "bb8",
                rows: vec![Row {
                    contender: "bb8",
                    samples: vec![Some(Sample::of([("ns", 2.0)])), None],
                    notes: Vec::new(),
                }],
                others_share: Vec::new(),
            }],
            in_memory: vec![("bb8", "here")],
            mysql: vec![("bb8", "there")],
        };
        let value: Value = serde_json::from_str(&results(&run)).expect("it is JSON");
        assert_eq!(value["seconds"], 83);
        assert_eq!(value["settings"]["in_memory"]["bb8"], "here");
        assert_eq!(value["settings"]["mysql"]["bb8"], "there");
        let row = &value["workloads"][0]["rows"][0];
        assert_eq!(row["medians"]["ns"], 2.0);
        assert_eq!(row["rounds"]["ns"], json!([2.0, null]));
        let goal = &value["goals"][0];
        assert_eq!(goal["workload"], "uncontended");
        assert_eq!(goal["measured"], Value::Null, "ours was not there");
    }
}
