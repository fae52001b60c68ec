//! The deadline of a test that waits: it fails with HANG instead of blocking the whole run.

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// A generous deadline for a test that takes milliseconds when all is well.
pub const MINUTE: Duration = Duration::from_secs(60);

/// Runs the body on a thread of its own and panics with HANG when it takes longer than `limit`.
///
/// # Panics
///
/// With the body's own panic, or with `HANG: name`.
pub fn within<T: Send + 'static>(
    limit: Duration,
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (done, outcome) = mpsc::channel();
    let thread = thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let output = body();
            // The receiver is gone only when the deadline has struck already.
            let _ = done.send(output);
        })
        .expect("a thread can be started");
    match outcome.recv_timeout(limit) {
        Ok(output) => {
            thread.join().expect("the body has ended");
            output
        }
        Err(RecvTimeoutError::Timeout) => panic!("HANG: {name} took longer than {limit:?}"),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Ok(()) => unreachable!("a body that ends sends its output"),
            Err(panic) => std::panic::resume_unwind(panic),
        },
    }
}

/// Ends the process with HANG when it is not dropped in time: for tests that drive everything on their own thread,
/// where only a dead-lock or an endless loop can stop them.
#[derive(Clone)]
pub struct Watchdog {
    _leash: Arc<mpsc::Sender<()>>,
}

impl Watchdog {
    /// Watches from now on; the message names the current thread, which is the test.
    pub fn new(limit: Duration) -> Self {
        let (leash, cut) = mpsc::channel::<()>();
        let test = thread::current().name().unwrap_or("a test").to_owned();
        thread::Builder::new()
            .name("watchdog".into())
            .spawn(move || {
                if cut.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                    // Not eprintln: the message must get through although the test's output is captured.
                    let _ = writeln!(
                        std::io::stderr(),
                        "HANG: {test} took longer than {limit:?}; ending the process"
                    );
                    std::process::exit(101);
                }
            })
            .expect("a thread can be started");
        Self {
            _leash: Arc::new(leash),
        }
    }
}
