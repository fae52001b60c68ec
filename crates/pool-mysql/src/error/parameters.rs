//! The texts about parameters that do not fit their statement, for our own errors and for those of the driver.

use std::fmt;

/// There is no value for the named parameter.
pub(super) struct NoValue<'a>(pub(super) &'a str);

impl fmt::Display for NoValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no value for the parameter {}", self.0)
    }
}

/// The statement has another number of parameters than were given.
pub(super) struct WrongCount {
    pub(super) expected: usize,
    pub(super) given: usize,
}

impl fmt::Display for WrongCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, given } = self;
        let parameters = match expected {
            1 => "parameter",
            _ => "parameters",
        };
        let were = match given {
            1 => "was",
            _ => "were",
        };
        write!(
            f,
            "the statement has {expected} {parameters}, but {given} {were} given"
        )
    }
}
