//! The command line.

use std::time::Duration;

use pool_mysql::ResetPolicy;

use crate::faults::KINDS;

/// The policies that the ledger test runs with, and their names.
pub(crate) const POLICIES: [(&str, ResetPolicy); 2] = [
    ("always", ResetPolicy::Always),
    ("if-dirty", ResetPolicy::IfDirty),
];

/// How long to run, and with which random numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// The time of all rounds together.
    pub(crate) length: Duration,
    pub(crate) seed: u64,
    /// The faults whose name has this in it; all, if it is empty.
    pub(crate) only: String,
    /// The one policy that is wanted; each gets its part of the time, if it is `None`.
    pub(crate) policy: Option<&'static str>,
}

impl Arguments {
    /// Reads `--minutes N` (1 by default), `--seed S` (a random one by default), `--only FAULT` (all by default) and
    /// `--policy POLICY` (each by default).
    pub(crate) fn read(words: &[String]) -> Result<Self, String> {
        let mut minutes = 1;
        let mut seed = None;
        let mut only = String::new();
        let mut policy = None;
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
                ("--policy", _) => {
                    let names = POLICIES.map(|(name, _)| name);
                    let known = names
                        .into_iter()
                        .find(|name| value.is_some_and(|it| it == name));
                    let wrong = || format!("--policy takes one of: {}", names.join(", "));
                    policy = Some(known.ok_or_else(wrong)?);
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
            policy,
        })
    }

    /// The rounds that are to be run: name and policy of each, and how long each takes.
    pub(crate) fn rounds(&self) -> Vec<(&'static str, ResetPolicy, Duration)> {
        let is_wanted = |name| self.policy.is_none_or(|only| only == name);
        let wanted: Vec<_> = POLICIES
            .into_iter()
            .filter(|(name, _)| is_wanted(*name))
            .collect();
        let parts = u32::try_from(wanted.len()).unwrap_or(1);
        let length = self.length / parts;
        let rounds = wanted
            .into_iter()
            .map(|(name, policy)| (name, policy, length));
        rounds.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Arguments, String> {
        let words = text.split_whitespace().map(str::to_owned);
        Arguments::read(&words.collect::<Vec<_>>())
    }

    #[test]
    fn the_options_are_read() {
        let expected = Arguments {
            length: Duration::from_secs(180),
            seed: 7,
            only: String::new(),
            policy: Some("if-dirty"),
        };
        assert_eq!(read("--minutes 3 --seed 7 --policy if-dirty"), Ok(expected));
        let one = Arguments::read(&["--only".into(), "queries killed".into()]);
        assert!(one.is_ok_and(|it| it.only == "queries killed"));
        assert!(read("").is_ok_and(|it| it.length == Duration::from_secs(60)));
        for wrong in [
            "--minutes",
            "--minutes 0",
            "--seed x",
            "--fast 1",
            "--only rain",
            "--only",
            "--policy",
            "--policy never",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_policies_share_the_time_unless_one_is_wanted_alone() {
        let rounds = |text| read(text).expect("these options are right").rounds();
        let half = Duration::from_secs(30);
        let both = POLICIES.map(|(name, policy)| (name, policy, half));
        assert_eq!(rounds(""), both);
        let one = ("if-dirty", ResetPolicy::IfDirty, 2 * half);
        assert_eq!(rounds("--policy if-dirty"), [one]);
    }
}
