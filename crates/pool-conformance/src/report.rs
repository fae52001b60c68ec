//! What the kit has found, check by check.

use std::fmt;
use std::time::Duration;

/// How a check ended.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The manager keeps this promise.
    Passed,
    /// The manager breaks this promise; the text says how.
    Failed(String),
    /// The backend lacks a means that the check needs, or its manager does not have what is checked. The text says which.
    NotApplicable(String),
    /// Another check failed, and this one would only fail for the same reason. The text names the other check.
    Skipped(String),
}

/// One check and how it ended.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Finding {
    /// The promise, as a sentence.
    pub check: &'static str,
    /// How the check ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// What the kit has found, in the order of the checks. `Display` writes one line a check.
///
/// # Examples
///
/// See [`run`](crate::run).
#[derive(Clone, Debug)]
pub struct Report {
    pub(crate) findings: Vec<Finding>,
}

impl Report {
    /// All checks.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The names of the checks that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        self.those(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    /// The names of the checks that passed.
    pub fn passed(&self) -> Vec<&'static str> {
        self.those(|outcome| matches!(outcome, Outcome::Passed))
    }

    /// The names of the checks that could not be made with this backend.
    pub fn not_applicable(&self) -> Vec<&'static str> {
        self.those(|outcome| matches!(outcome, Outcome::NotApplicable(_)))
    }

    /// The names of the checks that were left out because another check failed.
    pub fn skipped(&self) -> Vec<&'static str> {
        self.those(|outcome| matches!(outcome, Outcome::Skipped(_)))
    }

    /// Whether no check failed.
    pub fn conforms(&self) -> bool {
        self.failed().is_empty()
    }

    fn those(&self, wanted: impl Fn(&Outcome) -> bool) -> Vec<&'static str> {
        let findings = self.findings.iter();
        let wanted = findings.filter(|finding| wanted(&finding.outcome));
        wanted.map(|finding| finding.check).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} checks passed, {} failed, {} not applicable, {} skipped",
            self.passed().len(),
            self.failed().len(),
            self.not_applicable().len(),
            self.skipped().len(),
        )?;
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, why) = match &self.outcome {
            Outcome::Passed => ("passed", None),
            Outcome::Failed(why) => ("FAILED", Some(why)),
            Outcome::NotApplicable(why) => ("not applicable", Some(why)),
            Outcome::Skipped(why) => ("skipped", Some(why)),
        };
        write!(f, "  {word:<14}  {}", self.check)?;
        match why {
            Some(why) => write!(f, ": {why}"),
            None => write!(f, " ({} ms)", self.took.as_millis()),
        }
    }
}
