//! The verb `run`: acquires, works, releases, and tries once more where that is safe.

use std::future::Future;
use std::panic::Location;
use std::time::Instant;

use crate::error::Error;
use crate::panics::ignore_panic;
use crate::pool::Pool;
use crate::pooled::{give_back_at_now, give_back_broken};
use crate::{CloseReason, Manager, PooledConnection, Verdict};

impl<M: Manager> Pool<M> {
    /// Acquires a connection, works with it and gives it back; tries once more with another one if the first had died
    /// while it was idle.
    ///
    /// It tries again only if the work failed, the connection was idle before, its manager says that nothing was sent
    /// ([`Manager::was_unused`]) and does not want it back ([`Manager::on_release`] says [`Verdict::Discard`]). So the server
    /// has seen nothing of the first attempt. A manager that does not know never gets a second attempt.
    ///
    /// # Errors
    ///
    /// The error of the last attempt of `work`, or that of the acquire.
    ///
    /// # Cancel safety
    ///
    /// As an [`acquire`](Self::acquire), and as the drop of a guard during `work`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// use std::convert::Infallible;
    ///
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await?;
    /// let twice = pool.run(async |conn| Ok::<_, pool_core::Error<Infallible>>(2 * **conn)).await?;
    /// assert_eq!(twice, 14);
    /// # Ok::<(), pool_core::Error<Infallible>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// In a task of its own, the work owns what it uses:
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::{Error, Pool};
    /// # use std::convert::Infallible;
    /// # fn spawn<F: Future + Send + 'static>(_: F) {}
    /// # let pool = Pool::builder(Numbers).build_lazy().unwrap();
    /// let name = String::from("orders");
    /// spawn(async move {
    ///     let work = async move |conn: &mut pool_core::PooledConnection<_>| {
    ///         Ok::<_, Error<Infallible>>(format!("{name}: {}", **conn))
    ///     };
    ///     pool.run(work).await
    /// });
    /// ```
    #[track_caller]
    pub fn run<T, E, F>(&self, work: F) -> impl Future<Output = Result<T, E>> + use<M, T, E, F>
    where
        E: From<Error<M::Error>>,
        F: AsyncFnMut(&mut PooledConnection<M>) -> Result<T, E>,
    {
        // An async function would not know its caller, and one that borrows the pool could not be spawned: with an async
        // closure inside, the compiler does not see that it is Send.
        run(self.clone(), Location::caller(), work)
    }
}

async fn run<M, T, E, F>(
    pool: Pool<M>,
    place: &'static Location<'static>,
    mut work: F,
) -> Result<T, E>
where
    M: Manager,
    E: From<Error<M::Error>>,
    F: AsyncFnMut(&mut PooledConnection<M>) -> Result<T, E>,
{
    let began = pool.shared().now();
    let mut conn = pool.acquire_at(place).await?;
    let error = match work(&mut conn).await {
        Ok(done) => return Ok(done),
        Err(error) => error,
    };
    if !was_stale(conn, began) {
        return Err(error);
    }
    let mut conn = pool.acquire_at(place).await?;
    work(&mut conn).await
}

/// Gives back the connection of an attempt that has failed. `true`: it had died while it was idle, and nothing was sent
/// since.
fn was_stale<M: Manager>(conn: PooledConnection<M>, began: Instant) -> bool {
    let (mut entry, shared) = conn.into_parts();
    let was_idle = entry.connected_at < began;
    let was_unused = || ignore_panic(|| shared.backend.manager.was_unused(&entry.conn));
    let is_untouched = was_idle && was_unused() == Some(true);
    let Ok(judgement) = shared.backend.judge_return(&mut entry) else {
        give_back_broken(&shared, entry, CloseReason::ManagerPanicked);
        return false;
    };
    let verdict = judgement.verdict;
    give_back_at_now(&shared, entry, judgement);
    is_untouched && verdict == Verdict::Discard
}
