//! Finds the known word that an unknown one was probably meant to be.

/// The known word nearest to an unknown one; `None` if no word is near enough.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_ascii_lowercase().replace('-', "_");
    known
        .iter()
        .map(|&candidate| (distance(&word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1.max(candidate.len() / 3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many characters must be changed, added or removed to get from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["autocommit", "charset", "maxsize", "minsize"];

    #[test]
    fn a_typing_error_is_recognised() {
        assert_eq!(nearest("autocomit", KNOWN), Some("autocommit"));
        assert_eq!(nearest("AutoCommit", KNOWN), Some("autocommit"));
        assert_eq!(nearest("max_size", KNOWN), Some("maxsize"));
        assert_eq!(nearest("min-size", KNOWN), Some("minsize"));
    }

    #[test]
    fn an_entirely_different_word_is_not() {
        assert_eq!(nearest("ssl", KNOWN), None);
        assert_eq!(nearest("", KNOWN), None);
    }

    #[test]
    fn distances_are_counted_in_characters() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("ä", "a"), 1);
    }
}
