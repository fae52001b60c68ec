//! A scripted manager whose every step the test decides, and which watches the pool while it serves it.

mod connection;
mod control;
mod interceptor;
mod record;
mod step;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use pool_core::{
    AbortHandle, ConfigError, ErrorClass, Manager, Pool, PooledConnection, Runtime, Verdict,
};

pub use self::connection::{FakeConnection, Held, Marks, hold};
pub use self::control::FakeControl;
pub use self::interceptor::FakeInterceptor;
use self::record::Record;
pub use self::step::{FakeError, Step, Verb};

/// A pool of fake connections.
pub type FakePool = Pool<FakeManager>;
/// Its guard.
pub type FakeGuard = PooledConnection<FakeManager>;

/// The scripted manager. Everything goes well unless its [`FakeControl`] says otherwise.
pub struct FakeManager {
    record: Arc<Record>,
    alive: Arc<()>,
    refusal: Option<ConfigError>,
}

impl FakeManager {
    /// A manager that watches no bound.
    pub fn new() -> Self {
        Self::bounded(0)
    }

    /// A manager that watches that never more than `maxsize` connections and connects exist 0 = no bound.
    pub fn bounded(maxsize: usize) -> Self {
        Self {
            record: Arc::new(Record::new(maxsize)),
            alive: Arc::new(()),
            refusal: None,
        }
    }

    /// The clock for [`Step::Delay`].
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Runtime>) -> Self {
        assert!(self.record.clock.set(clock).is_ok(), "one clock is enough");
        self
    }

    /// Answers `validate` with this error.
    #[must_use]
    pub fn refusing(mut self, error: ConfigError) -> Self {
        self.refusal = Some(error);
        self
    }

    /// The handle that the test keeps.
    pub fn control(&self) -> FakeControl {
        FakeControl::new(Arc::clone(&self.record), Arc::downgrade(&self.alive))
    }

    /// A call that may take time: what `perform` does when it is polled.
    fn begin(&self, verb: Verb, connection: u64) -> Call {
        Call::begin(&self.record, verb, connection)
    }

    /// A call that is not async.
    fn perform_now(&self, verb: Verb, connection: u64) {
        let (_, step) = self.record.begin(verb, connection);
        if matches!(step, Step::Panic | Step::PanicInCall) {
            panic!("scripted: {verb:?} panics");
        }
    }
}

impl Default for FakeManager {
    fn default() -> Self {
        Self::new()
    }
}

struct Call {
    record: Arc<Record>,
    verb: Verb,
    call: usize,
    step: Step,
}

impl Call {
    fn begin(record: &Arc<Record>, verb: Verb, connection: u64) -> Self {
        let (call, step) = record.begin(verb, connection);
        if matches!(step, Step::PanicInCall) {
            panic!("scripted: the call of {verb:?} panics");
        }
        Self {
            record: Arc::clone(record),
            verb,
            call,
            step,
        }
    }

    async fn perform(self) -> Result<(), FakeError> {
        let Self {
            record,
            verb,
            call,
            step,
        } = self;
        let failure = |class| Err(FakeError::Scripted { verb, call, class });
        for step in step.in_order() {
            match step {
                Step::Ok => {}
                Step::Err => return failure(ErrorClass::Transient),
                Step::Fail(class) => return failure(class),
                Step::Pend => std::future::pending().await,
                Step::Gate(gate) => gate.wait().await,
                Step::Panic | Step::PanicInCall => panic!("scripted: {verb:?} panics"),
                Step::Delay(time) => {
                    let clock = record
                        .clock
                        .get()
                        .expect("a manager with delays has a clock");
                    clock.sleep_until(clock.now() + time).await;
                }
                Step::Then(_) => unreachable!("the steps are in order"),
            }
        }
        Ok(())
    }
}

/// A connect in flight; gives its place in the count back when it is dropped.
struct InFlight {
    record: Arc<Record>,
    landed: bool,
}

