//! Why a check ends before it has passed.

/// The reason for which a check did not pass.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The manager breaks the contract in this way.
    Failed(String),
    /// The check cannot be made with this backend, for this reason.
    NotApplicable(String),
}

/// How a check, or a part of it, ends.
pub(crate) type Checked<T = ()> = Result<T, Stop>;

/// The end of a check that has found a fault.
pub(crate) fn failed<T>(why: impl Into<String>) -> Checked<T> {
    Err(Stop::Failed(why.into()))
}

/// The end of a check that cannot be made.
pub(crate) fn not_applicable<T>(why: impl Into<String>) -> Checked<T> {
    Err(Stop::NotApplicable(why.into()))
}

/// The end of a check for which the backend lacks a means.
pub(crate) fn given<T>(answer: Option<T>, means: &str) -> Checked<T> {
    match answer {
        Some(answer) => Ok(answer),
        None => not_applicable(format!("the backend does not give `{means}`")),
    }
}
