//! A manager that is chosen at run time: the object-safe twin of [`Manager`], and the box that is a manager again.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::{AbortHandle, ConfigError, ErrorClass, Manager, Verdict};

/// An error of a manager chosen at run time.
///
/// It displays as the original error. [`BoxError::get_ref`] reaches that error; it is also the
/// [`source`](StdError::source).
///
/// # Examples
///
/// ```
/// use std::io;
/// use pool_core::BoxError;
///
/// let error = BoxError::new(io::Error::from(io::ErrorKind::ConnectionRefused));
/// let original = error.get_ref().downcast_ref::<io::Error>().expect("an io::Error");
/// assert_eq!(original.kind(), io::ErrorKind::ConnectionRefused);
/// ```
pub struct BoxError(Box<dyn StdError + Send + Sync>);

impl BoxError {
    /// Boxes an error.
    pub fn new(error: impl StdError + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }

    /// The original error; `downcast_ref` tells its type.
    pub fn get_ref(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.0
    }

    /// Takes the original error out of its box.
    pub fn into_inner(self) -> Box<dyn StdError + Send + Sync> {
        self.0
    }
}

impl fmt::Debug for BoxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for BoxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl StdError for BoxError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

/// The object-safe twin of [`Manager`]; every [`Manager`] is one.
///
/// Use it through [`BoxManager`]. Implement [`Manager`], not this.
#[async_trait]
trait DynManager: Send + Sync + 'static {
    /// What the pool keeps.
    type Connection: Send + 'static;

    /// See [`Manager::connect`].
    async fn connect(&self) -> Result<Self::Connection, BoxError>;
    /// See [`Manager::check`].
    async fn check(&self, conn: &mut Self::Connection) -> Result<(), BoxError>;
    /// See [`Manager::recycle`].
    async fn recycle(&self, conn: &mut Self::Connection) -> Result<(), BoxError>;
    /// See [`Manager::on_release`].
    fn on_release(&self, conn: &mut Self::Connection) -> Verdict;
    /// See [`Manager::discard_reason`].
    fn discard_reason(&self, conn: &Self::Connection) -> Option<Cow<'static, str>>;
    /// See [`Manager::is_lost`].
    fn is_lost(&self, conn: &Self::Connection) -> bool;
    /// See [`Manager::was_unused`].
    fn was_unused(&self, conn: &Self::Connection) -> bool;
    /// See [`Manager::close`].
    async fn close(&self, conn: Self::Connection);
    /// See [`Manager::abort_handle`].
    fn abort_handle(&self, conn: &Self::Connection) -> Option<AbortHandle>;
    /// See [`Manager::idle_limit`].
    fn idle_limit(&self, conn: &Self::Connection) -> Option<Duration>;
    /// See [`Manager::classify`].
    fn classify(&self, error: &BoxError) -> ErrorClass;
    /// See [`Manager::validate`].
    fn validate(&self) -> Result<(), ConfigError>;
    /// See [`Manager::set_echo`].
    fn set_echo(&mut self, on: bool);
}

#[async_trait]
impl<M: Manager> DynManager for M {
    type Connection = M::Connection;

