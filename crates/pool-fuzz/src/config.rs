//! The settings of a pool.

use std::time::Duration;

use pool_core::doc_manager::Numbers;
use pool_core::{Builder, CheckPolicy, Error, IdleOrder, Pool, Shedding};

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

    /// A number, or none.
    fn option(&mut self) -> Option<u64> {
        (self.byte() % 2 == 1).then(|| self.number())
    }

    fn optional_size(&mut self) -> Option<usize> {
        self.option()
            .map(|number| usize::try_from(number).unwrap_or(usize::MAX))
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
    let builder = Pool::builder(Numbers)
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
        .upkeep(bytes.byte() % 2 == 0);
    let (builder, mut wrong) = govern(builder, &mut bytes, minsize, maxsize);
    let built = builder.build_lazy();
    let zero = Some(Duration::ZERO);
    let plain = [
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
    ];
    wrong.extend(plain);
    let wrong = wrong.into_iter();
    let wrong: Vec<&str> = wrong
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

/// Gives the builder settings that govern a pool. Each comes out, and whether it cannot be used.
fn govern(
    builder: Builder<Numbers>,
    bytes: &mut Bytes<'_>,
    minsize: usize,
    maxsize: usize,
) -> (Builder<Numbers>, Vec<(&'static str, bool)>) {
    let [life, jitter, idle, alive, retry] = std::array::from_fn(|_| bytes.limit());
    let (max_uses, min_idle, max_idle) = (bytes.option(), bytes.size(), bytes.optional_size());
    let (connecting, waiters) = (bytes.optional_size(), bytes.optional_size());
    let reserved = bytes.size();
    let shedding = bytes.limit().zip(bytes.limit());
    let builder = builder
        .max_lifetime(life)
        .max_lifetime_jitter(jitter)
        .idle_timeout(idle)
        .keepalive(alive)
        .connect_retry(retry)
        .max_uses(max_uses)
        .min_idle(min_idle)
        .max_idle(max_idle)
        .max_connecting(connecting)
        .max_waiters(waiters)
        .reserved(reserved)
        .shedding(shedding.map(|(target, interval)| Shedding::new(target, interval)));
    let zero = Some(Duration::ZERO);
    let is_zero = |(target, interval): (Duration, Duration)| target.min(interval).is_zero();
    let wrong = vec![
        ("max_lifetime", life == zero),
        ("max_lifetime_jitter", jitter.is_some() && life.is_none()),
        ("idle_timeout", idle == zero),
        ("keepalive", alive == zero),
        ("connect_retry", retry == zero),
        ("max_uses", max_uses == Some(0)),
        ("min_idle", maxsize != 0 && min_idle > maxsize),
        (
            "max_idle",
            max_idle.is_some_and(|most| most < minsize.max(min_idle)),
        ),
        ("max_connecting", connecting == Some(0)),
        ("reserved", reserved > 0 && reserved >= maxsize),
        ("shedding", shedding.is_some_and(is_zero)),
    ];
    (builder, wrong)
}
