//! Compares the journals with the database.

mod tables;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pool_mysql::{Connection, ResetPolicy};

use self::tables::Tables;
use crate::bank::{ACCOUNTS, START_BALANCE};
use crate::journal::{self, Entries, Outcome};

/// What the audit has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    /// How many moves are in the database.
    pub(crate) committed: u64,
    /// How many of them ran in a session that was not reset after its last user.
    pub(crate) without_reset: u64,
    pub(crate) violations: Vec<String>,
}

/// Reads the journals and the tables, and compares them.
pub(crate) async fn run(
    admin: &mut Connection,
    journals: &Path,
    policy: ResetPolicy,
) -> Result<Findings, Box<dyn std::error::Error>> {
    let entries = journal::read_all(journals)?;
    Ok(compare(&entries, &tables::read(admin).await?, policy))
}

fn compare(entries: &Entries, tables: &Tables, policy: ResetPolicy) -> Findings {
    let mut findings = Findings::default();
    findings.compare_moves(entries, tables);
    findings.compare_balances(tables);
    findings.compare_history(entries, tables);
    findings.judge_resets(entries, tables, policy);
    findings
}

impl Findings {
    fn violation(&mut self, what: String) {
        self.violations.push(what);
    }

    fn compare_moves(&mut self, entries: &Entries, tables: &Tables) {
        let mut times: BTreeMap<u64, u64> = BTreeMap::new();
        for row in &tables.moves {
            *times.entry(row.id).or_default() += 1;
        }
        self.committed = times.len() as u64;
        for (id, entry) in entries {
            let outcome = entry.outcome;
            let times = times.remove(id).unwrap_or(0);
            match (outcome, times) {
                (Outcome::Ok, 1) | (Outcome::Failed, 0) | (Outcome::Unknown, 0 | 1) => {}
                (Outcome::Ok, 0) => {
                    self.lost += 1;
                    self.violation(format!("move {id} was ok, and is lost"));
                }
                (_, times) => {
                    self.doubled += 1;
                    self.violation(format!(
                        "move {id} was {outcome:?}, and is there {times} times"
                    ));
                }
            }
        }
        for id in times.keys() {
            self.violation(format!("move {id} is there, and nobody has made it"));
        }
    }

    fn compare_balances(&mut self, tables: &Tables) {
        let mut expected: BTreeMap<u64, i64> =
            (0..ACCOUNTS).map(|id| (id, START_BALANCE)).collect();
        for row in &tables.moves {
            *expected.entry(row.debtor).or_default() -= row.amount;
            *expected.entry(row.creditor).or_default() += row.amount;
        }
        for (id, balance) in &expected {
            let found = tables.balances.get(id);
            if found != Some(balance) {
                self.violation(format!(
                    "account {id} has {found:?}, and its moves make {balance}"
                ));
            }
        }
    }

    /// Each move has changed its two accounts, and nothing else has changed one.
    fn compare_history(&mut self, entries: &Entries, tables: &Tables) {
        let mut expected: BTreeMap<(u64, u64), Vec<i64>> = BTreeMap::new();
        for row in &tables.moves {
            let debit = expected.entry((row.id, row.debtor)).or_default();
            debit.push(-row.amount);
            let credit = expected.entry((row.id, row.creditor)).or_default();
            credit.push(row.amount);
        }
        let outcome = |id| entries.get(id).map(|entry| entry.outcome);
        for change in &tables.history {
            let amounts = expected.entry((change.id, change.account)).or_default();
            match amounts.iter().position(|amount| *amount == change.amount) {
                Some(place) => drop(amounts.swap_remove(place)),
                None => self.violation(format!(
                    "account {} was changed by {} at {} in session {} for move {}, which is {:?} and not there",
                    change.account,
                    change.amount,
                    change.at,
                    change.session,
                    change.id,
                    outcome(&change.id)
                )),
            }
        }
        for ((id, account), amounts) in expected.iter().filter(|(_, amounts)| !amounts.is_empty()) {
            self.violation(format!(
                "move {id} is there and {:?}, and has not changed account {account} by {amounts:?}",
                outcome(id)
            ));
        }
    }

    /// Counts the moves that ran in a session which still had the variable of the trigger from its last user. Under
    /// `Always` there must be none. Under `IfDirty` there must be some, and each of those last users was plain.
    fn judge_resets(&mut self, entries: &Entries, tables: &Tables, policy: ResetPolicy) {
        let mut without_reset = BTreeSet::new();
        for change in &tables.history {
            let Some(last) = change.last_in_session.filter(|last| *last != change.id) else {
                continue;
            };
            if !without_reset.insert(change.id) {
                continue;
            }
            let was_plain = entries.get(&last).is_some_and(|entry| entry.is_plain);
            let may_skip = policy == ResetPolicy::IfDirty && was_plain;
            if !may_skip {
                let kind = if was_plain { "plain" } else { "dirty" };
                self.violation(format!(
                    "move {} ran in session {}, which was not reset after move {last}, a {kind} one",
                    change.id, change.session
                ));
            }
        }
        self.without_reset = without_reset.len() as u64;
        if policy == ResetPolicy::IfDirty && without_reset.is_empty() {
            self.violation("no return of a connection has skipped the reset".into());
        }
    }
}
