//! The command line.

use std::time::Duration;

use crate::faults::KINDS;

/// How long to run, and with which random numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) length: Duration,
    pub(crate) seed: u64,
    /// The faults whose name has this in it; all, if it is empty.
    pub(crate) only: String,
}

impl Arguments {
    /// Reads `--minutes N` (1 by default), `--seed S` (a random one by default) and `--only FAULT` (all by default).
    pub(crate) fn read(words: &[String]) -> Result<Self, String> {
        let mut minutes = 1;
        let mut seed = None;
        let mut only = String::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words.next();
            let number = value.and_then(|number| number.parse::<u64>().ok());
            match (word.as_str(), number) {
                ("--only", _) => {
                    let known =
                        |name: &String| KINDS.iter().any(|kind| kind.contains(name.as_str()));
                    let name = value.filter(|name| known(name));
                    only = name
                        .ok_or_else(|| format!("--only takes one of: {}", KINDS.join(", ")))?
                        .clone();
                }
                ("--minutes", Some(number)) if (1..=100_000).contains(&number) => minutes = number,
                ("--seed", Some(number)) => seed = Some(number),
                ("--minutes" | "--seed", _) => return Err(format!("{word} takes a number")),
                _ => return Err(format!("there is no option `{word}`")),
            }
        }
        Ok(Self {
            length: Duration::from_secs(60 * minutes),
            seed: seed.unwrap_or_else(|| fastrand::u64(..1_000_000)),
            only,
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
        let only = String::new();
        let expected = Arguments {
            length,
            seed: 7,
            only,
        };
        assert_eq!(read, Ok(expected));
        let one = Arguments::read(&["--only".into(), "queries killed".into()]);
        assert!(one.is_ok_and(|it| it.only == "queries killed"));
        assert!(Arguments::read(&[]).is_ok_and(|it| it.length == Duration::from_secs(60)));
        for wrong in [
            "--minutes",
            "--minutes 0",
            "--seed x",
            "--fast 1",
            "--only rain",
            "--only",
        ] {
            assert!(Arguments::read(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
