//! A server that is silent or stopped for a part of a check. Afterwards it goes on in any case.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use futures_lite::future::FutureExt;

use crate::backend::Backend;
use crate::stop::{Checked, given};
use crate::trial::Trial;

/// What keeps the server from answering at present.
#[derive(Default)]
pub(crate) struct Outage {
    is_paused: AtomicBool,
    is_stopped: AtomicBool,
}

impl<B: Backend> Trial<B> {
    /// Runs a part of a check while the server is silent.
    pub(crate) async fn while_paused<T>(
        &self,
        part: impl AsyncFnOnce() -> Checked<T>,
    ) -> Checked<T> {
        let paused = self.within("pause_server", self.backend.pause_server());
        given(paused.await?, "pause_server")?;
        self.outage.is_paused.store(true, Ordering::SeqCst);
        self.during_outage(part).await
    }

    /// Runs a part of a check while the server is stopped.
    pub(crate) async fn while_stopped<T>(
        &self,
        part: impl AsyncFnOnce() -> Checked<T>,
    ) -> Checked<T> {
        let stopped = self.within("stop_server", self.backend.stop_server());
        given(stopped.await?, "stop_server")?;
        self.outage.is_stopped.store(true, Ordering::SeqCst);
        self.during_outage(part).await
    }

    async fn during_outage<T>(&self, part: impl AsyncFnOnce() -> Checked<T>) -> Checked<T> {
        let result = AssertUnwindSafe(part()).catch_unwind().await;
        // A panic is reported with the step that was last, which must not be the end of the outage.
        let (_, step) = self.pulse.last();
        self.end_outage().await?;
        match result {
            Ok(result) => result,
            Err(panic) => {
                self.pulse.beat(&step);
                resume_unwind(panic)
            }
        }
    }

    async fn end_outage(&self) -> Checked {
        if self.outage.is_paused.swap(false, Ordering::SeqCst) {
            let resumed = self.within("resume_server", self.backend.resume_server());
            given(resumed.await?, "resume_server")?;
        }
        if self.outage.is_stopped.swap(false, Ordering::SeqCst) {
            let started = self.within("start_server", self.backend.start_server());
            given(started.await?, "start_server")?;
        }
        Ok(())
    }

    /// Lets the server go on after a check whose thread is blocked.
    pub(crate) fn end_outage_of_blocked_check(&self) {
        // What comes out of it does not matter: the check has already failed.
        let _ = self.drive(self.end_outage());
    }
}
