//! The settings of a pool.

use std::time::Duration;

use pool_core::doc_manager::Numbers;
use pool_core::{CheckPolicy, Error, IdleOrder, Pool};

/// The input, a few bytes at a time. Behind its end there are zeros.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// Mostly a small number; sometimes one of 64 bits.
    fn number(&mut self) -> u64 {
        match self.byte() {
            0xff => (0..8).fold(0, |number, _| (number << 8) | u64::from(self.byte())),
            small => u64::from(small >> 3),
        }
    }

    fn size(&mut self) -> usize {
        usize::try_from(self.number()).unwrap_or(usize::MAX)
    }

    /// A limit that is zero, tiny, huge, or not there.
    fn limit(&mut self) -> Option<Duration> {
        match self.byte() % 4 {
            0 => None,
            1 => Some(Duration::from_nanos(self.number())),
            2 => Some(Duration::from_secs(self.number())),
            _ => Some(Duration::MAX),
        }
    }
}

/// Any settings build a pool that keeps them, or are refused with the name of one that cannot be used.
pub fn config(data: &[u8]) {
    let mut bytes = Bytes(data);
    let (minsize, maxsize) = (bytes.size(), bytes.size());
    let limits: [Option<Duration>; 6] = std::array::from_fn(|_| bytes.limit());
    let [recycle_after, acquire, connect, check, recycle, close] = limits;
    let policy = match bytes.byte() % 3 {
        0 => CheckPolicy::Never,
        1 => CheckPolicy::Always,
        _ => CheckPolicy::IdleFor(bytes.limit().unwrap_or_default()),
    };
    let order = match bytes.byte() % 2 {
        0 => IdleOrder::Fifo,
        _ => IdleOrder::Lifo,
    };
    let built = Pool::builder(Numbers)
        .minsize(minsize)
        .maxsize(maxsize)
        .pool_recycle(recycle_after)
        .acquire_timeout(acquire)
        .connect_timeout(connect)
        .check_timeout(check)
        .recycle_timeout(recycle)
        .close_timeout(close)
        .check_policy(policy)
        .idle_order(order)
        .upkeep(bytes.byte() % 2 == 0)
        .build_lazy();
    let zero = Some(Duration::ZERO);
    let wrong: Vec<&str> = [
        ("minsize", maxsize != 0 && minsize > maxsize),
        ("pool_recycle", recycle_after == zero),
        ("acquire_timeout", acquire == zero),
        ("connect_timeout", connect == zero),
        ("check_timeout", check == zero),
        ("recycle_timeout", recycle == zero),
        ("close_timeout", close == zero),
        (
            "check_policy",
            policy == CheckPolicy::IdleFor(Duration::ZERO),
        ),
    ]
    .into_iter()
    .filter_map(|(field, is_wrong)| is_wrong.then_some(field))
    .collect();
    match built {
        Ok(pool) => {
            assert!(wrong.is_empty(), "it was built with {wrong:?}");
            assert_eq!((pool.minsize(), pool.maxsize()), (minsize, maxsize));
        }
        Err(Error::Config(error)) => {
            assert!(wrong.contains(&error.field()), "{error}, but {wrong:?}");
            assert!(!error.message().is_empty());
        }
        Err(other) => panic!("no error of the settings: {other:?}"),
    }
}
