//! Counts instructions: the program runs itself twice under callgrind, with different amounts of work. The difference of the two
//! counts is the cost of the additional work, so that opening and closing do not count.
//!
//! This program counts allocations, which costs some instructions for each of them. These are taken off, because a program that is
//! not a benchmark does not have them.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::{env, fs, process};

/// Part of the names of the functions that are taken off.
const NOT_COUNTED: &str = "allocation_counter::allocator";

/// The instructions of one of the `many - few` additional units of work. `words` are the arguments of this program that make it do
/// so many units.
pub(crate) fn extra_instructions<const N: usize>(
    words: impl Fn(u32) -> [String; N],
    few: u32,
    many: u32,
) -> Result<f64, String> {
    let less = collected(&words(few))?;
    let more = collected(&words(many))?;
    Ok((more - less) / f64::from(many - few))
}

/// Reads a number among the arguments that the program has given itself.
pub(crate) fn number<T: FromStr>(word: &str) -> Result<T, String> {
    word.parse()
        .map_err(|_| format!("`{word}` is not a number"))
}

/// Runs this program under callgrind and returns the number of instructions of all its threads.
fn collected(words: &[String]) -> Result<f64, String> {
    let program =
        env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let file = env::temp_dir().join(format!("pool-bench-{}.callgrind", process::id()));
    let counted = run(&program, words, &file);
    // If valgrind is not there, there is no file either.
    let _ = fs::remove_file(&file);
    counted
}

fn run(program: &Path, words: &[String], file: &Path) -> Result<f64, String> {
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", file.display()))
        // valgrind runs one thread at a time. With this, each thread has its turn.
        .arg("--fair-sched=yes")
        .arg(program)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("valgrind cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "the program failed under valgrind ({})",
            output.status
        ));
    }
    let profile = fs::read_to_string(file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    Ok(count(&profile))
}

/// The instructions in a profile of callgrind, without those that are taken off.
fn count(profile: &str) -> f64 {
    // A name stands in full only where it is first used. Elsewhere its number in parentheses stands for it.
    let mut names: HashMap<&str, bool> = HashMap::new();
    let (mut counts, mut after_call, mut sum) = (true, false, 0.0);
    for line in profile.lines() {
        let function = line.strip_prefix("fn=").or(line.strip_prefix("cfn="));
        if let Some(function) = function {
            let (number, name) = function.split_once(' ').unwrap_or((function, ""));
            if !name.is_empty() {
                names.insert(number, !name.contains(NOT_COUNTED));
            }
            if line.starts_with("fn=") {
                counts = names.get(number).copied().unwrap_or(true);
            }
        } else if line.starts_with("calls=") {
            // The next line is what the called function took, which is listed under its own name, too.
            after_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let cost = line.split(' ').nth(1).and_then(|cost| cost.parse().ok());
            if !after_call && counts {
                sum += cost.unwrap_or(0.0);
            }
            after_call = false;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn each_function_counts_for_itself_except_those_that_count_allocations() {
        let profile = "\
# callgrind format
version: 1
positions: line
events: Ir

fn=(1) main
0 100
+1 10
cfn=(2) <allocation_counter::allocator::CountingAllocator>::alloc
calls=3 0
* 5000
+2 1

fn=(2)
0 4000
cfn=(3) malloc
calls=3 0
* 1000

fn=(3)
-4 1000

totals: 5111
";
        assert_eq!(count(profile), 1111.0);
    }
}
