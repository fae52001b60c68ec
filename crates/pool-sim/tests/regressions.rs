//! Scripts that have failed once, each in a file of `regressions/`, which says what went wrong.

use std::fs;
use std::path::Path;

use pool_sim::{Script, run};

/// All of them, so that none gets lost. Whoever keeps a script adds its name.
const KEPT: &[&str] = &[
    "abort_of_recycling.txt",
    "add_beside_fill.txt",
    "answer_beside_max_uses.txt",
    "attempt_that_never_began.txt",
    "check_beside_shrinking.txt",
    "connect_instead_of_close.txt",
    "connect_of_late_waiter.txt",
    "connect_that_panics_in_its_drop.txt",
    "drop_of_last_handle.txt",
    "fill_overwritten_by_release.txt",
    "full_queue_that_fails_at_once.txt",
    "ping_beside_reconfigure.txt",
    "recycle_all_beside_interceptor.txt",
    "recycle_beside_slow_one.txt",
    "refused_new_one_frees_no_place.txt",
    "refused_while_expired_one_is_dropped.txt",
    "release_after_close.txt",
    "release_dropped_after_last_handle.txt",
    "time_out_told_to_others.txt",
    "timer_without_clock.txt",
    "two_recycles_one_task.txt",
    "waiter_with_slow_close.txt",
];

#[test]
fn what_has_failed_once_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    for name in KEPT {
        let text = fs::read_to_string(folder.join(name));
        let text = text.unwrap_or_else(|error| panic!("{name}: {error}"));
        let script: Script = text
            .parse()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!script.ops.is_empty(), "{name} does nothing");
        if let Err(failure) = run(&script) {
            panic!("{name}: {failure}\n{script}");
        }
    }
}

#[test]
fn every_script_of_the_folder_is_in_the_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let files = fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<String> = files
        .map(|file| file.expect("a file of the folder").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, KEPT);
}
