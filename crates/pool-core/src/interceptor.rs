//! What a user of a pool runs around the steps of its connections: the trait, its object-safe twin, and the list that a
//! pool keeps.

use std::future::Future;

use async_trait::async_trait;

use crate::panics::DropsQuietly;
use crate::{ConnectionInfo, Manager};

/// Runs at five points of the life of each connection of a pool; see
/// [`Builder::interceptor`](crate::Builder::interceptor).
///
/// Write the methods as plain `async fn`. All of them are provided and do nothing. A pool can have several interceptors; at
/// each point they run one after the other, in the order in which they were added, and the first error ends that.
///
/// Each method runs within the step that it belongs to and under the deadline of that step. The connection is discarded
/// if the method returns an error, panics, or is still running at the deadline. After an error it is closed, with
/// [`CloseReason::Intercepted`](crate::CloseReason::Intercepted); after a panic or at the deadline it is dropped,
/// because nobody knows what it would answer. Without a deadline for its step, a method that hangs keeps its connection
/// from everybody, as a method of a [`Manager`] does.
///
/// The methods run outside of the pool's lock and may call the pool. A method that acquires another connection of the
/// same pool can wait for itself.
///
/// | method | within | deadline |
/// |---|---|---|
/// | [`before_connect`](Self::before_connect), [`after_connect`](Self::after_connect) | the connect | `connect_timeout` |
/// | [`before_acquire`](Self::before_acquire) | the check, or a step of its own where no check is needed | `check_timeout` |
/// | [`after_release`](Self::after_release) | the recycle, or a step of its own where none is needed | `recycle_timeout` |
/// | [`before_close`](Self::before_close) | the close | `close_timeout` |
///
/// # Cancel safety
///
/// If the acquire is dropped, a method that has begun goes on or is dropped, as the check or the connect that it is part
/// of; see [`Acquire`](crate::Acquire). A connection whose method was dropped is dropped, too.
///
/// # Examples
///
/// Each request of a service sets the schema of its tenant before it gets a connection:
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use pool_core::{ConnectionInfo, Interceptor, Manager, Pool};
///
/// # #[derive(Debug)]
/// # struct Refused;
/// # impl std::fmt::Display for Refused {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("refused") }
/// # }
/// # impl std::error::Error for Refused {}
/// # struct Session { schema: String }
/// # impl Session {
/// #     async fn use_schema(&mut self, schema: &str) -> Result<(), Refused> {
/// #         self.schema = schema.to_owned();
/// #         Ok(())
/// #     }
/// # }
/// # struct Sessions;
/// # impl Manager for Sessions {
/// #     type Connection = Session;
/// #     type Error = Refused;
/// #     async fn connect(&self) -> Result<Session, Refused> { Ok(Session { schema: String::new() }) }
/// #     async fn check(&self, _: &mut Session) -> Result<(), Refused> { Ok(()) }
/// #     async fn recycle(&self, _: &mut Session) -> Result<(), Refused> { Ok(()) }
/// # }
/// struct SetTenant {
///     tenant: Arc<Mutex<String>>,
/// }
///
/// impl Interceptor<Sessions> for SetTenant {
///     async fn before_acquire(&self, conn: &mut Session, _: &ConnectionInfo) -> Result<(), Refused> {
///         let tenant = self.tenant.lock().expect("not poisoned").clone();
///         conn.use_schema(&tenant).await
///     }
///     // It does nothing on the way back, so a connection that is clean needs no step there.
///     fn wants_after_release(&self) -> bool {
///         false
///     }
/// }
///
/// # futures_lite::future::block_on(async {
/// let tenant = Arc::new(Mutex::new("blue".to_owned()));
/// let set_tenant = SetTenant { tenant: Arc::clone(&tenant) };
/// let pool = Pool::builder(Sessions).interceptor(set_tenant).build().await?;
/// assert_eq!(pool.acquire().await?.schema, "blue");
/// *tenant.lock().unwrap() = "green".to_owned();
/// assert_eq!(pool.acquire().await?.schema, "green");
/// # Ok::<(), pool_core::Error<Refused>>(())
/// # }).unwrap();
/// ```
pub trait Interceptor<M: Manager>: Send + Sync + 'static {
    /// Before each connect.
    ///
    /// # Errors
    ///
    /// The connect fails with the error, as if [`Manager::connect`] had returned it.
    fn before_connect(&self) -> impl Future<Output = Result<(), M::Error>> + Send {
        async { Ok(()) }
    }

    /// After each connect, before anybody can have the connection.
    ///
    /// # Errors
    ///
    /// The connect fails with the error, as if [`Manager::connect`] had returned it, and the connection is dropped.
    fn after_connect(
        &self,
        conn: &mut M::Connection,
        info: &ConnectionInfo,
    ) -> impl Future<Output = Result<(), M::Error>> + Send {
        let _ = (conn, info);
        async { Ok(()) }
    }

    /// Before a connection is handed out, after its check if it needs one.
    ///
    /// If the acquire is dropped meanwhile, the connection goes to the next one. If nobody waits, it becomes idle again, and
    /// this method runs again before the connection is handed out.
    ///
    /// # Errors
    ///
    /// The connection is closed. The caller keeps its turn and gets the next connection, and hears nothing of the error.
    /// Only if the connection was opened for the waiters just now, the acquire fails with
    /// [`Error::Check`](crate::Error::Check); otherwise an interceptor that refuses every connection would let the pool
    /// connect without end.
    fn before_acquire(
        &self,
        conn: &mut M::Connection,
        info: &ConnectionInfo,
    ) -> impl Future<Output = Result<(), M::Error>> + Send {
        let _ = (conn, info);
        async { Ok(()) }
    }

    /// After a connection came back and was recycled, or needed no recycle. It does not run for a connection that is
    /// discarded.
    ///
    /// # Errors
    ///
    /// The connection is closed. An awaited release returns the error as [`Error::Recycle`](crate::Error::Recycle).
    fn after_release(
        &self,
        conn: &mut M::Connection,
        info: &ConnectionInfo,
    ) -> impl Future<Output = Result<(), M::Error>> + Send {
        let _ = (conn, info);
        async { Ok(()) }
    }

    /// Before a connection is closed with [`Manager::close`]. It does not run where a connection is only dropped.
    ///
    /// # Errors
    ///
    /// The close goes on. Observers get the error with [`Event::Closed`](crate::Event::Closed).
    fn before_close(
        &self,
        conn: &mut M::Connection,
        info: &ConnectionInfo,
    ) -> impl Future<Output = Result<(), M::Error>> + Send {
        let _ = (conn, info);
        async { Ok(()) }
    }

    /// Whether the pool has to call [`before_acquire`](Self::before_acquire). It is called once, when the interceptor is
    /// added. The default is `true`.
    ///
    /// With `true` each hand-out of the pool needs a step of its own. An interceptor without that method returns `false`:
    /// then an acquire costs the same as without it.
    fn wants_before_acquire(&self) -> bool {
        true
    }

    /// Whether the pool has to call [`after_release`](Self::after_release). It is called once, when the interceptor is
    /// added. The default is `true`.
    ///
    /// With `true` each connection that comes back needs a step of its own, also after
    /// [`Verdict::Reuse`](crate::Verdict::Reuse). An interceptor without that method returns `false`.
    fn wants_after_release(&self) -> bool {
        true
    }
}

