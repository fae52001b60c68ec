//! Scripts that have failed once.

use pool_sim::{Script, run};

#[track_caller]
fn holds(script: &str) {
    let script: Script = script.parse().expect("a script");
    if let Err(failure) = run(&script) {
        panic!("{failure}\n{script}");
    }
}

#[test]
fn a_release_that_begins_after_the_close_ends() {
    holds(
        "set
        close pend:1
        acquire 0; poll 0; await_release 0; close 0; poll 0",
    );
}

#[test]
fn a_time_out_of_which_the_timer_may_not_read_the_clock_strikes() {
    holds(
        "set acquire_timeout=1 upkeep=0 one_lock=1
        acquire 0; acquire 0; poll 0; poll 0; drop 0; advance 1; acquire 0; poll 0;
        acquire 0; poll 0; acquire 0; advance 1; strike 0; poll 1",
    );
}

#[test]
fn a_waiter_that_drives_a_slow_close_gets_the_connection_that_another_waiter_leaves() {
    holds(
        "set maxsize=3 check_policy=1
        close gate
        on_release ok reuse
        acquire 0; poll 0; break 0; acquire 0; drop_guard 0; acquire 0; acquire 0; acquire 0;
        poll 0; poll 0; poll 0; poll 0; drop_guard 0; drop 1; settle 0",
    );
}
