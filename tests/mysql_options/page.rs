//! The table of `docs/from-aiomysql.md` is held to the code.

use std::collections::BTreeSet;
use std::path::Path;

use pool_mysql::{ConnectOptions, PoolOptions};

/// All parameters of `aiomysql.connect()`.
const PARAMETERS: [&str; 24] = [
    "host",
    "user",
    "password",
    "db",
    "port",
    "unix_socket",
    "charset",
    "sql_mode",
    "read_default_file",
    "conv",
    "use_unicode",
    "client_flag",
    "cursorclass",
    "init_command",
    "connect_timeout",
    "read_default_group",
    "autocommit",
    "echo",
    "local_infile",
    "loop",
    "ssl",
    "auth_plugin",
    "program_name",
    "server_public_key",
];

/// The page.
fn page() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the checkout");
    std::fs::read_to_string(root.join("docs/from-aiomysql.md")).expect("the page")
}

/// The names that an error for an unknown one lists.
fn listed(message: &str) -> BTreeSet<String> {
    let (_, names) = message.split_once("there are ").expect("it lists them");
    names.split(", ").map(ToOwned::to_owned).collect()
}

#[test]
fn the_page_names_the_settings_of_a_pool_and_no_others() {
    let unknown = "mysql://h/?q=1";
    let of_pool = listed(PoolOptions::from_url(unknown).unwrap_err().message());
    let of_connection = listed(ConnectOptions::from_url(unknown).unwrap_err().message());
    let page = page();
    let (_, rest) = page
        .split_once("the settings of a pool are given beside them: ")
        .expect("the page names them");
    let (names, _) = rest.split_once(". Times").expect("the sentence ends");
    let named: BTreeSet<String> = names
        .split(',')
        .map(|name| name.trim().trim_matches('`').to_owned())
        .collect();
    assert_eq!(named, &of_pool - &of_connection);
}

/// The rows of the table: its cells without their quotes.
fn rows() -> Vec<Vec<String>> {
    let page = page();
    let (_, rest) = page
        .split_once("## The parameters of `connect()`")
        .expect("the page has the table");
    let (table, _) = rest.split_once("\n## ").expect("another part follows");
    table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells
                .map(|cell| cell.trim().trim_matches('`').to_owned())
                .collect()
        })
        .collect()
}

#[test]
fn every_parameter_stands_in_the_table_once() {
    let rows = rows();
    let names: BTreeSet<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(names, PARAMETERS.into());
    assert_eq!(rows.len(), PARAMETERS.len());
}

#[test]
fn what_the_table_shows_of_a_url_is_taken_or_refused_as_it_says() {
    for row in rows() {
        let [name, is, url, note] = &row[..] else {
            panic!("not four cells: {row:?}");
        };
        let url = match url.starts_with("mysql://") {
            true => url.clone(),
            false => format!("mysql://h/?{url}"),
        };
        let read = ConnectOptions::from_url(&url);
        match is.as_str() {
            "not there" => {
                let error = read.expect_err(name);
                assert_eq!(error.field(), name);
                assert!(!error.message().starts_with("no such parameter"), "{error}");
                assert!(!note.is_empty(), "{name}: what to do instead?");
            }
            "the same" => {
                assert_ne!(
                    read.expect(name),
                    ConnectOptions::new().host("h"),
                    "{name}: no effect"
                );
            }
            // Spelled otherwise: its own name says how.
            _ => {
                drop(read.expect(name));
                let own = ConnectOptions::from_url(&format!("mysql://h/?{name}=true"));
                let error = own.expect_err(name);
                assert_eq!(error.field(), name);
                let first = is.split('`').next().unwrap_or_default();
                assert!(error.message().contains(first), "{error}");
            }
        }
    }
}
