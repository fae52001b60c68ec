//! What a closed pool has left behind.

use std::time::Duration;

/// What is left, and whether it may still go away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Leftover {
    Nothing,
    /// It may go away.
    MayGo,
    /// It had time enough. The text says what is left.
    Stays(String),
}

/// Judges so many things that a closed pool has left, after a wait.
pub(crate) fn judge(left: usize, what: &str, waited: Duration, patience: Duration) -> Leftover {
    match left {
        0 => Leftover::Nothing,
        _ if waited <= patience => Leftover::MayGo,
        _ => Leftover::Stays(format!("the closed pool has left {left} {what}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    #[test]
    fn sessions_that_are_left_after_the_patience_are_reported() {
        let after = |waited| judge(2, "sessions", waited, PATIENCE);
        assert_eq!(after(PATIENCE), Leftover::MayGo);
        let late = after(PATIENCE + Duration::from_millis(1));
        let words = "the closed pool has left 2 sessions".to_owned();
        assert_eq!(late, Leftover::Stays(words));
    }

    #[test]
    fn a_pool_that_has_left_nothing_is_fine_however_long_it_took() {
        assert_eq!(
            judge(0, "sessions", PATIENCE * 2, PATIENCE),
            Leftover::Nothing
        );
    }
}
