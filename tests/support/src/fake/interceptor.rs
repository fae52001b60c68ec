//! A scripted interceptor, which shares the script and the log of the fake manager.

use std::future::Future;
use std::sync::Arc;

use pool_core::{ConnectionInfo, Interceptor};

use super::record::Record;
use super::{Call, FakeConnection, FakeControl, FakeError, FakeManager, InFlight, Verb};

/// Does at each point what the script of its [`FakeControl`] says.
pub struct FakeInterceptor {
    record: Arc<Record>,
    wants_before_acquire: bool,
    wants_after_release: bool,
}

impl FakeControl {
    /// An interceptor that this control scripts, for a pool of its manager.
    pub fn interceptor(&self) -> FakeInterceptor {
        FakeInterceptor {
            record: Arc::clone(self.record()),
            wants_before_acquire: true,
            wants_after_release: true,
        }
    }
}

impl FakeInterceptor {
    /// The same, which does not want these two points, or does.
    #[must_use]
    pub fn wanting(self, before_acquire: bool, after_release: bool) -> Self {
        Self {
            wants_before_acquire: before_acquire,
            wants_after_release: after_release,
            ..self
        }
    }

    fn at(
        &self,
        verb: Verb,
        connection: &FakeConnection,
    ) -> impl Future<Output = Result<(), FakeError>> + Send + use<> {
        if connection.marks().owner() != 0 {
            connection.blame("an interceptor gets it while somebody holds it");
        }
        Call::begin(&self.record, verb, connection.id()).perform()
    }
}

/// A connection that is in `after_connect`.
struct WithInterceptor(Arc<Record>);

impl WithInterceptor {
    fn new(record: &Arc<Record>) -> Self {
        record.page().in_after_connect += 1;
        Self(Arc::clone(record))
    }
}

impl Drop for WithInterceptor {
    fn drop(&mut self) {
        self.0.page().in_after_connect -= 1;
    }
}

impl Interceptor<FakeManager> for FakeInterceptor {
    fn before_connect(&self) -> impl Future<Output = Result<(), FakeError>> + Send {
        let flight = InFlight::new(&self.record);
        let call = Call::begin(&self.record, Verb::BeforeConnect, 0);
        async move {
            let _flight = flight;
            call.perform().await
        }
    }

    fn after_connect(
        &self,
        conn: &mut FakeConnection,
        info: &ConnectionInfo,
    ) -> impl Future<Output = Result<(), FakeError>> + Send {
        assert_eq!(info.uses(), 0, "nobody has used it yet");
        let with_interceptor = WithInterceptor::new(&self.record);
        let call = self.at(Verb::AfterConnect, conn);
        async move {
            let _with_interceptor = with_interceptor;
            call.await
        }
    }

    fn before_acquire(
        &self,
        conn: &mut FakeConnection,
        _: &ConnectionInfo,
    ) -> impl Future<Output = Result<(), FakeError>> + Send {
        self.at(Verb::BeforeAcquire, conn)
    }

    fn after_release(
        &self,
        conn: &mut FakeConnection,
        info: &ConnectionInfo,
    ) -> impl Future<Output = Result<(), FakeError>> + Send {
        assert!(
            info.uses() != 0 || conn.was_outside(),
            "somebody has used it"
        );
        self.at(Verb::AfterRelease, conn)
    }

    fn before_close(
        &self,
        conn: &mut FakeConnection,
        _: &ConnectionInfo,
    ) -> impl Future<Output = Result<(), FakeError>> + Send {
        self.at(Verb::BeforeClose, conn)
    }

    fn wants_before_acquire(&self) -> bool {
        self.wants_before_acquire
    }

    fn wants_after_release(&self) -> bool {
        self.wants_after_release
    }
}
