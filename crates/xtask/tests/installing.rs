//! What xtask installs where it is missing, with stand-ins for apt and cargo.

mod run;

use std::process::Output;

use run::{asked, text, xtask};

/// A folder that holds nothing but stand-ins for what installs packages, as root. Nothing else is found, not even valgrind.
const ONLY_APT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stand_ins/only_apt");

fn bench_without_valgrind(apt_fails: &str) -> Output {
    xtask(
        &["bench", "--quick"],
        &[
            ("PATH", ONLY_APT),
            ("APT_FAILS", apt_fails),
            // Any program will do as a server: the stand-in for cargo starts none.
            (
                "PRIVATE_SERVER_PROGRAM",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake_cargo.sh"),
            ),
        ],
    )
}

#[test]
fn bench_says_that_it_installs_valgrind_before_it_does() {
    let output = bench_without_valgrind("no");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let install =
        "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends valgrind";
    let announced = format!(
        "xtask: no valgrind was found; installing valgrind with these commands:\n\
         xtask:   apt-get update\n\
         xtask:   {install}\n"
    );
    let begun = said.find(&announced).unwrap_or_else(|| panic!("{said}"));
    let updated = said.find("apt-get was asked for: update").expect("it ran");
    let installed = "apt-get was asked for: install -y --no-install-recommends valgrind";
    let installed = said.find(installed).expect("it ran");
    assert!(begun < updated && updated < installed, "{said}");
    assert_eq!(asked(&output).len(), 2, "then it builds and runs: {said}");
}

#[test]
fn bench_goes_on_without_valgrind_where_it_cannot_be_installed() {
    let output = bench_without_valgrind("yes");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(
        said.contains("valgrind cannot be installed; instructions will not be counted"),
        "{said}"
    );
    assert_eq!(asked(&output).len(), 2, "{said}");
}

/// Where there is nothing but apt, and a server.
fn test_without_chromium(browser: &str) -> Output {
    xtask(
        &["test"],
        &[
            ("PATH", ONLY_APT),
            ("DASHBOARD_BROWSER", browser),
            ("FAIL_ON", "test --workspace"),
            (
                "PRIVATE_SERVER_PROGRAM",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stand_ins/mariadbd"),
            ),
        ],
    )
}

#[test]
fn test_installs_chromium_and_runs_nothing_where_it_is_not_there_afterwards() {
    let output = test_without_chromium("");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let said = text(&output.stdout);
    let announced = "xtask: no Chromium was found; installing chromium with these commands:\n";
    let begun = said.find(announced).unwrap_or_else(|| panic!("{said}"));
    let installed = "apt-get was asked for: install -y --no-install-recommends chromium";
    let installed = said.find(installed).expect("it ran");
    assert!(begun < installed, "{said}");
    let error = text(&output.stderr);
    assert!(error.contains("chromium was installed, and yet"), "{error}");
    assert!(asked(&output).is_empty(), "{said}");
}

#[test]
fn test_without_the_dashboard_is_what_a_person_has_to_ask_for() {
    let output = test_without_chromium("none");
    let said = text(&output.stdout);
    assert!(!said.contains("chromium"), "nothing is installed: {said}");
    let words = "xtask: the test of the dashboard is left out, because DASHBOARD_BROWSER is `none`";
    assert!(said.contains(words), "{said}");
    let first =
        "test --workspace --exclude pool-bench --exclude pool-peers; server: none; browser: none";
    assert_eq!(asked(&output), [first]);
}
