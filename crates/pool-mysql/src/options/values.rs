//! The values of options, in a URL and in a configuration file.

use std::path::PathBuf;
use std::time::Duration;

use pool_core::ConfigError;

/// The value that was written for an option. It may be a password, so it has no `Debug`.
// In a URL all values are texts.
#[cfg_attr(not(feature = "serde"), allow(dead_code))]
pub(super) enum Value {
    /// A configuration file's `null`.
    Nothing,
    Switch(bool),
    Number(f64),
    Text(String),
    List(Vec<String>),
}

impl Value {
    /// A text. A number or a switch is refused, because its spelling is lost. The error never shows the value.
    pub(super) fn text(self, key: &str) -> Result<String, ConfigError> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Nothing => Err(empty(key)),
            _ => Err(error(key, "give a text, in quotes")),
        }
    }

    /// `true`, `false` and their usual spellings.
    pub(super) fn switch(self, key: &str) -> Result<bool, ConfigError> {
        const HINT: &str = "give true or false";
        match self {
            Self::Switch(on) => Ok(on),
            Self::Number(1.0) => Ok(true),
            Self::Number(0.0) => Ok(false),
            Self::Text(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "on" | "yes" => Ok(true),
                "false" | "0" | "off" | "no" => Ok(false),
                _ => Err(bad(key, &text, HINT)),
            },
            Self::Nothing => Err(empty(key)),
            _ => Err(error(key, HINT)),
        }
    }

    /// The same, or `none` for neither.
    pub(super) fn switch_or_none(self, key: &str) -> Result<Option<bool>, ConfigError> {
        match self {
            Self::Nothing => Ok(None),
            Self::Text(text) if text.eq_ignore_ascii_case("none") => Ok(None),
            other => other.switch(key).map(Some),
        }
    }

    /// A whole number that is not negative, also in hexadecimal (`0x2`).
    pub(super) fn whole<T: TryFrom<u64>>(self, key: &str) -> Result<T, ConfigError> {
        const HINT: &str = "give a whole number that is not negative, and not too large";
        let (number, text) = match self {
            Self::Number(number) => (exact(number), number.to_string()),
            Self::Text(text) => {
                let number = match text.strip_prefix("0x") {
                    Some(digits) => u64::from_str_radix(digits, 16).ok(),
                    None => text.parse().ok(),
                };
                (number, text)
            }
            Self::Nothing => return Err(empty(key)),
            _ => return Err(error(key, HINT)),
        };
        number
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| bad(key, &text, HINT))
    }

    /// Seconds (`30`, `1.5`), or with a unit (`30s`, `500ms`, `2m`, `1h`); `none` and aiomysql's `-1` mean no limit.
    pub(super) fn duration(self, key: &str) -> Result<Option<Duration>, ConfigError> {
        const HINT: &str = "give seconds, such as 30 or 0.5, or a number with a unit, such as 500ms, 30s, 5m or 1h; none for no limit";
        let (seconds, text) = match self {
            Self::Nothing | Self::Number(-1.0) => return Ok(None),
            Self::Number(number) => (Some(number), number.to_string()),
            Self::Text(text) if text.eq_ignore_ascii_case("none") || text == "-1" => {
                return Ok(None);
            }
            Self::Text(text) => (seconds(&text), text),
            _ => return Err(error(key, HINT)),
        };
        seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .map(Some)
            .ok_or_else(|| bad(key, &text, HINT))
    }

    /// One of a few words. `-` means `_`, and capital letters mean small ones.
    pub(super) fn one_of<T: Copy>(self, key: &str, words: &[(&str, T)]) -> Result<T, ConfigError> {
        let text = self.text(key)?;
        let plain = text.to_ascii_lowercase().replace('-', "_");
        words
            .iter()
            .find(|(word, _)| *word == plain)
            .map(|(_, meaning)| *meaning)
            .ok_or_else(|| {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                bad(key, &text, &format!("give {}", words.join(" or ")))
            })
    }

    /// A whole number as above, or `none`.
    pub(super) fn whole_or_none<T: TryFrom<u64>>(
        self,
        key: &str,
    ) -> Result<Option<T>, ConfigError> {
        match self {
            Self::Nothing => Ok(None),
            Self::Text(text) if text.eq_ignore_ascii_case("none") => Ok(None),
            other => other.whole(key).map(Some),
        }
    }

    /// The path of a file.
    pub(super) fn path(self, key: &str) -> Result<PathBuf, ConfigError> {
        self.text(key).map(Into::into)
    }

    /// One path or several.
    pub(super) fn paths(self, key: &str) -> Result<Vec<PathBuf>, ConfigError> {
        match self {
            Self::List(paths) => Ok(paths.into_iter().map(Into::into).collect()),
            other => Ok(vec![other.path(key)?]),
        }
    }
}

