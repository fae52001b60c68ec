//! What a backend implements: how to connect, to check and to recycle.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::ConfigError;

/// A backend: how to open a connection, how to see that an idle one still lives, how to clean a used one.
///
/// Three methods are required; write them as plain `async fn`. The provided ones have defaults that suit a
/// connection which is closed by dropping it. The pool calls every method outside its lock, under the deadline
/// that belongs to the step, and survives a panic or a hang in any of them.
///
/// # Cancel safety
///
/// The pool drops the future of a step when the step's deadline strikes and then drops the connection with it, so
/// an implementation needs no cleverness of its own.
///
/// # Examples
///
/// ```
/// use std::convert::Infallible;
/// use pool_core::{Manager, Pool};
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
///     async fn recycle(&self, _: &mut u32) -> Result<(), Infallible> {
///         Ok(())
///     }
/// }
///
/// # futures_lite::future::block_on(async {
/// let pool = Pool::builder(Numbers).build().await?;
/// assert_eq!(*pool.acquire().await?, 7);
/// # Ok::<(), pool_core::Error<Infallible>>(())
/// # }).unwrap();
/// ```
pub trait Manager: Send + Sync + 'static {
    /// What the pool keeps.
    type Connection: Send + 'static;
    /// How connecting, checking and recycling fail.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Opens a new connection.
    ///
    /// # Errors
    ///
    /// An error goes to the first waiter as [`Error::Connect`](crate::Error::Connect).
    fn connect(&self) -> impl Future<Output = Result<Self::Connection, Self::Error>> + Send;

    /// On the way out: does this idle connection still live?
    ///
    /// # Errors
    ///
    /// An error means: discard it and try the next; the caller of `acquire` does not see it.
    fn check(
        &self,
        conn: &mut Self::Connection,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// On the way back: makes a used connection clean for the next user.
    ///
    /// # Errors
    ///
    /// An error means: discard it. An awaited release reports it as [`Error::Recycle`](crate::Error::Recycle).
    fn recycle(
        &self,
        conn: &mut Self::Connection,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Decides, at once and without I/O, what becomes of a connection that comes back (also from `Drop`).
    ///
    /// The default is [`Verdict::Recycle`]. It is not asked for a guard that is dropped while its thread unwinds:
    /// such a connection is discarded.
    fn on_release(&self, conn: &mut Self::Connection) -> Verdict {
        let _ = conn;
        Verdict::Recycle
    }

    /// Says goodbye to a connection that leaves the pool; the default drops it.
    ///
    /// A connection whose step panicked or ran into its deadline is dropped without goodbye: nobody knows what it
    /// would answer.
    fn close(&self, conn: Self::Connection) -> impl Future<Output = ()> + Send {
        async move { drop(conn) }
    }

    /// Asked once, right after connect: a way to abort this connection from outside while somebody holds it.
    ///
    /// [`Pool::terminate`](crate::Pool::terminate) uses it. The default is `None`.
    fn abort_handle(&self, conn: &Self::Connection) -> Option<AbortHandle> {
        let _ = conn;
        None
    }

    /// Asked once, right after connect: for how long may this connection be idle? The default is `None`, for ever.
    ///
    /// For a backend whose server closes what is idle: the pool closes it before, as with
    /// [`pool_recycle`](crate::Builder::pool_recycle). With [`CheckPolicy`](crate::CheckPolicy) `Never` or `Always` and no
    /// `pool_recycle` the pool does not look how long a connection is idle, and this is without effect.
    fn idle_limit(&self, conn: &Self::Connection) -> Option<Duration> {
        let _ = conn;
        None
    }

    /// What kind of failure of a connect is this? The default is [`ErrorClass::Transient`].
    ///
    /// It drives the back-off of background connects, and nothing else today: see [`ErrorClass`].
    fn classify(&self, error: &Self::Error) -> ErrorClass {
        let _ = error;
        ErrorClass::Transient
    }

    /// Called once when the pool is built: are the manager's own options usable? The default is `Ok`.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the option; building the pool fails with it.
    fn validate(&self) -> Result<(), ConfigError> {
        Ok(())
    }

    /// Called once when the pool is built, with the pool's `echo` setting; the default does nothing.
    fn set_echo(&mut self, on: bool) {
        let _ = on;
    }
}

/// What becomes of a connection that comes back.
///
/// # Examples
///
/// ```
/// use pool_core::{Manager, Verdict};
///
/// struct Session { broken: bool, touched: bool }
///
/// struct Sessions;
///
/// impl Manager for Sessions {
///     type Connection = Session;
///     type Error = std::io::Error;
///
///     fn on_release(&self, session: &mut Session) -> Verdict {
///         match session {
///             Session { broken: true, .. } => Verdict::Discard,
///             Session { touched: true, .. } => Verdict::Recycle,
///             _ => Verdict::Reuse,
///         }
///     }
///     // connect, check and recycle as ever
/// #    async fn connect(&self) -> std::io::Result<Session> {
/// #        Ok(Session { broken: false, touched: false })
/// #    }
/// #    async fn check(&self, _: &mut Session) -> std::io::Result<()> {
/// #        Ok(())
/// #    }
/// #    async fn recycle(&self, session: &mut Session) -> std::io::Result<()> {
/// #        session.touched = false;
/// #        Ok(())
/// #    }
/// }
/// # let mut session = Session { broken: false, touched: true };
/// # assert_eq!(Sessions.on_release(&mut session), Verdict::Recycle);
/// # session.broken = true;
/// # assert_eq!(Sessions.on_release(&mut session), Verdict::Discard);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is clean as it is: hand it to the next user without [`Manager::recycle`].
    Reuse,
    /// Run [`Manager::recycle`] first.
    Recycle,
    /// It is broken or must not be shared again: close it.
    Discard,
}

