//! Runs the checks one after the other, each on a thread of its own.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::backend::Backend;
use crate::checks::{Check, checks};
use crate::report::{Finding, Outcome, Report};
use crate::stop::{Checked, Stop};
use crate::trial::Trial;

/// How often the runner looks whether a check still comes forward.
const LOOK: Duration = Duration::from_millis(50);

/// Runs all checks against a backend.
///
/// Each check runs on a thread of its own. A check whose thread is blocked by a method of the manager fails; its thread
/// is left behind.
///
/// # Examples
///
/// A backend that gives only its manager:
///
/// ```
/// use std::convert::Infallible;
/// use pool_conformance::{Backend, run};
/// use pool_core::Manager;
///
/// struct Numbers;
///
/// impl Manager for Numbers {
///     type Connection = u32;
///     type Error = Infallible;
///
///     async fn connect(&self) -> Result<u32, Infallible> {
///         Ok(7)
///     }
///     async fn check(&self, _: &mut u32) -> Result<(), Infallible> {
///         Ok(())
///     }
///     async fn recycle(&self, number: &mut u32) -> Result<(), Infallible> {
///         *number = 7;
///         Ok(())
///     }
/// }
///
/// struct NumbersBackend;
///
/// impl Backend for NumbersBackend {
///     type Manager = Numbers;
///
///     fn manager(&self) -> Numbers {
///         Numbers
///     }
///     async fn make_dirty(&self, number: &mut u32) -> Option<()> {
///         *number = 8;
///         Some(())
///     }
///     async fn is_clean(&self, number: &mut u32) -> Option<bool> {
///         Some(*number == 7)
///     }
/// }
///
/// let report = run(NumbersBackend);
/// println!("{report}");
/// assert!(report.conforms());
/// assert!(report.passed().contains(&"recycle makes a dirty connection clean"));
/// // A number has no session, so nobody can count them.
/// assert!(report.not_applicable().contains(&"close ends the session at the server"));
/// ```
pub fn run<B: Backend>(backend: B) -> Report {
    let trial = Arc::new(Trial::new(backend));
    let mut report = Report {
        findings: Vec::new(),
    };
    for check in checks() {
        let start = Instant::now();
        let outcome = match why_skipped(&report, check.needs) {
            Some(why) => Outcome::Skipped(why),
            None => outcome(&trial, &check),
        };
        report.findings.push(Finding {
            check: check.name,
            outcome,
            took: start.elapsed(),
        });
    }
    report
}

/// Runs all checks against a backend, and panics unless it conforms.
///
/// # Panics
///
/// If a check fails. The message is the whole report.
///
/// # Examples
///
/// ```no_run
/// # use pool_conformance::Backend;
/// # fn example(backend: impl Backend) {
/// pool_conformance::assert_conforms(backend);
/// # }
/// ```
#[track_caller]
pub fn assert_conforms<B: Backend>(backend: B) {
    let report = run(backend);
    assert!(report.conforms(), "{report}");
}

/// The first check that failed among those that are needed, and among those that they need.
fn why_skipped(report: &Report, needs: &[&str]) -> Option<String> {
    let findings = report.findings.iter();
    let mut needed = findings.filter(|finding| needs.contains(&finding.check));
    needed.find_map(|finding| match &finding.outcome {
        Outcome::Failed(_) => Some(format!("\"{}\" failed", finding.check)),
        Outcome::Skipped(why) => Some(why.clone()),
        _ => None,
    })
}

/// Runs one check on a thread of its own, and watches that it comes forward.
fn outcome<B: Backend>(trial: &Arc<Trial<B>>, check: &Check<B>) -> Outcome {
    let (sender, receiver) = channel();
    let run = check.run;
    let on_thread = Arc::clone(trial);
    trial.pulse.beat("the start");
    thread::spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            on_thread.drive(async {
                match on_thread.note_sessions().await {
                    Ok(()) | Err(Stop::NotApplicable(_)) => run(&on_thread).await,
                    Err(stop) => Err(stop),
                }
            })
        }));
        // Nobody listens any more if the thread was blocked for too long.
        let _ = sender.send(outcome.map_err(|panic| message(&*panic)));
    });
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok(Ok(checked)) => return of(checked),
            Ok(Err(panic)) => {
                let (_, step) = trial.pulse.last();
                return Outcome::Failed(format!("a panic at {step}: {panic}"));
            }
            Err(RecvTimeoutError::Timeout) => {
                let (quiet, step) = trial.pulse.last();
                // A step under its deadline ends by then, unless it blocks the thread.
                if quiet > trial.limit() * 2 {
                    trial.end_outage_of_blocked_check();
                    return Outcome::Failed(format!("{step} blocks its thread for {quiet:?}"));
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Outcome::Failed("the thread of the check is gone".to_owned());
            }
        }
    }
}

fn of(checked: Checked) -> Outcome {
    match checked {
        Ok(()) => Outcome::Passed,
        Err(Stop::Failed(why)) => Outcome::Failed(why),
        Err(Stop::NotApplicable(why)) => Outcome::NotApplicable(why),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (None, Some(text)) => text.clone(),
        (None, None) => "a panic without a message".to_owned(),
    }
}
