//! What a check works with: the backend, its means under a deadline, and the count of sessions.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_lite::future;
use pool_core::{Builder, Manager, Pool, PooledConnection, Runtime, ThreadTimer, Verdict};

use crate::backend::{Backend, ConnectionOf};
use crate::outage::Outage;
use crate::polls::Polls;
use crate::pulse::Pulse;
use crate::stop::{Checked, failed, given};

/// A backend under test.
pub(crate) struct Trial<B> {
    pub(crate) backend: B,
    pub(crate) pulse: Pulse,
    /// The sessions that were there before the present check.
    sessions_before: AtomicUsize,
    pub(crate) outage: Outage,
}

impl<B: Backend> Trial<B> {
    pub(crate) fn new(backend: B) -> Self {
        Self {
            backend,
            pulse: Pulse::new(),
            // The first count is the first that is taken.
            sessions_before: AtomicUsize::new(usize::MAX),
            outage: Outage::default(),
        }
    }

    pub(crate) fn limit(&self) -> Duration {
        self.backend.step_limit()
    }

    /// Drives a future to its end on this thread.
    pub(crate) fn drive<T>(&self, future: impl Future<Output = T>) -> T {
        let mut output = None;
        let task = async { output = Some(future.await) };
        self.backend.block_on(std::pin::pin!(task));
        output.expect("`block_on` drives the future to its end")
    }

    /// A step under the deadline. The step is polled only when it was woken.
    pub(crate) async fn within<T>(&self, what: &str, step: impl Future<Output = T>) -> Checked<T> {
        match self.polled(usize::MAX, what, step).await? {
            Some(output) => Ok(output),
            None => unreachable!("nothing is polled that often"),
        }
    }

    /// The same with at most so many polls; `None` if the step was not complete by then. The step is dropped when this
    /// returns.
    pub(crate) async fn polled<T>(
        &self,
        most: usize,
        what: &str,
        step: impl Future<Output = T>,
    ) -> Checked<Option<T>> {
        self.pulse.beat(what);
        let end = ThreadTimer::new().sleep_until(Instant::now() + self.limit());
        let step = async { Some(Polls::at_most(most, step).await) };
        let end = async {
            end.await;
            None
        };
        let answer = future::or(step, end).await;
        self.pulse.beat(what);
        match answer {
            Some(answer) => Ok(answer),
            None => failed(format!(
                "{what} is not done and was not woken after {:?}",
                self.limit()
            )),
        }
    }

    pub(crate) async fn pause(&self, time: Duration) {
        ThreadTimer::new().sleep_until(Instant::now() + time).await;
    }

    // The steps of the manager.

    pub(crate) async fn connect(&self, manager: &B::Manager) -> Checked<ConnectionOf<B>> {
        match self.within("connect", manager.connect()).await? {
            Ok(conn) => Ok(conn),
            Err(error) => failed(format!("connect failed: {error}")),
        }
    }

    pub(crate) async fn close(&self, manager: &B::Manager, conn: ConnectionOf<B>) -> Checked {
        self.within("close", manager.close(conn)).await
    }

    pub(crate) fn on_release(&self, manager: &B::Manager, conn: &mut ConnectionOf<B>) -> Verdict {
        self.call("on_release", || manager.on_release(conn))
    }

    /// Calls a method that does not wait. If it blocks or panics, the check that fails names it.
    pub(crate) fn call<T>(&self, what: &str, method: impl FnOnce() -> T) -> T {
        self.pulse.beat(what);
        let answer = method();
        self.pulse.beat(what);
        answer
    }

    /// Uses a connection; says whether it works.
    pub(crate) async fn works(
        &self,
        manager: &B::Manager,
        conn: &mut ConnectionOf<B>,
    ) -> Checked<bool> {
        if let Some(works) = self.within("ping", self.backend.ping(conn)).await? {
            return Ok(works);
        }
        let checked = self.within("check", manager.check(conn)).await?;
        Ok(checked.is_ok())
    }

    // The means of the backend.

