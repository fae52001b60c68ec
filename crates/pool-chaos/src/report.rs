//! What is known at the end of a round, and what is printed of it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::audit::Findings;
use crate::pool_place::MAXSIZE;
use crate::recovery;

/// A round is long enough for all kinds of fault when one kind was tried so often. Each kind comes once before one comes
/// again, so each other kind was tried once less at least.
pub(crate) const TRIES_ENOUGH: u64 = 3;

/// What is known at the end.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    pub(crate) moves: [u64; 3],
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) sessions: Sessions,
    pub(crate) faults: BTreeMap<&'static str, Tries>,
    pub(crate) mishaps: BTreeMap<&'static str, u64>,
    /// What the resets were like, under each policy.
    pub(crate) resets: BTreeMap<&'static str, Resets>,
    pub(crate) violations: Vec<String>,
}

/// What was seen of the server's sessions.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    pub(crate) looks: u64,
    /// The most sessions of the pool in one look.
    pub(crate) in_one_look: usize,
    /// The most sessions that two looks in succession have both seen. This is what is judged.
    pub(crate) in_two_looks: usize,
    /// The most side connections in one look.
    pub(crate) side: usize,
}

/// How a kind of fault went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tries {
    pub(crate) tried: u64,
    pub(crate) caused: u64,
    /// The longest time until a move succeeded, after one that was caused.
    pub(crate) longest: Duration,
}

/// How many of the committed moves ran in a session that was not reset after its last user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resets {
    pub(crate) committed: u64,
    pub(crate) without_reset: u64,
}

impl Tries {
    pub(crate) fn add(&mut self, other: Self) {
        self.tried += other.tried;
        self.caused += other.caused;
        self.longest = self.longest.max(other.longest);
    }
}

impl Sum {
    /// Adds another round.
    pub(crate) fn add(&mut self, other: Self) {
        for (mine, others) in self.moves.iter_mut().zip(other.moves) {
            *mine += others;
        }
        self.lost += other.lost;
        self.doubled += other.doubled;
        let (mine, others) = (&mut self.sessions, other.sessions);
        mine.looks += others.looks;
        mine.in_one_look = mine.in_one_look.max(others.in_one_look);
        mine.in_two_looks = mine.in_two_looks.max(others.in_two_looks);
        mine.side = mine.side.max(others.side);
        for (kind, tries) in other.faults {
            self.faults.entry(kind).or_default().add(tries);
        }
        for (kind, number) in other.mishaps {
            *self.mishaps.entry(kind).or_default() += number;
        }
        for (policy, resets) in other.resets {
            let mine = self.resets.entry(policy).or_default();
            mine.committed += resets.committed;
            mine.without_reset += resets.without_reset;
        }
        self.violations.extend(other.violations);
    }

    /// Adds the counts of an audit; its violations are reported one by one.
    pub(crate) fn count(&mut self, policy: &'static str, findings: &Findings) {
        self.lost += findings.lost;
        self.doubled += findings.doubled;
        let resets = self.resets.entry(policy).or_default();
        resets.committed += findings.committed;
        resets.without_reset += findings.without_reset;
    }

