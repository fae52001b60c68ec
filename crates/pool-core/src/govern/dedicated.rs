//! The verb `dedicated`: a connection that is none of the pool's.

use crate::Manager;
use crate::error::Error;
use crate::ledger::Stage;
use crate::pool::Pool;

impl<M: Manager> Pool<M> {
    /// Opens a connection outside of the pool, by the pool's manager and under `connect_timeout`.
    ///
    /// It takes no place and is not counted; the pool does not check, recycle, close or abort it. Neither
    /// [`max_connecting`](crate::Builder::max_connecting) nor an open breaker holds it back. Interceptors are called
    /// before and after its connect, with the number 0 in their [`ConnectionInfo`](crate::ConnectionInfo). For what keeps a
    /// connection for its whole life, such as a listener, or must get one when the pool is exhausted, such as an operator.
    ///
    /// # Errors
    ///
    /// [`Error::Connect`], [`Error::Timeout`], [`Error::Panicked`], and [`Error::Closed`] if the pool is closed before.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connect is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).maxsize(1).build().await?;
    /// let held = pool.acquire().await?;
    /// let number: u32 = pool.dedicated().await?;
    /// assert_eq!((number, pool.size()), (7, 1));
    /// # drop(held);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub async fn dedicated(&self) -> Result<M::Connection, Error<M::Error>> {
        let shared = self.shared();
        if shared.ledger().stage() != Stage::Open {
            return Err(Error::Closed);
        }
        let connected = shared.backend.connect_apart().await;
        connected.map_err(|error| shared.with_context(error, None))
    }
}
