//! What a backend implements: how to connect, to check and to recycle.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::ConfigError;

/// A backend: it opens connections, checks that an idle one still works, and cleans a used one.
///
/// Three methods are required. Write them as plain `async fn`. The defaults of the others suit a
/// connection that is closed by its drop. The pool calls each method outside its lock and under the deadline
/// of the step. A panic or a hang in a method costs the pool nothing but that connection.
///
/// # Cancel safety
///
/// When the deadline of a step strikes, the pool drops the future of the step and then the connection. So an
/// implementation need not be cancel-safe.
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
    /// A connection of this backend.
    type Connection: Send + 'static;
    /// The error of connect, check and recycle.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Opens a new connection.
    ///
    /// # Errors
    ///
    /// An error goes to the first waiter as [`Error::Connect`](crate::Error::Connect).
    fn connect(&self) -> impl Future<Output = Result<Self::Connection, Self::Error>> + Send;

    /// Checks that an idle connection still works, before it is handed out.
    ///
    /// # Errors
    ///
    /// After an error the pool discards the connection and tries the next one. The caller of `acquire` does not see the
    /// error.
    fn check(
        &self,
        conn: &mut Self::Connection,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Makes a used connection clean for the next user, after it came back.
    ///
    /// # Errors
    ///
    /// After an error the pool discards the connection. An awaited release returns the error as
    /// [`Error::Recycle`](crate::Error::Recycle).
    fn recycle(
        &self,
        conn: &mut Self::Connection,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Decides what happens to a connection that comes back, also from `Drop`. It must not wait and must not do I/O.
    ///
    /// The default is [`Verdict::Recycle`]. The pool does not call it for a guard that is dropped while its thread
    /// unwinds: it drops that connection, without [`close`](Self::close).
    fn on_release(&self, conn: &mut Self::Connection) -> Verdict {
        let _ = conn;
        Verdict::Recycle
    }

    /// Says why a connection is not wanted back, after [`on_release`](Self::on_release) has said
    /// [`Verdict::Discard`]. The default is `None`.
    ///
    /// The words end a sentence in [`CloseReason::Broken`](crate::CloseReason::Broken), such as "a command was cancelled".
    fn discard_reason(&self, conn: &Self::Connection) -> Option<Cow<'static, str>> {
        let _ = conn;
        None
    }

    /// Whether a connection was lost, after [`on_release`](Self::on_release) has said [`Verdict::Discard`]: its server or the
    /// network has ended it. The default is `true`.
    ///
    /// What ended it may have ended the others too, so under [`CheckPolicy::IdleFor`](crate::CheckPolicy::IdleFor) each of them
    /// is checked before it is handed out next. Say `false` where only this connection is concerned, such as after a cancelled
    /// command.
    fn is_lost(&self, conn: &Self::Connection) -> bool {
        let _ = conn;
        true
    }

    /// Whether nothing was sent over the connection since it was handed out. The default is `false`: nobody knows.
    ///
    /// [`Pool::run`](crate::Pool::run) asks for it when the work failed. Where this says `true` and
    /// [`on_release`](Self::on_release) says [`Verdict::Discard`], the work is tried once more with another connection. So
    /// say `true` only if the server cannot have done anything.
    fn was_unused(&self, conn: &Self::Connection) -> bool {
        let _ = conn;
        false
    }

    /// Closes a connection that leaves the pool. The default drops it.
    ///
    /// A connection whose step panicked or ran into its deadline is dropped without this call, because nobody knows
    /// what it would answer.
    fn close(&self, conn: Self::Connection) -> impl Future<Output = ()> + Send {
        async move { drop(conn) }
    }

    /// Returns a way to abort this connection while somebody holds it. It is called once, right after connect.
    ///
    /// [`Pool::terminate`](crate::Pool::terminate) uses it. The default is `None`.
    fn abort_handle(&self, conn: &Self::Connection) -> Option<AbortHandle> {
        let _ = conn;
        None
    }

    /// Returns how long this connection may be idle. It is called once, right after connect. The default is `None`:
    /// without limit.
    ///
    /// A backend whose server closes idle connections uses this. The pool then closes the connection before the server
    /// does, as with [`pool_recycle`](crate::Builder::pool_recycle), under every [`CheckPolicy`](crate::CheckPolicy).
    fn idle_limit(&self, conn: &Self::Connection) -> Option<Duration> {
        let _ = conn;
        None
    }

    /// Returns the kind of an error of connect. The default is [`ErrorClass::Transient`].
    ///
    /// It decides whether and when the pool connects again, and what those who wait are told; see [`ErrorClass`].
    fn classify(&self, error: &Self::Error) -> ErrorClass {
        let _ = error;
        ErrorClass::Transient
    }

    /// Checks the manager's own options. It is called once, when the pool is built. The default is `Ok`.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the option; building the pool fails with it.
    fn validate(&self) -> Result<(), ConfigError> {
        Ok(())
    }

    /// Gets the pool's setting `echo`. It is called once, when the pool is built. The default does nothing.
    fn set_echo(&mut self, on: bool) {
        let _ = on;
    }
}

/// What happens to a connection that comes back.
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
    /// It is clean: the next user gets it without [`Manager::recycle`].
    Reuse,
    /// [`Manager::recycle`] runs before the next user gets it.
    Recycle,
    /// It is broken or must not be used again: the pool closes it.
    Discard,
}

/// What kind of failure a manager's error is.
///
/// After a failed connect of class [`Auth`](Self::Auth), [`Config`](Self::Config) or [`Fatal`](Self::Fatal) the pool's
/// breaker opens: nobody connects for 1 s. Then one connect is tried. If it fails too, the pause is doubled, up to 10 s, and up
/// to a tenth is added at random. A success closes the breaker. Meanwhile the waiters wait for a connection in use. If none
/// is, they get [`Error::BreakerOpen`](crate::Error::BreakerOpen) at once. Connects that run already when it opens go on: where a
/// server locks accounts after a few refusals, lower [`max_connecting`](crate::Builder::max_connecting).
///
/// After a failure of class [`Transient`](Self::Transient) the first waiter gets the error, and the others try on their own.
/// With [`connect_retry`](crate::Builder::connect_retry) they wait instead, and one connect at a time is tried, with a pause
/// that is drawn at random from zero to 5 ms. Each failure doubles that bound, up to 50 ms.
///
/// [`Overloaded`](Self::Overloaded) is treated alike, but fails no waiter while connections are in use or under way: the
/// waiters wait for one of these. After [`ReadOnly`](Self::ReadOnly) the first waiter gets the error.
///
/// A connect that takes too long is `Transient`. One that panics is `Transient` too, and is not tried again.
///
/// A connect that nobody waits for is tried again after a pause that is drawn at random from zero to 100 ms. Each failure doubles
/// that bound, up to 10 s.
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
    /// The next attempt may succeed.
    Transient,
    /// The credentials were refused; trying again soon can lock the account.
    Auth,
    /// The options are wrong (an unknown host, a missing database). A retry does not help.
    Config,
    /// The server has no room for another connection at the moment.
    Overloaded,
    /// The server answers, but does not take writes.
    ReadOnly,
    /// No attempt will succeed again.
    Fatal,
}

impl ErrorClass {
    /// The word for log fields, such as `transient`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Auth => "auth",
            Self::Config => "config",
            Self::Overloaded => "overloaded",
            Self::ReadOnly => "read-only",
            Self::Fatal => "fatal",
        }
    }
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
    /// Makes a handle from a function that aborts the connection. The function must return at once. It is called at
    /// most once, from any thread.
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
