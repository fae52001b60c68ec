//! Waits, on any runtime, until the counts of a pool are the wanted ones.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use pool_core::{Manager, Pool};

pub use futures_lite::future::yield_now;

const PATIENCE: Duration = Duration::from_secs(20);

/// Lets the pool's tasks run until `read` returns `wanted`.
///
/// # Panics
///
/// With HANG, the last value of `read` and the pool's counts, if that does not happen within 20 seconds.
#[track_caller]
pub fn settle_until<'a, M, T>(
    pool: &'a Pool<M>,
    wanted: T,
    mut read: impl FnMut() -> T + 'a,
) -> impl Future<Output = ()> + 'a
where
    M: Manager,
    T: PartialEq + Debug + 'a,
{
    let caller = std::panic::Location::caller();
    async move {
        let start = Instant::now();
        let mut rounds = 0_u64;
        loop {
            // Let the other tasks run first: a state that is right only for a moment must not count.
            for _ in 0..8 {
                yield_now().await;
            }
            let found = read();
            if found == wanted {
                return;
            }
            rounds += 1;
            // On a virtual clock nothing changes by waiting longer; on a real one a server may be slow.
            assert!(
                rounds < 1_000 || start.elapsed() < PATIENCE,
                "HANG at {caller}: {wanted:?} was expected, {found:?} is there; {}",
                pool.status()
            );
        }
    }
}

/// Lets the pool's tasks run until (size, free, used) are these.
///
/// # Panics
///
/// With HANG and the counts, if that does not happen within 20 seconds.
#[track_caller]
pub fn counts_settle<M: Manager>(
    pool: &Pool<M>,
    size: usize,
    free: usize,
    used: usize,
) -> impl Future<Output = ()> + '_ {
    settle_until(pool, (size, free, used), || {
        let status = pool.status();
        (status.size(), status.freesize(), status.used())
    })
}
