//! Whether a pool that is made smaller becomes smaller, and stays so.

use std::time::Duration;

use crate::mover;

/// How long the pool may be larger than its new maxsize. A task gives its connection back after its patience at the latest; the
/// rest is for the recycle and the close, which may take a second each.
pub(crate) const LIMIT: Duration = mover::PATIENCE.saturating_add(Duration::from_secs(3));

/// How far a pool is with its shrinking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shrinking {
    Done,
    /// It may still become smaller.
    NotYet,
    /// It had time enough. The text says what its size is.
    Stuck(String),
}

/// Judges the size of a pool that was given this maxsize so long ago.
pub(crate) fn judge(size: usize, maxsize: usize, waited: Duration) -> Shrinking {
    if size <= maxsize {
        Shrinking::Done
    } else if waited <= LIMIT {
        Shrinking::NotYet
    } else {
        Shrinking::Stuck(format!(
            "the pool has {size} connections {LIMIT:?} after it was resized to {maxsize}"
        ))
    }
}

/// What is wrong with the size of a pool that has shrunk to this maxsize before.
pub(crate) fn grown_again(size: usize, maxsize: usize) -> Option<String> {
    (size > maxsize)
        .then(|| format!("the pool has shrunk to {maxsize}, and has {size} connections again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_that_ignores_a_resize_is_a_violation_after_the_limit() {
        assert_eq!(LIMIT, Duration::from_secs(8));
        assert_eq!(judge(5, 2, LIMIT), Shrinking::NotYet);
        let late = LIMIT + Duration::from_millis(1);
        let words = "the pool has 5 connections 8s after it was resized to 2".to_owned();
        assert_eq!(judge(5, 2, late), Shrinking::Stuck(words));
        assert!(matches!(judge(3, 2, late), Shrinking::Stuck(_)));
    }

    #[test]
    fn a_pool_that_fits_is_done_however_long_it_took() {
        assert_eq!(judge(2, 2, Duration::ZERO), Shrinking::Done);
        assert_eq!(judge(0, 1, 2 * LIMIT), Shrinking::Done);
    }

    #[test]
    fn a_pool_that_has_shrunk_and_grows_again_is_a_violation() {
        assert_eq!(grown_again(2, 2), None);
        let words = "the pool has shrunk to 2, and has 3 connections again";
        assert_eq!(grown_again(3, 2).as_deref(), Some(words));
    }
}
