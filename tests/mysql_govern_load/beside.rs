//! What happens beside a crowd of users, and how a pool ends after it.

use std::cell::{Cell, RefCell};
use std::pin::pin;

use futures::future::{Either, FutureExt, select};
use futures::stream::{FuturesUnordered, StreamExt};
use futures_lite::future::poll_once;
use pool_mysql::pool_core::Acquire;
use pool_mysql::{MySqlManager, Pool, PooledConnection};
use support::yield_now;

use crate::crowd::{MILLISECOND, World, close, until};
use crate::server::sleep;

pub(crate) type Failure = pool_mysql::pool_core::Error<pool_mysql::Error>;

impl World<'_> {
    /// How many users a crowd has: most of them wait.
    pub(crate) fn users(&self) -> usize {
        4 * self.maxsize + 4
    }

    /// Each user of a crowd does `work` again and again, until `script` has ended. Each of them is polled when it was woken, in
    /// the order of that, as in tasks of their own.
    pub(crate) async fn beside<T>(
        &self,
        work: impl AsyncFn(usize),
        script: impl Future<Output = T>,
    ) -> T {
        let done = RefCell::new(None);
        let tasks = FuturesUnordered::new();
        for user in 0..self.users() {
            let (work, done) = (&work, &done);
            let rounds = async move {
                while done.borrow().is_none() {
                    work(user).await;
                    // Work that is refused at once would leave the thread to nobody.
                    yield_now().await;
                }
            };
            tasks.push(rounds.boxed_local());
        }
        let script = async {
            let result = script.await;
            done.replace(Some(result));
        };
        tasks.push(script.boxed_local());
        tasks.collect::<()>().await;
        done.take().expect("the script has ended")
    }

    /// Counts the sessions on the server until `script` has ended: there are never more than `most`.
    pub(crate) async fn counted<T>(&self, most: usize, script: impl Future<Output = T>) -> T {
        let mut lookout = self.lookout().await;
        let count = async {
            loop {
                lookout.at_most(most).await;
                sleep(2 * MILLISECOND).await;
            }
        };
        match select(pin!(script), pin!(count)).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => never,
        }
    }

    /// At rest the server has as many sessions as the pool says. Then the pool closes, and every connection that it has had
    /// is accounted for.
    pub(crate) async fn ends(&self, pool: Pool) {
        until(&pool, "at rest", || {
            let status = pool.status();
            status.freesize() == status.size() && status.waiting() == 0
        })
        .await;
        assert!(pool.size() <= pool.maxsize(), "{}", pool.status());
        let mut lookout = self.lookout().await;
        lookout.agrees_with(&pool).await;
        close(pool.clone()).await;
        assert_eq!(pool.size(), 0, "{}", pool.status());
        let stats = pool.stats();
        assert_eq!(
            stats.connects() + stats.added(),
            stats.closes() + stats.detached(),
        );
        lookout.at_most(0).await;
    }
}

/// An acquire is refused at its first poll, or it is served.
pub(crate) async fn ask(
    mut acquire: Acquire<'_, MySqlManager>,
) -> Result<PooledConnection, Failure> {
    match poll_once(&mut acquire).await {
        Some(answer) => answer,
        None => Ok(acquire.await.expect("whoever waits is served")),
    }
}

pub(crate) fn count(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}
