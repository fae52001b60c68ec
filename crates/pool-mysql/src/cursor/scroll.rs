//! The target of `scroll`.

/// The row from which a cursor's `scroll` counts.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ScrollMode {
    /// From the next row to be fetched.
    #[default]
    Relative,
    /// From the first row, which has number 0.
    Absolute,
}

/// The number of the target row; negative if it would be before the first row.
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
