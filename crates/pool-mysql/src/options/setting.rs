//! The value of an option, with the information whether the caller gave it.

/// The value of an option that has a default.
///
/// An option file fills only values that were not given explicitly. Two settings are equal when their values are.
#[derive(Clone)]
pub(crate) struct Setting<T> {
    pub(super) value: T,
    pub(super) is_explicit: bool,
}

impl<T> Setting<T> {
    /// A default value, which an option file may replace.
    pub(super) fn default(value: T) -> Self {
        Self {
            value,
            is_explicit: false,
        }
    }

    /// A value that the caller, a URL or an option file gave.
    pub(super) fn explicit(value: T) -> Self {
        Self {
            value,
            is_explicit: true,
        }
    }
}

impl<T: PartialEq> PartialEq for Setting<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Setting<T> {}
