//! The dashboard for Grafana asks for nothing that is not exported, and shows all that is. The page on observability has a
//! place for each number, each reason and each event.

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

/// The part of a text between two others; the first is the beginning of the part.
fn part<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text
        .split_once(from)
        .unwrap_or_else(|| panic!("no {from:?}"));
    rest.split_once(to).map_or(rest, |(part, _)| part)
}

/// What stands between backticks.
fn names(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The rows of the table of the page with this head, as cells.
fn rows<'a>(page: &'a str, head: &str) -> Vec<Vec<&'a str>> {
    let table = part(page, &format!("| {head} |"), "\n\n");
    let rows = table.lines().skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// The names in the first cells of such a table.
fn first_names<'a>(page: &'a str, head: &str) -> BTreeSet<&'a str> {
    let rows = rows(page, head).into_iter();
    rows.flat_map(|row| names(row[0])).collect()
}

#[test]
fn the_page_on_observability_has_a_row_for_each_method_of_stats() {
    let (page, text) = (
        read("docs/observability.md"),
        read("crates/pool-core/src/stats.rs"),
    );
    let methods = part(&text, "impl Stats {\n", "\n}\n").lines();
    let methods = methods.filter_map(|line| line.trim().strip_prefix("pub fn ")?.split('(').next());
    let mut methods: BTreeSet<&str> = methods.collect();
    assert!(
        methods.remove("status") && methods.len() > 20,
        "{methods:?}"
    );
    assert_eq!(first_names(&page, "method of `Stats`"), methods);
}

#[test]
fn the_page_on_observability_has_each_word_for_a_close_and_for_a_failure() {
    let page = read("docs/observability.md");
    for (head, file) in [
        ("reason of a close", "event/reason.rs"),
        ("reason of a failure", "error/failure.rs"),
    ] {
        let text = read(&format!("crates/pool-core/src/{file}"));
        let words = part(&text, "const NAMES: [&str; ", "];\n");
        let words: BTreeSet<&str> = words.split('"').skip(1).step_by(2).collect();
        assert!(words.len() > 8, "{words:?}");
        assert_eq!(first_names(&page, head), words, "{file}");
    }
}

#[test]
fn the_page_on_observability_has_the_level_of_each_event_and_each_field() {
    let (page, text) = (
        read("docs/observability.md"),
        read("crates/pool-core/src/event/mod.rs"),
    );
    let variants = part(&text, "pub enum Event<'a> {\n", "\n}\n").lines();
    let variants: BTreeSet<&str> = variants
        .filter_map(|line| line.strip_prefix("    ")?.strip_suffix(" {"))
        .filter(|name| name.chars().all(char::is_alphanumeric))
        .collect();
    assert!(variants.len() > 25, "{variants:?}");
    let levels = rows(&page, "level | events");
    let of_level = |level: &str| {
        let row = levels.iter().find(|row| row[0] == level);
        names(row.unwrap_or_else(|| panic!("no row {level}"))[1])
    };
    let (warn, info, debug) = (of_level("WARN"), of_level("INFO"), of_level("DEBUG"));
    let all: BTreeSet<&str> = warn.iter().chain(&info).chain(&debug).copied().collect();
    assert_eq!(all, variants);
    // These have a level that depends on their reason.
    let several = ["AcquireFailed", "Closed", "Rejected"];
    for name in &all {
        let rows = [&warn, &info, &debug];
        let found = rows.iter().filter(|row| row.contains(name)).count();
        assert_eq!(found > 1, several.contains(name), "{name}");
    }
    // What the observer says of itself is the same.
    let text = read("crates/pool-core/src/observers/tracing.rs");
    for (level, names_here) in [("WARN", &warn), ("INFO", &info)] {
        let row = part(&text, &format!("/// | {level} | "), " |\n");
        let row = row.replace(['[', ']'], "");
        assert_eq!(names(&row), *names_here, "{level}");
    }
    let fields = part(&text, "in fields, too:", "An error of several").replace("///", "");
    let of_page = part(&page, "its parts are fields (", ").\n");
    assert!(names(&fields).len() > 15);
    assert_eq!(names(of_page), names(&fields));
}
