//! One consistent snapshot of a pool's counts.

use std::fmt;

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
    pub(crate) freesize: usize,
    pub(crate) held: usize,
    pub(crate) checking: usize,
    pub(crate) recycling: usize,
    pub(crate) closing: usize,
    pub(crate) connecting: usize,
    pub(crate) waiting: usize,
    pub(crate) minsize: usize,
    pub(crate) maxsize: usize,
}

impl Status {
    /// All connections: free, used and connecting.
    pub fn size(&self) -> usize {
        self.freesize + self.used() + self.connecting
    }
    /// Connections that wait for the next user, those included that are recycled when he comes.
    pub fn freesize(&self) -> usize {
        self.freesize
    }
    /// Connections that are held, checked, recycled or closed just now.
    pub fn used(&self) -> usize {
        self.held + self.checking + self.recycling + self.closing
    }
    /// Connections in somebody's hands.
    pub fn held(&self) -> usize {
        self.held
    }
    /// Connections whose [`check`](crate::Manager::check) runs.
    pub fn checking(&self) -> usize {
        self.checking
    }
    /// Connections whose [`recycle`](crate::Manager::recycle) runs.
    pub fn recycling(&self) -> usize {
        self.recycling
    }
    /// Connections that are on their way out.
    pub fn closing(&self) -> usize {
        self.closing
    }
    /// Connects in flight.
    pub fn connecting(&self) -> usize {
        self.connecting
    }
    /// Callers of `acquire` that wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }
    /// The number of connections that the pool keeps open.
    pub fn minsize(&self) -> usize {
        self.minsize
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
            self.freesize,
            self.held,
            self.checking,
            self.recycling,
            self.closing,
            self.connecting,
            self.waiting,
        )?;
        match self.maxsize {
            0 => f.write_str("unlimited"),
            n => write!(f, "{n}"),
        }
    }
}
