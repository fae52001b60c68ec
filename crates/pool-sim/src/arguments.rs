//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

const USAGE: &str = "usage: pool-sim (--runs N | --minutes M) [--from SEED] [--tally FILE]";

#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) runs: Option<u64>,
    pub(crate) minutes: Option<u64>,
    pub(crate) from: Option<u64>,
    pub(crate) tally: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self::default();
        while let Some(name) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| format!("{name} needs a value; {USAGE}"))?;
            match name.as_str() {
                "--runs" => arguments.runs = Some(number(&name, &value)?),
                "--minutes" => arguments.minutes = Some(number(&name, &value)?),
                "--from" => arguments.from = Some(number(&name, &value)?),
                "--tally" => arguments.tally = Some(value.into()),
                _ => return Err(format!("there is no {name}; {USAGE}")),
            }
        }
        match (arguments.runs, arguments.minutes) {
            (None, None) => Err(USAGE.into()),
            _ => Ok(arguments),
        }
    }
}

fn number<T: FromStr>(name: &str, value: &str) -> Result<T, String> {
    let number = value.parse();
    number.map_err(|_| format!("{name} takes a number, and got {value}"))
}
