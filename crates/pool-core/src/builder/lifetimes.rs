//! The settings that say how long connections live, and how many may be idle.

use std::time::Duration;

use super::Builder;
use crate::Manager;

impl<M: Manager> Builder<M> {
    /// How long a connection lives after it was opened; default `None`, without limit.
    ///
    /// Nobody gets it after that time. It is closed a little earlier, by its share of the
    /// [`max_lifetime_jitter`](Self::max_lifetime_jitter): from then on its replacement is opened where minsize needs one or it
    /// is in use, and maxsize leaves room, and it goes as soon as that stands, or when it comes back. So nobody waits for the
    /// replacement of one that is in use all the time; one that is idle at that moment and that minsize does not need goes
    /// without one. Where maxsize leaves no room, connections go one after the other, each before its
    /// replacement is there. Without upkeep, or where nothing can be spawned, a connection is replaced by the acquire that meets
    /// it. The life of one that was added ([`Pool::add`](crate::Pool::add)) begins then. The time for which the machine is
    /// suspended does not count where its clock stands still then.
    ///
    /// A time that is shorter than a connect makes each connection good for one acquire; what is missing for minsize is then
    /// opened ten times a second. With `Duration::MAX` no connection becomes so old.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// use std::time::Duration;
    ///
    /// // Less than the half hour after which a firewall on the way forgets a connection.
    /// let pool = Pool::builder(Numbers).max_lifetime(Duration::from_secs(25 * 60)).build_lazy()?;
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// ```
    pub fn max_lifetime(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.config.lifetimes.max_lifetime = limit.into();
        self
    }

    /// By how much the lives of connections differ, so that those that were opened together do not end together; default
    /// `None`, a tenth of [`max_lifetime`](Self::max_lifetime).
    ///
    /// Each connection draws its share when it is opened, between zero and this time, and lives that much shorter. With zero
    /// all live equally long, and none can be used while its replacement is being opened.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// use std::time::Duration;
    ///
    /// // Each connection lives between 20 and 30 minutes.
    /// let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    /// let builder = Pool::builder(Numbers).max_lifetime(minutes(30));
    /// let pool = builder.max_lifetime_jitter(minutes(10)).build_lazy()?;
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// ```
    pub fn max_lifetime_jitter(mut self, most: impl Into<Option<Duration>>) -> Self {
        self.config.lifetimes.max_lifetime_jitter = most.into();
        self
    }

    /// How often a connection is handed out; default `None`, without limit.
    ///
    /// When it comes back after its last time, it goes. Where minsize needs one, its replacement is opened first; above minsize
    /// the next acquire opens one, and waits for it. An acquire whose connection is not used counts, too.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::{Pool, PooledConnection};
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).minsize(0).max_uses(1).build().await?;
    /// drop(pool.acquire().await?);
    /// assert_eq!(PooledConnection::id(&pool.acquire().await?), 2);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn max_uses(mut self, uses: impl Into<Option<u64>>) -> Self {
        self.config.lifetimes.max_uses = uses.into();
        self
    }

    /// After how much idle time a connection is closed that minsize does not need; default `None`, never.
    ///
    /// So a pool that has grown shrinks to minsize, or until only [`min_idle`](Self::min_idle) connections are idle, and not
    /// further. [`pool_recycle`](Self::pool_recycle) is something else: after it a connection is replaced, also at minsize. Idle
    /// time is measured as for [`CheckPolicy::IdleFor`](crate::CheckPolicy::IdleFor). With upkeep the connection is closed in
    /// time, or at most as much later where it had to stay for minsize at first; without, when it would be handed out next. If
    /// it is set at run time in a pool that had no setting about idle time, all that are idle count as idle for so long.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// use std::time::Duration;
    ///
    /// let builder = Pool::builder(Numbers).minsize(2).maxsize(50);
    /// let pool = builder.idle_timeout(Duration::from_secs(600)).build_lazy()?;
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// ```
    pub fn idle_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.config.lifetimes.idle_timeout = limit.into();
        self
    }

    /// How many connections are kept idle, ready for the next acquires; default 0.
    ///
    /// Where fewer are idle, more are opened as long as maxsize leaves room: in the background, or by the next acquire where
    /// nothing can be spawned. What minsize asks for is opened in any case. Not more than maxsize.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// // A burst of five acquires waits for no connect, whatever is in use already.
    /// let pool = Pool::builder(Numbers).maxsize(50).min_idle(5).build_lazy()?;
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// ```
    pub fn min_idle(mut self, connections: usize) -> Self {
        self.config.lifetimes.min_idle = connections;
        self
    }

    /// How many connections may be idle; default `None`, without limit other than maxsize.
    ///
    /// If more come back while nobody waits, those that have been idle longest are closed. Not less than minsize and
    /// [`min_idle`](Self::min_idle). With 0, no connection outlives its use.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).minsize(0).max_idle(1).build().await?;
    /// let two = (pool.acquire().await?, pool.acquire().await?);
    /// drop(two);
    /// assert_eq!(pool.freesize(), 1);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn max_idle(mut self, connections: impl Into<Option<usize>>) -> Self {
        self.config.lifetimes.max_idle = connections.into();
        self
    }

    /// After how much silence an idle connection is checked to keep it alive; default `None`, never.
    ///
    /// Upkeep checks one connection at a time, the one that was silent longest first, under
    /// [`check_timeout`](Self::check_timeout). That does not count as use: it stays in its place in the
    /// [`idle_order`](Self::idle_order), and its idle time goes on. If a check fails, the other connections are suspect, too,
    /// and are checked before they are handed out, if the [`check_policy`](Self::check_policy) is `IdleFor`. Without upkeep, or
    /// where nothing can be spawned, a connection that was silent for so long is checked when it would be handed out next, under
    /// every `check_policy`.
    ///
    /// A check that hangs holds the others up, so set `check_timeout`. With more idle connections than checks fit into this time
    /// it falls behind. It is not made more often than once a millisecond, and rests while the pool is suspended.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// use std::time::Duration;
    ///
    /// // A NAT gateway on the way forgets connections that are silent for 350 seconds.
    /// let pool = Pool::builder(Numbers).keepalive(Duration::from_secs(120)).build_lazy()?;
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// ```
    pub fn keepalive(mut self, silence: impl Into<Option<Duration>>) -> Self {
        self.config.lifetimes.keepalive = silence.into();
        self
    }
}
