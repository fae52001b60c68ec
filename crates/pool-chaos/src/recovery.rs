//! How long after a fault a move must have succeeded.

use std::fmt::Debug;
use std::time::Duration;

use crate::pool_place::CONNECT_TIMEOUT;

/// A connect that hangs when the fault ends is given up after `connect_timeout`. The rest is for the next connect and for
/// the move itself.
pub(crate) const LIMIT: Duration = CONNECT_TIMEOUT.saturating_add(Duration::from_secs(2));

/// What the moves after a fault say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// No move that began after the fault has succeeded so far.
    NotYet,
    /// A move that began after the fault has succeeded in time.
    InTime,
    /// The limit has passed.
    TooSlow,
}

/// Judges a fault that ended at `end`, at the time `now`. `last_ok_began` is when the last move began that has succeeded.
pub(crate) fn judge(end: Duration, last_ok_began: Duration, now: Duration) -> Recovery {
    if now.saturating_sub(end) > LIMIT {
        Recovery::TooSlow
    } else if last_ok_began >= end {
        Recovery::InTime
    } else {
        Recovery::NotYet
    }
}

/// The words for a fault after which it took too long.
pub(crate) fn too_slow(kind: &str, status: &impl Debug) -> String {
    format!("no move succeeds {LIMIT:?} after: {kind}; {status:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: Duration = Duration::from_secs(60);

    #[test]
    fn the_limit_is_two_seconds_more_than_the_pool_waits_for_a_connect() {
        assert_eq!(LIMIT, Duration::from_secs(4));
        assert_eq!(LIMIT, CONNECT_TIMEOUT + Duration::from_secs(2));
    }

    #[test]
    fn a_move_that_began_before_the_end_of_the_fault_shows_nothing() {
        let before = Duration::from_millis(59_999);
        assert_eq!(judge(END, before, END + LIMIT), Recovery::NotYet);
    }

    #[test]
    fn a_move_that_began_after_the_fault_and_succeeded_is_a_recovery() {
        assert_eq!(judge(END, END, END + LIMIT), Recovery::InTime);
    }

    #[test]
    fn no_success_within_the_limit_is_too_slow() {
        let late = END + LIMIT + Duration::from_millis(1);
        assert_eq!(judge(END, Duration::ZERO, late), Recovery::TooSlow);
        assert_eq!(judge(END, END, late), Recovery::TooSlow);
        let words = "no move succeeds 4s after: rain; \"status\"";
        assert_eq!(too_slow("rain", &"status"), words);
    }
}
