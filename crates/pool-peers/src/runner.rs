//! Runs one scenario with one kind of pool on a thread of its own.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;

use crate::peer::{Kind, Offer};
use crate::server::Server;
use crate::world::{Check, Fault, World};

/// A scenario that takes longer than this hangs, unless it has a limit of its own. Its thread is left alone.
const HARD_LIMIT: Duration = Duration::from_secs(12);

/// The function of a scenario. Its future stays on one thread.
pub(crate) type Run = fn(World) -> Pin<Box<dyn Future<Output = Check>>>;

/// Where the tasks of a scenario run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    /// On the thread of the scenario, so that the pool's tasks run only while the scenario waits.
    One,
    /// On two more threads.
    Two,
}

/// A scenario.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) needs: &'static [Offer],
    pub(crate) threads: Threads,
    /// After how long it hangs.
    pub(crate) limit: Duration,
    pub(crate) run: Run,
}

/// A cell of the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Pass,
    Fault(Fault),
    Absent(Offer),
}

impl Scenario {
    /// A scenario that every pool can express, on one thread.
    pub(crate) const fn new(id: &'static str, name: &'static str, run: Run) -> Self {
        Self {
            id,
            name,
            needs: &[],
            threads: Threads::One,
            limit: HARD_LIMIT,
            run,
        }
    }

    pub(crate) const fn needs(mut self, needs: &'static [Offer]) -> Self {
        self.needs = needs;
        self
    }

    pub(crate) const fn on_two_threads(mut self) -> Self {
        self.threads = Threads::Two;
        self
    }

    pub(crate) const fn at_most(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs the scenario with this kind of pool.
    pub(crate) fn cell(self, kind: Kind) -> Cell {
        if let Some(absent) = self.needs.iter().find(|need| !kind.offers.contains(need)) {
            return Cell::Absent(*absent);
        }
        let (done, ended) = mpsc::channel();
        let scenario = thread::Builder::new()
            .name(format!("{} {}", self.id, kind.name))
            .spawn(move || {
                let check = self.run_here(kind);
                // Nobody listens after the hard limit.
                let _ = done.send(check);
            })
            .expect("a thread can be spawned");
        let check = match ended.recv_timeout(self.limit) {
            Ok(check) => check,
            Err(RecvTimeoutError::Timeout) => {
                Err(Fault::Hang("the scenario does not come back".into()))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let panic = scenario.join().expect_err("it sent nothing");
                Err(Fault::Fail(format!("panics: {}", message(&*panic))))
            }
        };
        match check {
            Ok(()) => Cell::Pass,
            Err(fault) => Cell::Fault(fault),
        }
    }

    fn run_here(self, kind: Kind) -> Check {
        let runtime = match self.threads {
            Threads::One => Builder::new_current_thread().enable_time().build(),
            Threads::Two => Builder::new_multi_thread()
                .worker_threads(2)
                .enable_time()
                .build(),
        };
        let runtime = runtime.expect("a runtime can be built");
        let world = World {
            server: Server::default(),
            kind,
        };
        let check = runtime.block_on((self.run)(world));
        runtime.shutdown_background();
        check
    }
}

/// The message of a panic.
pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_string(),
        (_, Some(text)) => text.clone(),
        _ => "without a message".to_string(),
    }
}