    pub(crate) async fn identity(&self, conn: &mut ConnectionOf<B>) -> Checked<Option<String>> {
        self.within("identity", self.backend.identity(conn)).await
    }

    /// Uses a new connection once, and breaks it. Where a protocol has no handshake, the server knows a connection only
    /// after its first use.
    pub(crate) async fn use_and_break(
        &self,
        manager: &B::Manager,
        conn: &mut ConnectionOf<B>,
    ) -> Checked {
        if !self.works(manager, conn).await? {
            return failed("a new connection does not work");
        }
        let step = self.backend.break_connection(conn);
        let answer = self.within("break_connection", step).await?;
        given(answer, "break_connection")
    }

    pub(crate) async fn make_dirty(&self, conn: &mut ConnectionOf<B>) -> Checked {
        let answer = self.within("make_dirty", self.backend.make_dirty(conn));
        given(answer.await?, "make_dirty")
    }

    pub(crate) async fn is_clean(&self, conn: &mut ConnectionOf<B>) -> Checked<bool> {
        let answer = self.within("is_clean", self.backend.is_clean(conn));
        given(answer.await?, "is_clean")
    }

    // The count of sessions.

    async fn sessions(&self) -> Checked<usize> {
        let answer = self.within("sessions", self.backend.sessions()).await?;
        given(answer, "sessions")
    }

    /// Notes how many sessions there are before a check. A session of an earlier check may still be on its way out.
    pub(crate) async fn note_sessions(&self) -> Checked {
        let start = Instant::now();
        let before = self.sessions_before.load(Ordering::SeqCst);
        let mut now = self.sessions().await?;
        while now > before && start.elapsed() < self.limit() {
            self.pause(Duration::from_millis(5)).await;
            now = self.sessions().await?;
        }
        self.sessions_before.store(now, Ordering::SeqCst);
        Ok(())
    }

    /// Waits until there are as many sessions as before the check.
    pub(crate) async fn sessions_are_back(&self, when: &str) -> Checked {
        self.sessions_are_more_by(0, when).await
    }

    /// Waits until there are so many sessions more than before the check.
    pub(crate) async fn sessions_are_more_by(&self, more: usize, when: &str) -> Checked {
        let start = Instant::now();
        loop {
            let now = self.sessions().await?;
            let wanted = self.sessions_before.load(Ordering::SeqCst) + more;
            if now == wanted {
                return Ok(());
            }
            if start.elapsed() > self.limit() {
                return failed(format!(
                    "{when}, the server has {now} sessions; {wanted} are expected"
                ));
            }
            self.pause(Duration::from_millis(2)).await;
        }
    }

    // Pools.

    /// A builder for a pool that is empty at first.
    pub(crate) fn builder(&self, maxsize: usize) -> Builder<B::Manager> {
        let builder = Pool::builder(self.backend.manager());
        let builder = builder.minsize(0).maxsize(maxsize);
        match self.backend.runtime() {
            Some(runtime) => builder.runtime(runtime),
            None => builder,
        }
    }

    pub(crate) fn build(&self, builder: Builder<B::Manager>) -> Checked<Pool<B::Manager>> {
        match builder.build_lazy() {
            Ok(pool) => Ok(pool),
            Err(error) => failed(format!("no pool can be built: {error}")),
        }
    }

    pub(crate) async fn acquire(
        &self,
        pool: &Pool<B::Manager>,
    ) -> Checked<PooledConnection<B::Manager>> {
        match self.within("acquire", pool.acquire()).await? {
            Ok(conn) => Ok(conn),
            Err(error) => failed(format!("acquire failed: {error}")),
        }
    }

    /// Closes a pool, and waits until it is closed.
    pub(crate) async fn close_pool(&self, pool: &Pool<B::Manager>) -> Checked {
        pool.close();
        if let Err(error) = self.within("wait_closed", pool.wait_closed()).await? {
            return failed(format!("wait_closed failed: {error}"));
        }
        Ok(())
    }
}
