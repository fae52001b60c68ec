//! The kit bites: each fault in a manager fails the check that is meant for it, and no other.

mod memory;

use pool_conformance::{Outcome, Report, assert_conforms, run};

use crate::memory::MemoryBackend;
use crate::memory::fault::{Fault, Method, Step};

#[test]
fn a_manager_that_keeps_the_contract_passes_every_check() {
    let report = run(MemoryBackend::new(None));
    assert_eq!(report.passed().len(), report.findings().len(), "{report}");
}

#[test]
fn the_front_page_lists_every_check() {
    let page = include_str!("../src/lib.rs");
    let rows: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("//! | "))
        .filter_map(|row| row.split(" | ").next())
        .skip(1)
        .collect();
    let report = run(MemoryBackend::new(None));
    let checks: Vec<_> = report
        .findings()
        .iter()
        .map(|finding| finding.check)
        .collect();
    assert_eq!(rows, checks);
}

/// A page of the workspace.
fn page(name: &str) -> String {
    let path = format!("{}/../../docs/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A line of a report without the time that the check took.
fn without_time(line: &str) -> &str {
    match line.rsplit_once(" (") {
        Some((line, time)) if time.ends_with(" ms)") => line,
        _ => line,
    }
}

#[test]
fn the_sample_report_of_the_guide_is_the_report_of_its_backend_with_that_fault() {
    let guide = page("write-a-backend.md");
    let (_, sample) = guide.split_once("```text\n").expect("a sample");
    let (sample, _) = sample.split_once("```").expect("the end of the sample");
    let fault = Fault::RecycleCleansNothing;
    let report = run(MemoryBackend::as_in_the_guide(fault)).to_string();
    let mut lines = report.lines().map(without_time);
    for line in sample.lines().filter(|line| line.trim() != "…") {
        let line = without_time(line);
        assert!(lines.any(|other| other == line), "{line}\n{report}");
    }
}

#[test]
fn the_page_on_reliability_names_the_number_of_the_checks() {
    let report = run(MemoryBackend::new(None));
    let words = format!("passes its {} checks", report.findings().len());
    assert!(page("reliability.md").contains(&words), "{words}");
}

/// The one check that fails, and why.
#[track_caller]
fn only_failure(fault: Fault) -> (&'static str, String, Report) {
    let report = run(MemoryBackend::new(Some(fault)));
    println!("{fault:?}: {report}");
    let mut failures = Vec::new();
    for finding in report.findings() {
        if let Outcome::Failed(why) = &finding.outcome {
            failures.push((finding.check, why.clone()));
        }
    }
    assert_eq!(failures.len(), 1, "{fault:?}: {report}");
    assert!(!report.conforms());
    assert!(report.not_applicable().is_empty(), "{report}");
    let (check, why) = failures.remove(0);
    (check, why, report)
}

/// One test a fault: its name, the fault, the check that fails, and a part of its reason.
macro_rules! each_fails_its_check {
    ($($test:ident: $fault:expr => fails $check:literal because $why:literal;)*) => {$(
        #[test]
        fn $test() {
            let (check, why, report) = only_failure($fault);
            assert_eq!(check, $check, "{report}");
            assert!(why.contains($why), "{report}");
        }
    )*};
}

each_fails_its_check! {
    a_connect_that_gives_a_dead_connection:
        Fault::ConnectGivesADeadOne => fails "connect gives a connection that works"
        because "a new connection does not work";
    a_connect_that_gives_a_session_that_somebody_has:
        Fault::ConnectSharesASession => fails "two connects give two sessions"
        because "both are the session";
    a_connect_that_ignores_errors:
        Fault::ConnectIgnoresErrors => fails "connect fails while the server is stopped, and works when it is back"
        because "connect gives a connection although the server is stopped";
    a_connect_that_shares_a_session_in_a_crowd:
        Fault::ConnectSharesInACrowd => fails "no two of sixteen threads share a session"
        because "the session";
    a_check_that_always_says_ok:
        Fault::CheckAlwaysSaysOk => fails "check refuses a broken connection"
        because "check says Ok of a broken connection";
    a_check_that_refuses_a_live_connection:
        Fault::CheckRefusesEverything => fails "check accepts a live connection"
        because "the first check of a live connection";
    a_check_that_trusts_a_silent_server:
        Fault::CheckTrustsASilentServer => fails "each step of a silent server ends with its deadline"
        because "check says Ok although the server is silent";
    a_check_that_blocks_while_the_server_is_silent:
        Fault::CheckBlocksOnASilentServer => fails "each step of a silent server ends with its deadline"
        because "check blocks its thread";
    a_connect_that_panics:
        Fault::Panics(Method::Connect) => fails "connect fails while the server is stopped, and works when it is back"
        because "a panic at connect: connect: connection refused";
    a_check_that_panics:
        Fault::Panics(Method::Check) => fails "check refuses a broken connection"
        because "a panic at check: the server answers";
    a_recycle_that_cleans_nothing:
        Fault::RecycleCleansNothing => fails "recycle makes a dirty connection clean"
        because "recycle says Ok, and the connection is dirty";
    a_recycle_that_sometimes_cleans_nothing:
        Fault::RecycleForgetsToCleanNowAndThen => fails "nothing that a user left is seen by the next"
        because "a connection is handed out with what its last user left";
    a_recycle_that_sometimes_leaks_a_session:
        Fault::RecycleLeaksNowAndThen => fails "a hundred rounds leave no session"
        because "after a hundred rounds and the close of the pool, the server has";
    a_recycle_that_is_never_woken:
        Fault::RecycleHangsOnBroken => fails "recycle keeps no broken connection"
        because "recycle is not done and was not woken after 1s";
    a_recycle_that_says_ok_of_a_broken_connection:
        Fault::RecycleIgnoresErrors => fails "recycle keeps no broken connection"
        because "recycle says Ok of a broken connection";
    a_recycle_that_panics:
        Fault::Panics(Method::Recycle) => fails "recycle keeps no broken connection"
        because "a panic at recycle: the server answers";
    an_on_release_that_reuses_a_dirty_connection:
        Fault::ReleaseReusesDirty => fails "on_release does not reuse a dirty connection"
        because "on_release says Reuse, and the connection is dirty";
    an_on_release_that_reuses_a_lost_connection:
        Fault::ReleaseReusesLost => fails "on_release does not reuse a connection that failed its user"
        because "on_release says Reuse of a connection whose last command failed";
    an_on_release_that_waits:
        Fault::ReleaseWaits => fails "on_release does not wait"
        because "on_release of a live connection takes";
    an_on_release_that_panics:
        Fault::Panics(Method::OnRelease) => fails "on_release does not reuse a connection that failed its user"
        because "a panic at on_release: the server answers";
    a_close_that_leaks_the_session:
        Fault::CloseLeaksTheSession => fails "close ends the session at the server"
        because "after a close, the server has 1 sessions; 0 are expected";
    a_close_that_blocks_its_thread:
        Fault::CloseBlocksOnBroken => fails "close and drop of a broken connection come to an end"
        because "close blocks its thread";
    a_close_that_panics:
        Fault::Panics(Method::Close) => fails "close and drop of a broken connection come to an end"
        because "a panic at close: the server answers";
    a_drop_that_leaks_the_session:
        Fault::DropLeaksTheSession => fails "a dropped connection ends its session"
        because "after the drop of a connection, the server has";
    a_drop_that_leaks_the_session_in_a_panic:
        Fault::DropLeaksInAPanic => fails "a panic of a user leaves the pool whole"
        because "after its users have panicked, the server has 5 sessions; 0 are expected";
    a_drop_that_leaks_the_session_after_an_abort:
        Fault::DropLeaksIfAborted => fails "a terminate while a connection is in use leaves no session"
        because "after a terminate and the drop of the last connection, the server has";
    a_connect_that_leaves_a_session_when_it_is_dropped_half_way:
        Fault::DroppedHalfWayLeaves(Step::Connect) => fails "connect, dropped after any poll, leaves no session"
        because "after connect was dropped at poll 1, the server has 1 sessions";
    a_check_that_leaves_a_session_when_it_is_dropped_half_way:
        Fault::DroppedHalfWayLeaves(Step::Check) => fails "check, dropped after any poll, leaves no session"
        because "after check was dropped at poll 1, the server has 1 sessions";
    a_recycle_that_leaves_a_session_when_it_is_dropped_half_way:
        Fault::DroppedHalfWayLeaves(Step::Recycle) => fails "recycle, dropped after any poll, leaves no session"
        because "after recycle was dropped at poll 1, the server has 1 sessions";
    a_close_that_leaves_a_session_when_it_is_dropped_half_way:
        Fault::DroppedHalfWayLeaves(Step::Close) => fails "close, dropped after any poll, leaves no session"
        because "after close was dropped at poll 1, the server has 1 sessions";
    a_connect_that_wakes_only_the_first_task:
        Fault::WakesTheFirstTask(Step::Connect) => fails "acquires that are dropped after any poll leave the pool whole"
        because "acquire is not done and was not woken";
    a_recycle_that_wakes_only_the_first_task:
        Fault::WakesTheFirstTask(Step::Recycle) => fails "releases that are dropped after any poll leave the pool whole"
        because "acquire is not done and was not woken";
    a_check_that_wakes_only_the_first_task:
        Fault::WakesTheFirstTask(Step::Check) => fails "acquires that are dropped after any poll leave the pool whole"
        because "acquire is not done and was not woken";
    a_close_that_leaves_a_used_session_when_it_is_dropped_half_way:
        Fault::DroppedCloseLeavesUsed => fails "a clear and a wait_closed that are dropped after any poll leave no session"
        because "after a clear and a wait_closed were dropped at poll 1, the server has";
    a_close_that_blocks_the_manager_when_it_is_dropped_half_way:
        Fault::DroppedCloseBlocksConnects => fails "a clear and a wait_closed that are dropped after any poll leave no session"
        because "after a clear was dropped at poll 1, acquire 1 of 2: acquire is not done";
    a_connect_that_is_later_than_its_deadline:
        Fault::BlocksForAWhile(Step::Connect) => fails "each step of a silent server ends with its deadline"
        because "connect takes";
    a_check_that_is_later_than_its_deadline:
        Fault::BlocksForAWhile(Step::Check) => fails "each step of a silent server ends with its deadline"
        because "check takes";
    a_recycle_that_is_later_than_its_deadline:
        Fault::BlocksForAWhile(Step::Recycle) => fails "each step of a silent server ends with its deadline"
        because "an awaited release takes";
    a_close_that_is_later_than_its_deadline:
        Fault::BlocksForAWhile(Step::Close) => fails "each step of a silent server ends with its deadline"
        because "wait_closed takes";
    an_abort_handle_that_panics:
        Fault::Panics(Method::AbortHandle) => fails "abort ends the command under way"
        because "a panic at abort_handle: there is no handle";
    an_abort_that_panics_and_does_nothing:
        Fault::AbortPanicsAtFirst => fails "abort ends the command under way"
        because "the command under way still runs 1s after the abort of its connection";
    an_abort_that_does_nothing:
        Fault::AbortDoesNothing => fails "abort ends the command under way"
        because "the command under way still runs 1s after the abort of its connection";
    an_abort_that_waits:
        Fault::AbortWaits => fails "abort does not wait"
        because "an abort takes";
    an_idle_limit_of_zero:
        Fault::IdleLimitIsZero => fails "idle_limit is not zero"
        because "idle_limit is zero";
    an_idle_limit_that_panics:
        Fault::Panics(Method::IdleLimit) => fails "idle_limit is not zero"
        because "a panic at idle_limit: there is no limit";
    a_was_unused_that_is_always_true:
        Fault::NeverSaysThatItWasUsed => fails "was_unused is false after something was done"
        because "was_unused says that nothing was sent";
    a_classify_that_gives_a_stopped_server_up:
        Fault::ClassifySaysFatal => fails "classify lets the pool try a stopped server again"
        because "classify says Fatal of the error \"connection refused\"";
    a_classify_that_panics:
        Fault::Panics(Method::Classify) => fails "classify lets the pool try a stopped server again"
        because "a panic at classify: an unknown error: connection refused";
    a_validate_that_refuses_the_manager:
        Fault::ValidateRefuses => fails "validate accepts the manager"
        because "validate refuses the manager: ";
    a_validate_that_panics:
        Fault::Panics(Method::Validate) => fails "validate accepts the manager"
        because "a panic at validate: the options are not there";
    a_set_echo_that_breaks_connections:
        Fault::EchoBreaksConnections => fails "set_echo keeps connections working"
        because "after set_echo(true), a new connection does not work";
    a_set_echo_that_panics:
        Fault::Panics(Method::SetEcho) => fails "set_echo keeps connections working"
        because "a panic at set_echo: there is no log";
}

/// The pool contains the panic, and the connection is aborted all the same.
#[test]
fn an_abort_that_panics_after_its_work_costs_nothing() {
    let report = run(MemoryBackend::new(Some(Fault::AbortPanicsAtLast)));
    assert_eq!(report.passed().len(), report.findings().len(), "{report}");
}

#[test]
#[should_panic(expected = "FAILED          check refuses a broken connection")]
fn assert_conforms_panics_with_the_whole_report() {
    assert_conforms(MemoryBackend::new(Some(Fault::CheckAlwaysSaysOk)));
}
