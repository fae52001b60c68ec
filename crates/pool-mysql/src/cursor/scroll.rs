//! Where a cursor is sent.

/// From where a cursor's `scroll` counts.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ScrollMode {
    /// From the row that would be fetched next.
    #[default]
    Relative,
    /// From the first row, which is number 0.
    Absolute,
}

/// The number of the row to go to; negative where it would be before the first.
pub(super) fn target(position: u64, value: i64, mode: ScrollMode) -> i64 {
    match mode {
        ScrollMode::Relative => i64::try_from(position)
            .unwrap_or(i64::MAX)
            .saturating_add(value),
        ScrollMode::Absolute => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_too_large() {
        assert_eq!(target(5, -7, ScrollMode::Relative), -2);
        assert_eq!(target(5, -7, ScrollMode::Absolute), -7);
        let farthest = i64::MAX;
        assert_eq!(target(u64::MAX, i64::MAX, ScrollMode::Relative), farthest);
    }
}
