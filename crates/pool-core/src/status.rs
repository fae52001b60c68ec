//! One consistent snapshot of a pool's counts.

use std::fmt;

use crate::words::Maxsize;

/// One consistent snapshot of a pool's counts, taken under the pool's lock.
///
/// `size = freesize + used + connecting`, and `used = held + checking + recycling + closing`.
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// use pool_core::Pool;
///
/// let pool = Pool::builder(Numbers).minsize(0).maxsize(4).build_lazy()?;
/// let status = pool.status();
/// assert_eq!((status.size(), status.freesize(), status.maxsize()), (0, 0, 4));
/// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    pub(crate) freesize: Count,
    pub(crate) held: Count,
    pub(crate) checking: Count,
    pub(crate) recycling: Count,
    pub(crate) closing: Count,
    pub(crate) connecting: Count,
    pub(crate) waiting: Count,
    pub(crate) is_suspended: bool,
    pub(crate) min_idle: Count,
    pub(crate) max_idle: Option<Count>,
    pub(crate) minsize: usize,
    pub(crate) maxsize: usize,
}

/// A count of 32 bits, because each error has room for a snapshot.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count(u32);

impl Count {
    pub(crate) fn of(number: usize) -> Self {
        Self(u32::try_from(number).unwrap_or(u32::MAX))
    }

    fn get(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl fmt::Debug for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Status {
    /// All connections: free, used and connecting.
    pub fn size(&self) -> usize {
        self.freesize() + self.used() + self.connecting()
    }
    /// Idle connections, including connections that the next acquire will recycle.
    pub fn freesize(&self) -> usize {
        self.freesize.get()
    }
    /// Connections that are held, checked, recycled or closed at the moment.
    pub fn used(&self) -> usize {
        self.held() + self.checking() + self.recycling() + self.closing()
    }
    /// Connections that somebody holds.
    pub fn held(&self) -> usize {
        self.held.get()
    }
    /// Connections whose [`check`](crate::Manager::check) runs.
    pub fn checking(&self) -> usize {
        self.checking.get()
    }
    /// Connections whose [`recycle`](crate::Manager::recycle) runs.
    pub fn recycling(&self) -> usize {
        self.recycling.get()
    }
    /// Connections that are being closed.
    pub fn closing(&self) -> usize {
        self.closing.get()
    }
    /// Connects in flight.
    pub fn connecting(&self) -> usize {
        self.connecting.get()
    }
    /// Callers of `acquire` that wait.
    pub fn waiting(&self) -> usize {
        self.waiting.get()
    }
    /// Whether the pool is suspended ([`Pool::suspend`](crate::Pool::suspend)).
    pub fn is_suspended(&self) -> bool {
        self.is_suspended
    }
    /// The number of connections that the pool keeps open.
    pub fn minsize(&self) -> usize {
        self.minsize
    }
    /// How many connections are kept idle ([`Builder::min_idle`](crate::Builder::min_idle)).
    pub fn min_idle(&self) -> usize {
        self.min_idle.get()
    }
    /// How many connections may be idle ([`Builder::max_idle`](crate::Builder::max_idle)).
    pub fn max_idle(&self) -> Option<usize> {
        self.max_idle.map(Count::get)
    }
    /// The largest number of connections; 0 means unlimited.
    pub fn maxsize(&self) -> usize {
        self.maxsize
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "size {} (free {}, held {}, checking {}, recycling {}, closing {}, connecting {}), waiting {}, maxsize ",
            self.size(),
            self.freesize.get(),
            self.held.get(),
            self.checking.get(),
            self.recycling.get(),
            self.closing.get(),
            self.connecting.get(),
            self.waiting.get(),
        )?;
        write!(f, "{}", Maxsize(self.maxsize))?;
        match self.is_suspended {
            true => f.write_str(", suspended"),
            false => Ok(()),
        }
    }
}