impl InFlight {
    fn new(record: &Arc<Record>) -> Self {
        let mut page = record.page();
        page.in_connect += 1;
        record.watch_bound(&mut page);
        drop(page);
        Self {
            record: Arc::clone(record),
            landed: false,
        }
    }

    /// The connect has succeeded: in one moment the flight ends and the connection is there.
    fn land(mut self) -> FakeConnection {
        let record = Arc::clone(&self.record);
        let mut page = record.page();
        page.in_connect -= 1;
        page.made += 1;
        let id = page.made as u64;
        let marks = Arc::new(Marks::default());
        page.connections.insert(id, Arc::clone(&marks));
        record.watch_bound(&mut page);
        let echo = page.echo == Some(true);
        drop(page);
        self.landed = true;
        FakeConnection::new(id, marks, record, echo)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if !self.landed {
            self.record.page().in_connect -= 1;
        }
    }
}

impl Manager for FakeManager {
    type Connection = FakeConnection;
    type Error = FakeError;

    fn connect(&self) -> impl Future<Output = Result<FakeConnection, FakeError>> + Send {
        let flight = InFlight::new(&self.record);
        let call = self.begin(Verb::Connect, 0);
        async move {
            // Owned by the future, so that it ends with it, however that ends.
            let flight = flight;
            call.perform().await?;
            Ok(flight.land())
        }
    }

    fn check(
        &self,
        conn: &mut FakeConnection,
    ) -> impl Future<Output = Result<(), FakeError>> + Send {
        if conn.marks().owner() != 0 {
            conn.blame("it is checked while somebody holds it");
        }
        let call = self.begin(Verb::Check, conn.id());
        async move {
            call.perform().await?;
            conn.works()
        }
    }

    fn recycle(
        &self,
        conn: &mut FakeConnection,
    ) -> impl Future<Output = Result<(), FakeError>> + Send {
        if conn.marks().owner() != 0 {
            conn.blame("it is recycled while somebody holds it");
        }
        let call = self.begin(Verb::Recycle, conn.id());
        async move {
            call.perform().await?;
            conn.works()?;
            conn.make_clean();
            Ok(())
        }
    }

    fn on_release(&self, conn: &mut FakeConnection) -> Verdict {
        self.perform_now(Verb::OnRelease, conn.id());
        let mut page = self.record.page();
        let scripted = page.verdicts.pop_front().or(page.verdict);
        drop(page);
        scripted.unwrap_or(match conn.works() {
            Ok(_) => Verdict::Recycle,
            Err(_) => Verdict::Discard,
        })
    }

    fn was_unused(&self, conn: &FakeConnection) -> bool {
        !conn.marks().sent.load(Ordering::SeqCst)
    }

    fn close(&self, conn: FakeConnection) -> impl Future<Output = ()> + Send {
        let call = self.begin(Verb::Close, conn.id());
        async move {
            // A close that fails is a close.
            let _ = call.perform().await;
            drop(conn);
        }
    }

    fn abort_handle(&self, conn: &FakeConnection) -> Option<AbortHandle> {
        self.perform_now(Verb::AbortHandle, conn.id());
        if !self.record.page().abort_handles {
            return None;
        }
        let marks = Arc::clone(conn.marks());
        let record = Arc::clone(&self.record);
        let id = conn.id();
        Some(AbortHandle::new(move || {
            marks.aborted.store(true, Ordering::SeqCst);
            let (_, step) = record.begin(Verb::Abort, id);
            if matches!(step, Step::Panic | Step::PanicInCall) {
                panic!("scripted: the abort of connection {id} panics");
            }
        }))
    }

    fn classify(&self, error: &FakeError) -> ErrorClass {
        self.perform_now(Verb::Classify, 0);
        match error {
            FakeError::Scripted { class, .. } => *class,
            FakeError::Broken(_) => ErrorClass::Transient,
        }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        match &self.refusal {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    fn set_echo(&mut self, on: bool) {
        self.record.page().echo = Some(on);
    }
}
