//! What a test program prints.

/// The tests that have ended, by their results.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Results {
    pub(super) passed: Vec<String>,
    pub(super) failed: Vec<String>,
}

/// Reads the lines `test NAME ... ok` and `test NAME ... FAILED`. Ignored tests and benchmarks are left out.
pub(super) fn results(output: &str) -> Results {
    let mut results = Results::default();
    for line in output.lines() {
        let Some((name, result)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.rsplit_once(" ... "))
        else {
            continue;
        };
        let name = name.strip_suffix(" - should panic").unwrap_or(name);
        match result {
            "ok" => results.passed.push(name.to_owned()),
            "FAILED" => results.failed.push(name.to_owned()),
            _ => {}
        }
    }
    results
}

/// Reads what a test program prints for `--list --format terse`.
pub(super) fn list(output: &str) -> Vec<String> {
    let tests = output
        .lines()
        .filter_map(|line| line.strip_suffix(": test"));
    tests.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_by_name() {
        let output = "\nrunning 4 tests\ntest a::one ... ok\ntest two - should panic ... ok\n\
            test three ... FAILED\ntest four ... ignored\ntest of the test\n\nfailures:\n\n---- three stdout ----\n\
            thread 'three' panicked\n\ntest result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured\n";
        assert_eq!(
            results(output),
            Results {
                passed: vec!["a::one".to_owned(), "two".to_owned()],
                failed: vec!["three".to_owned()],
            }
        );
    }

    #[test]
    fn the_list_of_tests_is_read() {
        assert_eq!(
            list("a::one: test\ntwo: test\nfast: benchmark\n"),
            ["a::one", "two"]
        );
    }
}