    /// Each of the wanted kinds of fault that was never caused, if the round was long enough for all of them.
    pub(crate) fn never_caused<'k>(&self, wanted: &[&'k str]) -> Vec<&'k str> {
        let is_long_enough = self.faults.values().any(|kind| kind.tried >= TRIES_ENOUGH);
        let was_caused = |kind: &str| self.faults.get(kind).is_some_and(|kind| kind.caused > 0);
        let never = wanted.iter().filter(|kind| !was_caused(kind));
        never.filter(|_| is_long_enough).copied().collect()
    }

    pub(crate) fn print(&self) {
        for line in self.lines() {
            println!("{line}");
        }
    }

    fn lines(&self) -> Vec<String> {
        let [ok, failed, unknown] = self.moves;
        let limit = recovery::LIMIT.as_secs_f64();
        let mut lines = vec![
            format!("chaos: moves: {ok} ok, {failed} failed, {unknown} unknown"),
            format!(
                "chaos: faults that were caused, and the longest time until a move succeeded (limit {limit:.2} s):"
            ),
        ];
        for (kind, tries) in &self.faults {
            let Tries {
                tried,
                caused,
                longest,
            } = tries;
            let in_vain = match tried - caused {
                0 => String::new(),
                number => format!("  ({number} more could not be caused)"),
            };
            let longest = longest.as_secs_f64();
            lines.push(format!("  {kind:28} {caused:5}  {longest:6.2} s{in_vain}"));
        }
        for (kind, number) in &self.mishaps {
            lines.push(format!("  {kind:28} {number:5}"));
        }
        for (policy, resets) in &self.resets {
            let Resets {
                committed,
                without_reset,
            } = resets;
            lines.push(format!(
                "chaos: {policy}: {without_reset} of {committed} committed moves ran in a session that was not reset after its last user"
            ));
        }
        let Sessions {
            looks,
            in_one_look,
            in_two_looks,
            side,
        } = self.sessions;
        lines.push(format!(
            "chaos: {looks} looks at the server's sessions: at most {in_two_looks} in two looks (limit {MAXSIZE}), at most {in_one_look} in one; \
             at most {side} side connections"
        ));
        for violation in &self.violations {
            lines.push(format!("chaos: BROKEN: {violation}"));
        }
        let moves: u64 = self.moves.iter().sum();
        let (lost, doubled) = (self.lost, self.doubled);
        lines.push(format!(
            "chaos: {moves} moves, {lost} lost, {doubled} doubled"
        ));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_faults(faults: &[(&'static str, u64, u64)]) -> Sum {
        let tries = |&(kind, tried, caused)| {
            let longest = Duration::from_millis(10 * caused);
            (
                kind,
                Tries {
                    tried,
                    caused,
                    longest,
                },
            )
        };
        Sum {
            faults: faults.iter().map(tries).collect(),
            ..Sum::default()
        }
    }

    #[test]
    fn a_fault_that_was_never_caused_is_found_when_the_round_was_long_enough() {
        let wanted = ["rain", "snow"];
        let long = with_faults(&[("rain", TRIES_ENOUGH, 0), ("snow", TRIES_ENOUGH, 1)]);
        assert_eq!(long.never_caused(&wanted), ["rain"]);
        let untried = with_faults(&[("snow", TRIES_ENOUGH, 1)]);
        assert_eq!(untried.never_caused(&wanted), ["rain"]);
        let short = with_faults(&[("rain", TRIES_ENOUGH - 1, 0), ("snow", 2, 2)]);
        assert_eq!(short.never_caused(&wanted), [""; 0]);
    }

    #[test]
    fn a_fault_that_could_not_be_caused_is_not_counted_as_caused() {
        let mut sum = with_faults(&[("rain", 3, 1)]);
        sum.add(with_faults(&[("rain", 2, 2), ("snow", 1, 1)]));
        let lines = sum.lines().join("\n");
        assert!(lines.contains("(limit 4.00 s)"), "{lines}");
        assert!(
            lines.contains(
                "rain                             3    0.02 s  (2 more could not be caused)"
            ),
            "{lines}"
        );
        assert!(
            lines.contains("snow                             1    0.01 s\n"),
            "{lines}"
        );
    }

    #[test]
    fn the_sum_of_two_rounds_keeps_the_violations_and_counts_of_both() {
        let mut sum = Sum::default();
        for (policy, without_reset) in [("always", 0), ("if-dirty", 3)] {
            let findings = Findings {
                lost: 1,
                doubled: 2,
                committed: 10,
                without_reset,
                violations: Vec::new(),
            };
            let mut round = Sum {
                moves: [10, 2, 1],
                violations: vec![format!("broken under {policy}")],
                ..Sum::default()
            };
            round.count(policy, &findings);
            sum.add(round);
        }
        let lines = sum.lines();
        for line in [
            "chaos: moves: 20 ok, 4 failed, 2 unknown",
            "chaos: always: 0 of 10 committed moves ran in a session that was not reset after its last user",
            "chaos: if-dirty: 3 of 10 committed moves ran in a session that was not reset after its last user",
            "chaos: BROKEN: broken under always",
            "chaos: BROKEN: broken under if-dirty",
            "chaos: 26 moves, 2 lost, 4 doubled",
        ] {
            assert!(lines.iter().any(|it| it == line), "{line}: {lines:?}");
        }
    }
}
