//! The values that a URL's parameters may have.

use std::time::Duration;

use pool_core::ConfigError;

/// `true`, `false` and their usual spellings.
pub(super) fn switch(key: &str, value: &str) -> Result<bool, ConfigError> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "on" | "yes" => Ok(true),
        "false" | "0" | "off" | "no" => Ok(false),
        _ => Err(bad(key, value, "give true or false")),
    }
}

/// A number of connections.
pub(super) fn count(key: &str, value: &str) -> Result<usize, ConfigError> {
    value
        .parse()
        .map_err(|_| bad(key, value, "give a whole number that is not negative"))
}

/// Seconds (`30`, `1.5`), or with a unit (`30s`, `500ms`, `2m`, `1h`); `none` and aiomysql's `-1` mean no limit.
pub(super) fn duration(key: &str, value: &str) -> Result<Option<Duration>, ConfigError> {
    if value.eq_ignore_ascii_case("none") || value == "-1" {
        return Ok(None);
    }
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds_per_unit = match &value[digits.len()..] {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        _ => f64::NAN,
    };
    digits
        .parse::<f64>()
        .ok()
        .and_then(|number| Duration::try_from_secs_f64(number * seconds_per_unit).ok())
        .map(Some)
        .ok_or_else(|| {
            bad(
                key,
                value,
                "give seconds, such as 30 or 0.5, or a number with a unit, such as 500ms, 30s, 5m or 1h; none for no limit",
            )
        })
}

/// One of a few words.
pub(super) fn one_of<T: Copy>(
    key: &str,
    value: &str,
    words: &[(&str, T)],
) -> Result<T, ConfigError> {
    words
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(value))
        .map(|(_, meaning)| *meaning)
        .ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            bad(key, value, &format!("give {}", words.join(" or ")))
        })
}

fn bad(key: &str, value: &str, hint: &str) -> ConfigError {
    ConfigError::new(key.to_owned(), format!("`{value}` cannot be used: {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_or_have_a_unit() {
        let millis = |value| duration("k", value).unwrap().map(|d| d.as_millis());
        assert_eq!(millis("30"), Some(30_000));
        assert_eq!(millis("0.5"), Some(500));
        assert_eq!(millis("30s"), Some(30_000));
        assert_eq!(millis("500ms"), Some(500));
        assert_eq!(millis("2m"), Some(120_000));
        assert_eq!(millis("1h"), Some(3_600_000));
        assert_eq!(millis("0"), Some(0));
        assert_eq!(millis("none"), None);
        assert_eq!(millis("-1"), None);
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for value in [
            "", "s", "-2", "1d", "1 s", "1e400", "NaN", "inf", "1.2.3s", "ä",
        ] {
            let error = duration("pool_recycle", value).unwrap_err();
            assert_eq!(error.field(), "pool_recycle", "{value}");
        }
    }

    #[test]
    fn switches_have_their_usual_spellings() {
        assert_eq!(switch("k", "True"), Ok(true));
        assert_eq!(switch("k", "0"), Ok(false));
        assert!(switch("k", "maybe").is_err());
    }

    #[test]
    fn counts_are_not_negative() {
        assert_eq!(count("minsize", "10"), Ok(10));
        assert!(count("minsize", "-1").is_err());
        assert!(count("minsize", "").is_err());
    }
}
