//! A script as text.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use crate::script::{Op, Outcome, Script, Settings, Spawner, Verb};

/// A text that is not a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    word: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a script has no {:?}", self.word)
    }
}

impl Error for ScriptError {}

fn unknown(word: &str) -> ScriptError {
    ScriptError { word: word.into() }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set")?;
        match self.settings.spawner {
            Spawner::Runs => {}
            Spawner::None => write!(f, " spawner=none")?,
            Spawner::RefusesAfter(tasks) => write!(f, " spawner={tasks}")?,
        }
        let (mut all, mut usual) = (self.settings.clone(), Settings::default());
        for name in Settings::NAMES {
            let value = all.number(name).map(|value| *value);
            if value != usual.number(name).map(|value| *value) {
                write!(f, " {name}={}", value.unwrap_or_default())?;
            }
        }
        writeln!(f)?;
        for (name, tape) in self.tapes() {
            if !tape.is_empty() {
                write!(f, "{name}:")?;
                for outcome in tape {
                    write!(f, " {outcome}")?;
                }
                writeln!(f)?;
            }
        }
        for (index, op) in self.ops.iter().enumerate() {
            let separator = match index {
                0 => "",
                _ if index % 8 == 0 => ";\n",
                _ => "; ",
            };
            write!(f, "{separator}{} {}", op.verb.name(), op.number)?;
        }
        writeln!(f)
    }
}

impl FromStr for Script {
    type Err = ScriptError;

    fn from_str(text: &str) -> Result<Self, ScriptError> {
        let mut script = Self::default();
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            let first = words.next().unwrap_or_default();
            if first == "set" {
                words.try_for_each(|word| script.settings.read(word))?;
            } else if let Some(name) = first.strip_suffix(':') {
                let tape = script.tape(name).ok_or_else(|| unknown(first))?;
                for word in words {
                    tape.push(word.parse()?);
                }
            } else {
                let ops = line.split(';').map(str::trim).filter(|op| !op.is_empty());
                for op in ops {
                    script.ops.push(op.parse()?);
                }
            }
        }
        Ok(script)
    }
}

impl Settings {
    fn read(&mut self, word: &str) -> Result<(), ScriptError> {
        let (name, value) = word.split_once('=').ok_or_else(|| unknown(word))?;
        if name == "spawner" {
            self.spawner = match value {
                "none" => Spawner::None,
                tasks => Spawner::RefusesAfter(tasks.parse().map_err(|_| unknown(word))?),
            };
            return Ok(());
        }
        let number = value.parse().map_err(|_| unknown(word))?;
        *self.number(name).ok_or_else(|| unknown(word))? = number;
        Ok(())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            Self::Err => f.write_str("err"),
            Self::Panic => f.write_str("panic"),
            Self::PanicInCall => f.write_str("panic_in_call"),
            Self::Pend(times) => write!(f, "pend:{times}"),
            Self::Delay(time) => write!(f, "delay:{time}"),
            Self::Gate => f.write_str("gate"),
            Self::GateErr => f.write_str("gate_err"),
            Self::GatePanic => f.write_str("gate_panic"),
            Self::Reuse => f.write_str("reuse"),
            Self::Discard => f.write_str("discard"),
        }
    }
}

impl FromStr for Outcome {
    type Err = ScriptError;

    fn from_str(text: &str) -> Result<Self, ScriptError> {
        let (name, number) = text.split_once(':').unwrap_or((text, "0"));
        let number = number.parse().map_err(|_| unknown(text))?;
        Ok(match name {
            "ok" => Self::Ok,
            "err" => Self::Err,
            "panic" => Self::Panic,
            "panic_in_call" => Self::PanicInCall,
            "pend" => Self::Pend(number),
            "delay" => Self::Delay(number),
            "gate" => Self::Gate,
            "gate_err" => Self::GateErr,
            "gate_panic" => Self::GatePanic,
            "reuse" => Self::Reuse,
            "discard" => Self::Discard,
            _ => return Err(unknown(text)),
        })
    }
}

impl FromStr for Op {
    type Err = ScriptError;

    fn from_str(text: &str) -> Result<Self, ScriptError> {
        let (name, number) = text.split_once(' ').unwrap_or((text, "0"));
        let verb = Verb::ALL.iter().find(|verb| verb.name() == name);
        Ok(Self {
            verb: *verb.ok_or_else(|| unknown(text))?,
            number: number.trim().parse().map_err(|_| unknown(text))?,
        })
    }
}
