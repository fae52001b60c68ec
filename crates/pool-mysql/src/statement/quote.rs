//! Quotes names in SQL text.

/// The name in backticks. A backtick inside it is doubled.
pub(crate) fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backtick_cannot_end_the_name() {
        assert_eq!(name("shop"), "`shop`");
        assert_eq!(name("a`; DROP TABLE t; `"), "`a``; DROP TABLE t; ```");
        assert_eq!(name(r"back\slash"), r"`back\slash`");
    }
}
