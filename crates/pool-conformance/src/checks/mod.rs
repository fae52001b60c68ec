//! The checks: one file a part of the contract.

mod abort;
mod cancel_steps;
mod cancel_verbs;
mod check;
mod close;
mod connect;
mod crowd;
mod options;
mod recycle;
mod release;
mod rounds;
mod silence;
mod users;
mod whole;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::backend::Backend;
use crate::stop::Checked;
use crate::trial::Trial;

/// A running check.
type Run<'a> = Pin<Box<dyn Future<Output = Checked> + 'a>>;

/// One promise and how it is checked.
pub(crate) struct Check<B> {
    /// The promise, as a sentence.
    pub(crate) name: &'static str,
    /// If one of these failed or was skipped, this one would only fail for the same reason.
    pub(crate) needs: &'static [&'static str],
    pub(crate) run: for<'a> fn(&'a Arc<Trial<B>>) -> Run<'a>,
}

const VALID: &str = "validate accepts the manager";
const CONNECT: &str = "connect gives a connection that works";
const STOPPED: &str = "connect fails while the server is stopped, and works when it is back";
const CHECK: &str = "check accepts a live connection";
const REFUSES: &str = "check refuses a broken connection";
const RECYCLE: &str = "recycle makes a dirty connection clean";
const RELEASE: &str = "on_release does not reuse a dirty connection";
const RELEASE_WAITS: &str = "on_release does not wait";
const CLOSE: &str = "close ends the session at the server";
const TWO: &str = "two connects give two sessions";
const DROP: &str = "a dropped connection ends its session";
const ABORT: &str = "abort ends the command under way";
const ACQUIRES: &str = "acquires that are dropped after any poll leave the pool whole";
const RELEASES: &str = "releases that are dropped after any poll leave the pool whole";
const CLEARS: &str = "a clear and a wait_closed that are dropped after any poll leave no session";
const SILENCE: &str = "each step of a silent server ends with its deadline";
const USER_PANICS: &str = "a panic of a user leaves the pool whole";
const ROUNDS: &str = "a hundred rounds leave no session";
const SHARE: &str = "no two of sixteen threads share a session";
const CANCEL_CONNECT: &str = "connect, dropped after any poll, leaves no session";
const CANCEL_CHECK: &str = "check, dropped after any poll, leaves no session";
const CANCEL_RECYCLE: &str = "recycle, dropped after any poll, leaves no session";
const CANCEL_CLOSE: &str = "close, dropped after any poll, leaves no session";

/// What a pool needs before anything can be said about it.
const POOL: &[&str] = &[
    VALID,
    TWO,
    CHECK,
    REFUSES,
    RELEASE_WAITS,
    CANCEL_CONNECT,
    CANCEL_CHECK,
    CANCEL_RECYCLE,
    CANCEL_CLOSE,
];

/// All checks, in an order in which each stands behind those that it needs.
pub(crate) fn checks<B: Backend>() -> Vec<Check<B>> {
    let check = |name, needs, run| Check { name, needs, run };
    vec![
        check(VALID, &[], |trial| Box::pin(options::validate(trial))),
        check(CONNECT, &[], |trial| Box::pin(connect::works(trial))),
        check(TWO, &[CONNECT], |trial| Box::pin(connect::are_two(trial))),
        check(DROP, &[CONNECT], |trial| Box::pin(close::drop_ends(trial))),
        check(STOPPED, &[CONNECT], |trial| {
            Box::pin(connect::server_is_stopped(trial))
        }),
        check(
            "classify lets the pool try a stopped server again",
            &[STOPPED],
            |trial| Box::pin(options::classify(trial)),
        ),
        check("set_echo keeps connections working", &[CONNECT], |trial| {
            Box::pin(options::set_echo(trial))
        }),
        check("idle_limit is not zero", &[CONNECT], |trial| {
            Box::pin(options::idle_limit(trial))
        }),
        check(
            "was_unused is false after something was done",
            &[CONNECT],
            |trial| Box::pin(options::was_unused(trial)),
        ),
        check(CHECK, &[CONNECT], |trial| Box::pin(check::accepts(trial))),
        check(REFUSES, &[CONNECT], |trial| Box::pin(check::refuses(trial))),
        check(RECYCLE, &[CONNECT], |trial| {
            Box::pin(recycle::cleans(trial))
        }),
        check("recycle keeps no broken connection", &[CONNECT], |trial| {
            Box::pin(recycle::broken(trial))
        }),
        check(RELEASE, &[CONNECT], |trial| Box::pin(release::dirty(trial))),
        check(
            "on_release does not reuse a connection that failed its user",
            &[CONNECT],
            |trial| Box::pin(release::broken(trial)),
        ),
        check(RELEASE_WAITS, &[CONNECT], |trial| {
            Box::pin(release::does_not_wait(trial))
        }),
        check(CLOSE, &[CONNECT], |trial| {
            Box::pin(close::close_ends(trial))
        }),
        check(
            "close and drop of a broken connection come to an end",
            &[CONNECT],
            |trial| Box::pin(close::broken(trial)),
        ),
        check(ABORT, &[VALID, DROP], |trial| {
            Box::pin(abort::ends_command(trial))
        }),
        check("abort does not wait", &[VALID, CONNECT, ABORT], |trial| {
            Box::pin(abort::does_not_wait(trial))
        }),
        check(CANCEL_CONNECT, &[DROP], |trial| {
            Box::pin(cancel_steps::connect(trial))
        }),
        check(CANCEL_CHECK, &[DROP], |trial| {
            Box::pin(cancel_steps::check(trial))
        }),
        check(CANCEL_RECYCLE, &[DROP], |trial| {
            Box::pin(cancel_steps::recycle(trial))
        }),
        check(CANCEL_CLOSE, &[DROP, CLOSE], |trial| {
            Box::pin(cancel_steps::close(trial))
        }),
        check(CLEARS, POOL, |trial| Box::pin(cancel_verbs::clear(trial))),
        check(RELEASES, &[CLEARS], |trial| {
            Box::pin(cancel_verbs::release(trial))
        }),
        // An acquire drives the recycle of a release that was dropped.
        check(ACQUIRES, &[RELEASES], |trial| {
            Box::pin(cancel_verbs::acquire(trial))
        }),
        check(USER_PANICS, &[ACQUIRES], |trial| {
            Box::pin(users::panic(trial))
        }),
        check(
            "a terminate while a connection is in use leaves no session",
            &[CLEARS],
            |trial| Box::pin(users::terminate(trial)),
        ),
        check(SILENCE, &[CLEARS], |trial| Box::pin(silence::ends(trial))),
        check(ROUNDS, &[USER_PANICS], |trial| {
            Box::pin(rounds::leave_nothing(trial))
        }),
        check(SHARE, &[ROUNDS], |trial| {
            Box::pin(crowd::never_share(trial))
        }),
        check(
            "nothing that a user left is seen by the next",
            &[RECYCLE, RELEASE, SHARE],
            |trial| Box::pin(crowd::see_nothing(trial)),
        ),
    ]
}
