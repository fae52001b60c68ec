//! The command line of xtask: its tasks, their options, and what they run.

mod run;

use std::fs;
use std::path::Path;
use std::process::Output;

use run::{asked, text, xtask};

#[test]
fn an_unknown_task_is_an_error_that_names_the_tasks() {
    let output = xtask(&["frobnicate"], &[]);
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(
        error.contains("`frobnicate`")
            && error.contains("quickstart, test, prove, chaos, bench and help"),
        "{error}"
    );
}

#[test]
fn no_task_and_too_many_words_are_errors() {
    assert_eq!(xtask(&[], &[]).status.code(), Some(2));
    let output = xtask(&["test", "fast"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("`fast`"));
}

#[test]
fn a_number_of_repeats_that_is_none_is_an_error() {
    for words in [
        &["test", "--repeat"][..],
        &["test", "--repeat", "0"],
        &["test", "--busy"],
    ] {
        let output = xtask(words, &[]);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(text(&output.stderr).contains("--repeat"), "{words:?}");
    }
}

#[test]
fn help_lists_the_tasks() {
    let output = xtask(&["help"], &[]);
    assert!(output.status.success());
    let help = text(&output.stdout);
    assert!(
        help.contains("quickstart  ")
            && help.contains("test  ")
            && help.contains("bench  ")
            && help.contains("chaos  "),
        "{help}"
    );
}

#[test]
fn quickstart_runs_the_example_against_a_private_server() {
    let output = xtask(&["quickstart"], &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(
        said.contains("asked for: run --quiet -p examples --example quickstart; server: mysql://root@127.0.0.1:"),
        "{said}"
    );
}

#[test]
fn quickstart_uses_the_server_it_is_given_and_does_not_repeat_its_password() {
    let output = xtask(
        &["quickstart"],
        &[("MYSQL_URL", "mysql://me:secret@db/mine")],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let of_cargo: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("asked for"))
        .collect();
    assert_eq!(
        of_cargo,
        [
            "asked for: run --quiet -p examples --example quickstart; server: mysql://me:secret@db/mine"
        ]
    );
    assert_eq!(
        said.matches("secret").count(),
        1,
        "only our stand-in says it: {said}"
    );
}

#[test]
fn quickstart_passes_on_the_exit_status_of_the_example() {
    let output = xtask(&["quickstart"], &[("FAIL_ON", "--example quickstart")]);
    assert_eq!(output.status.code(), Some(42));
}

#[test]
fn test_takes_every_step_and_hides_the_users_server_from_all_of_them() {
    let output = xtask(
        &["test"],
        &[
            ("MYSQL_URL", "mysql://me:secret@db/mine"),
            ("DASHBOARD_BROWSER", "/some/browser"),
        ],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(!said.contains("secret"), "{said}");
    assert!(
        said.contains(
            "asked for: test --workspace --exclude pool-bench --exclude pool-peers; server: none; browser: /some/browser"
        ),
        "{said}"
    );
    assert!(
        said.contains(
            "asked for: run --quiet --example quickstart; server: mysql://root@127.0.0.1:"
        ),
        "{said}"
    );
    assert!(
        said.contains("asked for: test -p pool-core --no-default-features; server: none"),
        "{said}"
    );
    let steps = said.matches("asked for: ").count();
    assert!(
        said.ends_with(&format!("xtask test: all {steps} steps passed\n")),
        "{said}"
    );
}

#[test]
fn test_with_mysql_leads_the_tests_to_the_other_servers() {
    let given = [
        ("PRIVATE_MYSQL_PROGRAM", "/some/mysqld"),
        ("MARIADB_PLUGIN_FOLDER", "/some/plugins"),
    ];
    let output = xtask(&["test", "--mysql"], &given);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    for tls in ["rustls", "native-tls"] {
        let asked = format!(
            "asked for: test -p tests --features {tls},other-servers --test mysql_accounts; server: none; \
             mysql: /some/mysqld; plugins: /some/plugins"
        );
        assert!(said.contains(&asked), "{said}");
    }
    let cursors = "asked for: test -p tests --features other-servers --test mysql_cursor; server: none; \
                   mysql: /some/mysqld";
    assert!(said.contains(cursors), "{said}");
    assert!(said.ends_with("xtask test: all 4 steps passed\n"), "{said}");
}

#[test]
fn test_stops_at_the_first_step_that_fails_and_names_it() {
    let output = xtask(
        &["test"],
        &[
            ("FAIL_ON", "--example quickstart"),
            ("DASHBOARD_BROWSER", "/some/browser"),
        ],
    );
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(
        error.contains("example quickstart: exit status: 42"),
        "{error}"
    );
    let said = text(&output.stdout);
    assert!(!said.contains("pool-core"), "nothing runs after it: {said}");
}

#[test]
fn repeat_names_the_test_that_failed_in_one_of_the_runs_and_how_often() {
    // The outputs of xtask and the counter of the stand-in go here, and not into the folder of an xtask that runs this.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("repeat");
    let _ = fs::remove_dir_all(&target);
    fs::create_dir_all(&target).expect("a folder");
    let output = xtask(
        &["test", "--repeat", "3"],
        &[
            ("DASHBOARD_BROWSER", "/some/browser"),
            (
                "CARGO_TARGET_DIR",
                target.to_str().expect("a path in UTF-8"),
            ),
            (
                "TEST_PROGRAMS",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stand_ins/programs"),
            ),
        ],
    );
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    for (run, failures) in [(1, 0), (2, 1), (3, 0)] {
        let line = format!("xtask test: run {run} of 3, {failures} failures, ");
        assert!(said.contains(&line), "{said}");
    }
    let log = target.join("xtask-repeat/failed-fails_once-in_the_second_run.log");
    let table: Vec<&str> = said
        .lines()
        .filter(|line| line.contains(" failed 1 of "))
        .collect();
    assert_eq!(
        table,
        [format!(
            "fails_once::in_the_second_run failed 1 of 3; output of its last failure: {}",
            log.display()
        )]
    );
    assert!(
        said.contains("xtask test: 3 runs, 3 tests each, 1 failures; "),
        "{said}"
    );
    assert!(said.ends_with("\n8 passed, 1 failed\n"), "{said}");
    assert!(text(&output.stderr).contains("test: 1 failures"));
    let kept = fs::read_to_string(log).expect("the output of the failure");
    assert!(
        kept.contains("test in_the_second_run ... FAILED") && kept.contains("to its other output"),
        "{kept}"
    );
}

/// A folder with a stand-in for valgrind before those of the system, so that nothing is installed for a test.
fn path_with_valgrind() -> String {
    let stand_ins = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stand_ins");
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{stand_ins}:{path}")
}

fn bench(options: &[&str], fail_on: &str) -> Output {
    let path = path_with_valgrind();
    xtask(
        &[&["bench"], options].concat(),
        &[
            ("PATH", &path),
            ("MYSQL_URL", "mysql://me:secret@db/mine"),
            ("FAIL_ON", fail_on),
        ],
    )
}

#[test]
fn bench_builds_first_and_passes_its_options_on() {
    let build = "build --release -p pool-bench; server: none";
    for (options, run) in [
        (
            &[][..],
            "run --quiet --release -p pool-bench --; server: none",
        ),
        (
            &["--quick", "mysql-1-", "crowd-64"],
            "run --quiet --release -p pool-bench -- --quick mysql-1- crowd-64; server: none",
        ),
        (
            &["--docs"],
            "run --quiet --release -p pool-bench -- --docs; server: none",
        ),
    ] {
        let output = bench(options, "nothing fails");
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(asked(&output), [build, run]);
    }
}

#[test]
fn chaos_passes_its_options_on_and_says_that_it_failed() {
    let options = ["chaos", "--minutes", "2", "--seed", "7"];
    let run = "run --quiet -p pool-chaos -- --minutes 2 --seed 7; server: none";
    for (fail_on, code) in [("nothing fails", 0), ("pool-chaos", 42)] {
        let output = xtask(&options, &[("FAIL_ON", fail_on)]);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        assert_eq!(asked(&output), [run]);
        let says_so = text(&output.stderr).contains("the ledger test");
        assert_eq!(says_so, code != 0);
    }
}

#[test]
fn bench_does_not_run_what_cannot_be_built() {
    let output = bench(&["--quick"], "build --release");
    assert_eq!(output.status.code(), Some(42));
    assert_eq!(asked(&output).len(), 1);
    let error = text(&output.stderr);
    assert!(
        error.contains("`cargo build --release -p pool-bench`"),
        "{error}"
    );
}

#[test]
fn bench_says_that_the_benchmark_failed() {
    let output = bench(&["--fast"], "-- --fast");
    assert_eq!(output.status.code(), Some(42));
    assert_eq!(asked(&output).len(), 2);
    let error = text(&output.stderr);
    assert!(error.contains("the benchmark"), "{error}");
}

#[test]
fn bench_compares_only_with_a_revision_that_exists() {
    for (options, word) in [
        (&["--quick", "--compare"][..], "--compare main"),
        (&["--compare", "no-such-revision"], "`no-such-revision`"),
    ] {
        let output = bench(options, "nothing fails");
        assert_eq!(output.status.code(), Some(2), "{options:?}");
        assert_eq!(asked(&output), [""; 0], "nothing is built");
        let error = text(&output.stderr);
        assert!(error.contains(word), "{error}");
    }
}
