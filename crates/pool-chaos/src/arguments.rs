//! The command line.

use std::time::Duration;

/// How long to run, and with which random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) length: Duration,
    pub(crate) seed: u64,
}

impl Arguments {
    /// Reads `--minutes N` (1 by default) and `--seed S` (a random one by default).
    pub(crate) fn read(words: &[String]) -> Result<Self, String> {
        let mut minutes = 1;
        let mut seed = None;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let number = words.next().and_then(|number| number.parse::<u64>().ok());
            match (word.as_str(), number) {
                ("--minutes", Some(number)) if (1..=100_000).contains(&number) => minutes = number,
                ("--seed", Some(number)) => seed = Some(number),
                ("--minutes" | "--seed", _) => return Err(format!("{word} takes a number")),
                _ => return Err(format!("there is no option `{word}`")),
            }
        }
        Ok(Self {
            length: Duration::from_secs(60 * minutes),
            seed: seed.unwrap_or_else(|| fastrand::u64(..1_000_000)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_are_read() {
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let read = Arguments::read(&words("--minutes 3 --seed 7"));
        let length = Duration::from_secs(180);
        assert_eq!(read, Ok(Arguments { length, seed: 7 }));
        assert!(Arguments::read(&[]).is_ok_and(|it| it.length == Duration::from_secs(60)));
        for wrong in ["--minutes", "--minutes 0", "--seed x", "--fast 1"] {
            assert!(Arguments::read(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
