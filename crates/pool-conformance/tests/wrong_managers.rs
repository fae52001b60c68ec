//! The kit bites: each fault in a manager fails the check that is meant for it, and no other.

mod memory;

use pool_conformance::{Outcome, Report, assert_conforms, run};

use crate::memory::MemoryBackend;
use crate::memory::manager::Fault;

#[test]
fn a_manager_that_keeps_the_contract_passes_every_check() {
    let report = run(MemoryBackend::new(None));
    assert_eq!(report.passed().len(), report.findings().len(), "{report}");
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
    ($($test:ident: $fault:ident fails $check:literal because $why:literal;)*) => {$(
        #[test]
        fn $test() {
            let (check, why, report) = only_failure(Fault::$fault);
            assert_eq!(check, $check, "{report}");
            assert!(why.contains($why), "{report}");
        }
    )*};
}

each_fails_its_check! {
    a_check_that_always_says_ok:
        CheckAlwaysSaysOk fails "check refuses a broken connection"
        because "check says Ok of a broken connection";
    a_check_that_panics:
        CheckPanicsOnBroken fails "check refuses a broken connection"
        because "a panic at check: the server answers";
    a_recycle_that_cleans_nothing:
        RecycleCleansNothing fails "recycle makes a dirty connection clean"
        because "recycle says Ok, and the connection is dirty";
    a_recycle_that_is_never_woken:
        RecycleHangsOnBroken fails "recycle keeps no broken connection"
        because "recycle is not done and was not woken after 1s";
    an_on_release_that_reuses_a_dirty_connection:
        ReleaseReusesDirty fails "on_release does not reuse a dirty connection"
        because "on_release says Reuse, and the connection is dirty";
    an_on_release_that_reuses_a_lost_connection:
        ReleaseReusesLost fails "on_release does not reuse a connection that failed its user"
        because "on_release says Reuse of a connection whose last command failed";
    an_on_release_that_waits:
        ReleaseWaits fails "on_release does not wait"
        because "on_release of a live connection takes";
    a_close_that_leaks_the_session:
        CloseLeaksTheSession fails "close ends the session at the server"
        because "after a close, the server has 1 sessions; 0 are expected";
    a_close_that_blocks_its_thread:
        CloseBlocksOnBroken fails "close and drop of a broken connection come to an end"
        because "close blocks its thread";
    a_drop_that_leaks_the_session:
        DropLeaksTheSession fails "a dropped connection ends its session"
        because "after the drop of a connection, the server has";
    a_connect_that_leaves_a_session_when_it_is_dropped_half_way:
        ConnectDroppedHalfWayLeaves fails "connect, dropped after any poll, leaves no session"
        because "after connect was dropped at poll 1, the server has 1 sessions";
    a_connect_that_ignores_errors:
        ConnectIgnoresErrors fails "connect fails while the server is stopped, and works when it is back"
        because "connect gives a connection although the server is stopped";
    a_connect_that_gives_a_session_that_somebody_has:
        ConnectSharesASession fails "two connects give two sessions"
        because "both are the session";
    a_connect_that_shares_a_session_in_a_crowd:
        ConnectSharesInACrowd fails "no two of sixteen threads share a session"
        because "the session";
    a_check_that_leaves_a_session_when_it_is_dropped_half_way:
        CheckDroppedHalfWayLeaves fails "check, dropped after any poll, leaves no session"
        because "after check was dropped at poll 1, the server has 1 sessions";
    an_abort_that_does_nothing:
        AbortDoesNothing fails "abort ends the command under way"
        because "the command under way still runs 1s after its connection was aborted";
    an_abort_that_waits:
        AbortWaits fails "abort does not wait"
        because "an abort takes";
}

#[test]
#[should_panic(expected = "FAILED          check refuses a broken connection")]
fn assert_conforms_panics_with_the_whole_report() {
    assert_conforms(MemoryBackend::new(Some(Fault::CheckAlwaysSaysOk)));
}