/// What kind of failure a manager's error is.
///
/// After a background connect that failed, the next one waits 100 ms, and twice as long each time up to 10 s; after
/// [`Auth`](Self::Auth), [`Config`](Self::Config) or [`Fatal`](Self::Fatal) it waits 10 s at once. The others are told
/// apart for whoever reads them. A connect that a waiter needs is not held back.
///
/// # Examples
///
/// ```
/// use std::io::{Error, ErrorKind};
/// use pool_core::{ErrorClass, Manager};
///
/// struct Files;
///
/// impl Manager for Files {
///     type Connection = std::fs::File;
///     type Error = Error;
///
///     fn classify(&self, error: &Error) -> ErrorClass {
///         match error.kind() {
///             ErrorKind::PermissionDenied => ErrorClass::Auth,
///             ErrorKind::NotFound => ErrorClass::Config,
///             _ => ErrorClass::Transient,
///         }
///     }
///     // connect, check and recycle as ever
/// #    async fn connect(&self) -> Result<std::fs::File, Error> {
/// #        std::fs::File::open("Cargo.toml")
/// #    }
/// #    async fn check(&self, _: &mut std::fs::File) -> Result<(), Error> {
/// #        Ok(())
/// #    }
/// #    async fn recycle(&self, _: &mut std::fs::File) -> Result<(), Error> {
/// #        Ok(())
/// #    }
/// }
/// # assert_eq!(Files.classify(&ErrorKind::NotFound.into()), ErrorClass::Config);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// It may work the next time.
    Transient,
    /// The credentials were refused; trying again soon can lock the account.
    Auth,
    /// The options are wrong (an unknown host, a missing database); no retry mends that.
    Config,
    /// The server has no room for another connection just now.
    Overloaded,
    /// The server answers, but does not take writes.
    ReadOnly,
    /// It will not work again.
    Fatal,
}

/// A way to abort a connection from outside while somebody holds it.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use pool_core::AbortHandle;
///
/// let aborted = Arc::new(AtomicBool::new(false));
/// let flag = Arc::clone(&aborted);
/// let handle = AbortHandle::new(move || flag.store(true, Ordering::SeqCst));
/// # drop(handle);
/// ```
pub struct AbortHandle {
    abort: Box<dyn FnOnce() + Send>,
}

impl AbortHandle {
    /// Makes a handle from what is to be done; it must return at once and is called at most once, from any thread.
    pub fn new(abort: impl FnOnce() + Send + 'static) -> Self {
        Self {
            abort: Box::new(abort),
        }
    }

    /// Aborts the connection.
    pub(crate) fn abort(self) {
        (self.abort)();
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle").finish_non_exhaustive()
    }
}