/// The object-safe twin of [`Interceptor`]; every [`Interceptor`] is one.
#[async_trait]
trait DynInterceptor<M: Manager>: Send + Sync {
    async fn before_connect(&self) -> Result<(), M::Error>;
    async fn after_connect(
        &self,
        conn: &mut M::Connection,
        info: &ConnectionInfo,
    ) -> Result<(), M::Error>;
    async fn before_acquire(
        &self,
        conn: &mut M::Connection,
        info: &ConnectionInfo,
    ) -> Result<(), M::Error>;
    async fn after_release(
        &self,
        conn: &mut M::Connection,
        info: &ConnectionInfo,
    ) -> Result<(), M::Error>;
    async fn before_close(
        &self,
        conn: &mut M::Connection,
        info: &ConnectionInfo,
    ) -> Result<(), M::Error>;
}

#[async_trait]
impl<M: Manager, I: Interceptor<M>> DynInterceptor<M> for I {
    async fn before_connect(&self) -> Result<(), M::Error> {
        Interceptor::before_connect(self).await
    }
    async fn after_connect(
        &self,
        conn: &mut M::Connection,
        info: &ConnectionInfo,
    ) -> Result<(), M::Error> {
        Interceptor::after_connect(self, conn, info).await
    }
    async fn before_acquire(
        &self,
        conn: &mut M::Connection,
        info: &ConnectionInfo,
    ) -> Result<(), M::Error> {
        Interceptor::before_acquire(self, conn, info).await
    }
    async fn after_release(
        &self,
        conn: &mut M::Connection,
        info: &ConnectionInfo,
    ) -> Result<(), M::Error> {
        Interceptor::after_release(self, conn, info).await
    }
    async fn before_close(
        &self,
        conn: &mut M::Connection,
        info: &ConnectionInfo,
    ) -> Result<(), M::Error> {
        Interceptor::before_close(self, conn, info).await
    }
}

