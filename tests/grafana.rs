//! The dashboard for Grafana asks for nothing that is not exported, and shows all that is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A name as Prometheus has it.
fn as_prometheus(name: &str) -> String {
    name.replace('.', "_")
}

/// The names that the crate exports: its metrics, and the attributes of these.
fn exported() -> (BTreeSet<String>, BTreeSet<String>) {
    let text = read("crates/pool-core/src/observers/mod.rs");
    let constants = text.lines().filter_map(|line| {
        let line = line.trim().strip_prefix("pub(super) const ")?;
        let (name, value) = line.split_once(": &str = \"")?;
        Some((name, value.strip_suffix("\";")?))
    });
    let names = constants.filter(|(name, _)| !name.starts_with("OF_"));
    let (attributes, metrics): (Vec<_>, Vec<_>) = names.partition(|(name, _)| {
        ["POOL_NAME", "STATE", "REASON", "CLASS", "ERROR_TYPE"].contains(name)
    });
    let values =
        |all: Vec<(&str, &str)>| all.iter().map(|(_, value)| as_prometheus(value)).collect();
    (values(metrics), values(attributes))
}

/// Every `expr` of the panels, and every `query` of the variables.
fn questions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if ["expr", "query"].contains(&name.as_str()) => {
                        found.push(text.clone());
                    }
                    value => questions(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| questions(value, found)),
        _ => {}
    }
}

/// The words in a question that begin as the pool's names do.
fn names_in(question: &str) -> impl Iterator<Item = &str> {
    question
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| word.starts_with("db_client_"))
}

#[test]
fn the_grafana_dashboard_names_only_metrics_that_are_exported_and_all_of_them() {
    let (metrics, attributes) = exported();
    assert_eq!(
        (metrics.len(), attributes.len()),
        (12, 5),
        "{metrics:?} {attributes:?}"
    );
    let dashboard: Value =
        serde_json::from_str(&read("docs/grafana-dashboard.json")).expect("JSON");
    let mut asked = Vec::new();
    questions(&dashboard, &mut asked);
    let mut shown = BTreeSet::new();
    for question in &asked {
        for name in names_in(question).filter(|name| !attributes.contains(*name)) {
            // The parts of a histogram.
            let metric = ["_bucket", "_count", "_sum"]
                .iter()
                .find_map(|part| {
                    name.strip_suffix(part)
                        .filter(|name| metrics.contains(*name))
                })
                .unwrap_or(name);
            assert!(
                metrics.contains(metric),
                "nobody exports {name}: {question}"
            );
            shown.insert(metric.to_owned());
        }
    }
    assert_eq!(shown, metrics, "what is exported is shown");
}

#[test]
fn the_page_on_observability_explains_each_metric() {
    let page = read("docs/observability.md");
    let text = read("crates/pool-core/src/observers/mod.rs");
    let named = text
        .split('"')
        .filter(|text| text.starts_with("db.client."));
    for name in named {
        assert!(page.contains(&format!("`{name}`")), "{name} is missing");
    }
}
