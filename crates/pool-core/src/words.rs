//! Times and numbers as people read them.

use std::fmt;
use std::time::Duration;

/// A time with three digits, such as `4.06s`; from 100 seconds on, in whole seconds.
pub(crate) struct Rounded(pub(crate) Duration);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SECOND: u128 = 1_000_000_000;
        let nanos = self.0.as_nanos();
        let digits = nanos.checked_ilog10().unwrap_or(0);
        let unit = 10_u128.pow(digits.saturating_sub(2)).min(SECOND);
        let rounded = nanos / unit * unit;
        match u64::try_from(rounded) {
            Ok(rounded) => write!(f, "{:?}", Duration::from_nanos(rounded)),
            // More than 500 years.
            Err(_) => write!(f, "{:?}", self.0),
        }
    }
}

/// A foreign text as part of a line: its line breaks are spaces.
pub(crate) struct OneLine<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        if !text.contains(['\n', '\r']) {
            return f.write_str(&text);
        }
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        for (at, line) in lines.enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(line)?;
        }
        Ok(())
    }
}

/// A largest number of connections; 0 means unlimited.
pub(crate) struct Maxsize(pub(crate) usize);

impl fmt::Display for Maxsize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("unlimited"),
            n => write!(f, "{n}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_three_digits_or_whole_seconds() {
        let cases = [
            (0, "0ns"),
            (999, "999ns"),
            (1_234, "1.23µs"),
            (57_000_000, "57ms"),
            (4_061_621_580, "4.06s"),
            (62_000_000_000, "62s"),
            (1_234_567_890_123, "1234s"),
        ];
        for (nanos, text) in cases {
            assert_eq!(Rounded(Duration::from_nanos(nanos)).to_string(), text);
        }
        assert_eq!(
            Rounded(Duration::MAX).to_string(),
            format!("{:?}", Duration::MAX)
        );
    }
}