/// An interceptor, and what it has said it wants.
struct Added<M: Manager> {
    interceptor: DropsQuietly<Box<dyn DynInterceptor<M>>>,
    wants_before_acquire: bool,
    wants_after_release: bool,
}

/// The interceptors of a pool, in the order in which they were added.
pub(crate) struct Interceptors<M: Manager>(Vec<Added<M>>);

impl<M: Manager> Interceptors<M> {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn add(&mut self, interceptor: impl Interceptor<M>) {
        self.0.push(Added {
            wants_before_acquire: interceptor.wants_before_acquire(),
            wants_after_release: interceptor.wants_after_release(),
            interceptor: DropsQuietly::new(Box::new(interceptor)),
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a connection needs a step before it is handed out.
    pub(crate) fn want_before_acquire(&self) -> bool {
        self.0.iter().any(|added| added.wants_before_acquire)
    }

    /// Whether a connection needs a step when it comes back.
    pub(crate) fn want_after_release(&self) -> bool {
        self.0.iter().any(|added| added.wants_after_release)
    }

    pub(crate) async fn before_connect(&self) -> Result<(), M::Error> {
        for added in &self.0 {
            added.interceptor.before_connect().await?;
        }
        Ok(())
    }

    pub(crate) async fn after_connect(
        &self,
        conn: &mut M::Connection,
        info: &ConnectionInfo,
    ) -> Result<(), M::Error> {
        for added in &self.0 {
            added.interceptor.after_connect(conn, info).await?;
        }
        Ok(())
    }

    pub(crate) async fn before_acquire(
        &self,
        conn: &mut M::Connection,
        info: &ConnectionInfo,
    ) -> Result<(), M::Error> {
        for added in self.0.iter().filter(|added| added.wants_before_acquire) {
            added.interceptor.before_acquire(conn, info).await?;
        }
        Ok(())
    }

    pub(crate) async fn after_release(
        &self,
        conn: &mut M::Connection,
        info: &ConnectionInfo,
    ) -> Result<(), M::Error> {
        for added in self.0.iter().filter(|added| added.wants_after_release) {
            added.interceptor.after_release(conn, info).await?;
        }
        Ok(())
    }

    /// All of them are called. The first error comes out.
    pub(crate) async fn before_close(
        &self,
        conn: &mut M::Connection,
        info: &ConnectionInfo,
    ) -> Result<(), M::Error> {
        let mut result = Ok(());
        for added in &self.0 {
            let asked = added.interceptor.before_close(conn, info).await;
            result = result.and(asked);
        }
        result
    }
}
