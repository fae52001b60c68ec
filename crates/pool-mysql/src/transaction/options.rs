//! How a transaction begins, and how often it is repeated.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use mysql_async::{IsolationLevel, TxOpts};

/// How [`Connection::transaction_with`](crate::Connection::transaction_with) begins a transaction, and how often it repeats
/// the transaction after a conflict with another one.
///
/// # Examples
///
/// ```
/// use pool_mysql::TransactionOptions;
/// use pool_mysql::mysql_async::IsolationLevel;
///
/// let options = TransactionOptions::new()
///     .isolation_level(IsolationLevel::Serializable)
///     .retries(3);
/// # drop(options);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionOptions {
    begin: TxOpts,
    retries: u32,
    shortest: Duration,
    longest: Duration,
}

impl Default for TransactionOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl TransactionOptions {
    /// The session's isolation level, read and write, never repeated.
    pub fn new() -> Self {
        Self {
            begin: TxOpts::default(),
            retries: 0,
            shortest: Duration::from_millis(10),
            longest: Duration::from_secs(1),
        }
    }

    /// The isolation level of this transaction alone; default: the session's.
    #[must_use]
    pub fn isolation_level(mut self, level: IsolationLevel) -> Self {
        self.begin.with_isolation_level(level);
        self
    }

    /// READ ONLY or READ WRITE; default: the session's.
    #[must_use]
    pub fn readonly(mut self, readonly: bool) -> Self {
        self.begin.with_readonly(readonly);
        self
    }

    /// Whether the transaction sees the data as of its beginning, not as of its first statement; default: no.
    #[must_use]
    pub fn consistent_snapshot(mut self, yes: bool) -> Self {
        self.begin.with_consistent_snapshot(yes);
        self
    }

    /// How often, at most, a transaction is repeated after a deadlock (1213) or a lock wait timeout (1205); default: never.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// The pause before the first retry, which doubles with each retry, and the longest pause; default: 10 ms and 1 s.
    ///
    /// Each pause is a random time between half of it and all of it, so that two transactions that met do not meet again.
    #[must_use]
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.shortest = first;
        self.longest = longest;
        self
    }

    pub(crate) fn begin(&self) -> &TxOpts {
        &self.begin
    }

    /// The pause after the attempt with this number, counted from 0; `None` after the last attempt.
    pub(crate) fn pause_after(&self, attempt: u32) -> Option<Duration> {
        (attempt < self.retries)
            .then(|| self.pause(attempt, RandomState::new().build_hasher().finish()))
    }

    fn pause(&self, attempt: u32, random: u64) -> Duration {
        let factor = 1_u32.checked_shl(attempt).unwrap_or(u32::MAX);
        let full = self.shortest.saturating_mul(factor).min(self.longest);
        let share = (random % 1001) as u32;
        full / 2 + full / 2000 * share
    }
}

/// A transaction that begins in this way, and is never repeated.
impl From<TxOpts> for TransactionOptions {
    fn from(begin: TxOpts) -> Self {
        Self {
            begin,
            ..Self::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_there_are_as_many_as_retries() {
        let ms = Duration::from_millis;
        let options = TransactionOptions::new().retries(2).backoff(ms(8), ms(20));
        assert!(options.pause_after(1).is_some());
        assert_eq!(options.pause_after(2), None);
        for (attempt, full) in [(0, 8), (1, 16), (2, 20), (40, 20)] {
            assert_eq!(options.pause(attempt, 0), ms(full) / 2);
            assert_eq!(options.pause(attempt, 1000), ms(full));
        }
        for attempt in 0..2 {
            let pause = options.pause_after(attempt).expect("a retry");
            assert!(pause >= ms(4) && pause <= ms(16), "{pause:?}");
        }
        assert_eq!(TransactionOptions::new().pause_after(0), None);
    }
}