    async fn connect(&self) -> Result<M::Connection, BoxError> {
        Manager::connect(self).await.map_err(BoxError::new)
    }
    async fn check(&self, conn: &mut M::Connection) -> Result<(), BoxError> {
        Manager::check(self, conn).await.map_err(BoxError::new)
    }
    async fn recycle(&self, conn: &mut M::Connection) -> Result<(), BoxError> {
        Manager::recycle(self, conn).await.map_err(BoxError::new)
    }
    fn on_release(&self, conn: &mut M::Connection) -> Verdict {
        Manager::on_release(self, conn)
    }
    fn discard_reason(&self, conn: &M::Connection) -> Option<Cow<'static, str>> {
        Manager::discard_reason(self, conn)
    }
    fn is_lost(&self, conn: &M::Connection) -> bool {
        Manager::is_lost(self, conn)
    }
    fn was_unused(&self, conn: &M::Connection) -> bool {
        Manager::was_unused(self, conn)
    }
    async fn close(&self, conn: M::Connection) {
        Manager::close(self, conn).await;
    }
    fn abort_handle(&self, conn: &M::Connection) -> Option<AbortHandle> {
        Manager::abort_handle(self, conn)
    }
    fn idle_limit(&self, conn: &M::Connection) -> Option<Duration> {
        Manager::idle_limit(self, conn)
    }
    fn classify(&self, error: &BoxError) -> ErrorClass {
        match error.0.downcast_ref::<M::Error>() {
            Some(error) => Manager::classify(self, error),
            None => ErrorClass::Transient,
        }
    }
    fn validate(&self) -> Result<(), ConfigError> {
        Manager::validate(self)
    }
    fn set_echo(&mut self, on: bool) {
        Manager::set_echo(self, on);
    }
}

/// A manager chosen at run time, for connections of one type `C`.
///
/// It is itself a [`Manager`], so there is one [`Pool`](crate::Pool) type for both; it costs a box per call.
///
/// # Examples
///
/// ```
/// use std::convert::Infallible;
/// use pool_core::{BoxManager, Manager, Pool};
///
/// struct Fixed(u8);
/// impl Manager for Fixed {
///     type Connection = u8;
///     type Error = Infallible;
///     async fn connect(&self) -> Result<u8, Infallible> { Ok(self.0) }
///     async fn check(&self, _: &mut u8) -> Result<(), Infallible> { Ok(()) }
///     async fn recycle(&self, _: &mut u8) -> Result<(), Infallible> { Ok(()) }
/// }
///
/// # futures_lite::future::block_on(async {
/// let manager: BoxManager<u8> = BoxManager::new(Fixed(3));
/// let pool: Pool<BoxManager<u8>> = Pool::builder(manager).build().await.unwrap();
/// assert_eq!(*pool.acquire().await.unwrap(), 3);
/// # });
/// ```
pub struct BoxManager<C> {
    manager: Box<dyn DynManager<Connection = C>>,
}

impl<C: Send + 'static> BoxManager<C> {
    /// Boxes a manager.
    pub fn new<M: Manager<Connection = C>>(manager: M) -> Self {
        Self {
            manager: Box::new(manager),
        }
    }
}

impl<C> fmt::Debug for BoxManager<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxManager").finish_non_exhaustive()
    }
}

impl<C: Send + 'static> Manager for BoxManager<C> {
    type Connection = C;
    type Error = BoxError;

    async fn connect(&self) -> Result<C, BoxError> {
        self.manager.connect().await
    }
    async fn check(&self, conn: &mut C) -> Result<(), BoxError> {
        self.manager.check(conn).await
    }
    async fn recycle(&self, conn: &mut C) -> Result<(), BoxError> {
        self.manager.recycle(conn).await
    }
    fn on_release(&self, conn: &mut C) -> Verdict {
        self.manager.on_release(conn)
    }
    fn discard_reason(&self, conn: &C) -> Option<Cow<'static, str>> {
        self.manager.discard_reason(conn)
    }
    fn is_lost(&self, conn: &C) -> bool {
        self.manager.is_lost(conn)
    }
    fn was_unused(&self, conn: &C) -> bool {
        self.manager.was_unused(conn)
    }
    async fn close(&self, conn: C) {
        self.manager.close(conn).await;
    }
    fn abort_handle(&self, conn: &C) -> Option<AbortHandle> {
        self.manager.abort_handle(conn)
    }
    fn idle_limit(&self, conn: &C) -> Option<Duration> {
        self.manager.idle_limit(conn)
    }
    fn classify(&self, error: &BoxError) -> ErrorClass {
        self.manager.classify(error)
    }
    fn validate(&self) -> Result<(), ConfigError> {
        self.manager.validate()
    }
    fn set_echo(&mut self, on: bool) {
        self.manager.set_echo(on);
    }
}
