//! Makes a script that fails shorter.

use crate::script::{Outcome, Script, Settings, Spawner};
use crate::world::run;

/// A shorter script that fails too, in the same way as far as its first words tell.
///
/// Returns the script as it is if it does not fail.
pub fn shrink(script: &Script) -> Script {
    shrink_under(script, |script| Some(run(script).err()?.what))
}

/// The same under another law than the promises of the pool: `law` returns what is wrong with a script.
pub fn shrink_under(script: &Script, law: impl Fn(&Script) -> Option<String>) -> Script {
    let kind = |script: &Script| law(script).as_deref().map(kind_of);
    let Some(first) = kind(script) else {
        return script.clone();
    };
    let fails = |script: &Script| kind(script).as_ref() == Some(&first);
    let mut best = script.clone();
    loop {
        let before = best.clone();
        without_ops(&mut best, &fails);
        smaller_numbers(&mut best, &fails);
        plain_tapes(&mut best, &fails);
        plain_settings(&mut best, &fails);
        if best == before {
            return best;
        }
    }
}

/// What a failure is about: the name of the promise, and the words before the status of the pool that are not numbers.
fn kind_of(what: &str) -> String {
    let words = what.split(';').next().unwrap_or_default().split(' ');
    let has_number = |word: &str| word.contains(|char: char| char.is_ascii_digit());
    let said = words.enumerate();
    let said = said.filter(|(place, word)| *place == 0 || !has_number(word));
    said.map(|(_, word)| word).collect::<Vec<_>>().join(" ")
}

/// Leaves out operations: first many at once, then one by one.
fn without_ops(best: &mut Script, fails: &impl Fn(&Script) -> bool) {
    let mut size = best.ops.len().max(1);
    loop {
        let mut at = 0;
        while at < best.ops.len() {
            let mut shorter = best.clone();
            shorter.ops.drain(at..(at + size).min(best.ops.len()));
            match fails(&shorter) {
                true => *best = shorter,
                false => at += size,
            }
        }
        if size == 1 {
            return;
        }
        size /= 2;
    }
}

fn smaller_numbers(best: &mut Script, fails: &impl Fn(&Script) -> bool) {
    for index in 0..best.ops.len() {
        for smaller in [0, 1] {
            let mut other = best.clone();
            if other.ops[index].number > smaller {
                other.ops[index].number = smaller;
                if fails(&other) {
                    *best = other;
                    break;
                }
            }
        }
    }
}

fn plain_tapes(best: &mut Script, fails: &impl Fn(&Script) -> bool) {
    for (name, length) in best.tapes().map(|(name, tape)| (name, tape.len())) {
        let mut other = best.clone();
        if let Some(tape) = other.tape(name) {
            tape.clear();
        }
        if fails(&other) {
            *best = other;
            continue;
        }
        for index in (0..length).rev() {
            let mut other = best.clone();
            let Some(tape) = other.tape(name) else {
                continue;
            };
            match index + 1 == tape.len() {
                true => {
                    tape.pop();
                }
                false => tape[index] = Outcome::Ok,
            }
            if fails(&other) {
                *best = other;
            }
        }
    }
}

fn plain_settings(best: &mut Script, fails: &impl Fn(&Script) -> bool) {
    let mut other = best.clone();
    other.settings.spawner = Spawner::Runs;
    if fails(&other) {
        *best = other;
    }
    let mut usual = Settings::default();
    for name in Settings::NAMES {
        let mut other = best.clone();
        if let (Some(value), Some(plain)) = (other.settings.number(name), usual.number(name)) {
            *value = *plain;
        }
        if fails(&other) {
            *best = other;
        }
    }
}
