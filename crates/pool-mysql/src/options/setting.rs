//! A value that somebody gave, or its default.

/// A value, and whether somebody gave it: an option file fills only what nobody gave.
///
/// Two are equal where they have the same value, whoever gave it.
#[derive(Clone)]
pub(crate) struct Said<T> {
    pub(super) value: T,
    pub(super) said: bool,
}

impl<T> Said<T> {
    /// A default, which nobody gave.
    pub(super) fn default(value: T) -> Self {
        Self { value, said: false }
    }

    /// What somebody gave.
    pub(super) fn by_somebody(value: T) -> Self {
        Self { value, said: true }
    }
}

impl<T: PartialEq> PartialEq for Said<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Said<T> {}