/// A number of seconds, if the text is one.
fn seconds(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds_per_unit = match &text[digits.len()..] {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    digits.parse::<f64>().ok().map(|n| n * seconds_per_unit)
}

/// A number without a fraction, in the range in which floating point numbers are exact.
fn exact(number: f64) -> Option<u64> {
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    let fits = (0.0..=LARGEST).contains(&number) && number.fract() == 0.0;
    // In this range the cast is exact.
    fits.then_some(number as u64)
}

fn empty(key: &str) -> ConfigError {
    error(key, "it is empty: give a value, or leave it out")
}

fn error(key: &str, message: &'static str) -> ConfigError {
    ConfigError::new(key.to_owned(), message)
}

fn bad(key: &str, value: &str, hint: &str) -> ConfigError {
    ConfigError::new(key.to_owned(), format!("`{value}` cannot be used: {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    #[test]
    fn durations_are_seconds_or_have_a_unit() {
        let millis = |value: Value| value.duration("k").unwrap().map(|d| d.as_millis());
        assert_eq!(millis(text("30")), Some(30_000));
        assert_eq!(millis(text("0.5")), Some(500));
        assert_eq!(millis(text("30s")), Some(30_000));
        assert_eq!(millis(text("500ms")), Some(500));
        assert_eq!(millis(text("2m")), Some(120_000));
        assert_eq!(millis(text("1h")), Some(3_600_000));
        assert_eq!(millis(text("0")), Some(0));
        assert_eq!(millis(text("none")), None);
        assert_eq!(millis(text("-1")), None);
        assert_eq!(millis(Value::Number(1.5)), Some(1500));
        assert_eq!(millis(Value::Number(-1.0)), None);
        assert_eq!(millis(Value::Nothing), None);
    }

    #[test]
    fn other_texts_are_no_durations() {
        for value in [
            "", "s", "-2", "1d", "1 s", "1e400", "NaN", "inf", "1.2.3s", "ä",
        ] {
            let error = text(value).duration("pool_recycle").unwrap_err();
            assert_eq!(error.field(), "pool_recycle", "{value}");
        }
        assert!(Value::Number(-2.0).duration("k").is_err());
        assert!(Value::Switch(true).duration("k").is_err());
    }

    #[test]
    fn switches_have_their_usual_spellings() {
        assert_eq!(text("True").switch("k"), Ok(true));
        assert_eq!(text("0").switch("k"), Ok(false));
        assert_eq!(Value::Switch(true).switch("k"), Ok(true));
        assert!(text("maybe").switch("k").is_err());
        assert!(Value::Number(2.0).switch("k").is_err());
        assert_eq!(text("none").switch_or_none("k"), Ok(None));
    }

    #[test]
    fn counts_are_whole_and_not_negative() {
        assert_eq!(text("10").whole::<usize>("minsize"), Ok(10));
        assert_eq!(text("0x10").whole::<u32>("client_flag"), Ok(16));
        assert_eq!(Value::Number(10.0).whole::<u16>("port"), Ok(10));
        for value in [text("-1"), text(""), text("1.5"), text("70000")] {
            assert!(value.whole::<u16>("minsize").is_err());
        }
        for value in [-1.0, 1.5, 70000.0, f64::NAN] {
            assert!(Value::Number(value).whole::<u16>("minsize").is_err());
        }
    }

    #[test]
    fn words_are_recognised_in_every_spelling() {
        let words = [("verify_ca", 1), ("required", 2)];
        assert_eq!(text("VERIFY-CA").one_of("k", &words), Ok(1));
        assert_eq!(text("Required").one_of("k", &words), Ok(2));
        let error = text("maybe").one_of("k", &words).unwrap_err();
        assert!(error.message().ends_with("give verify_ca or required"));
    }

    #[test]
    fn a_text_is_never_repeated_in_an_error() {
        let error = Value::Number(123.0).text("password").unwrap_err();
        assert_eq!(error.message(), "give a text, in quotes");
    }
}
