//! Each judgement of the audit, over journals and tables that are written by hand.

use pool_mysql::ResetPolicy;

use super::tables::{Change, MoveRow, Tables};
use super::{Findings, compare};
use crate::bank::{ACCOUNTS, START_BALANCE};
use crate::journal::{Entries, Entry, Outcome};

/// The journals and tables of a round in which nothing goes wrong.
struct Records {
    entries: Entries,
    tables: Tables,
}

/// Moves 1 and 2 have taken 10 each from account 0 to account 1. Move 3 has failed, and move 4 is unknown.
fn records() -> Records {
    let mut records = Records {
        entries: Entries::new(),
        tables: Tables::default(),
    };
    records.tables.balances = (0..ACCOUNTS).map(|id| (id, START_BALANCE)).collect();
    for id in [1, 2] {
        records.journal(id, Outcome::Ok, true);
        records.commit(id);
    }
    records.journal(3, Outcome::Failed, true);
    records.journal(4, Outcome::Unknown, true);
    records
}

impl Records {
    fn journal(&mut self, id: u64, outcome: Outcome, is_plain: bool) {
        self.entries.insert(id, Entry { outcome, is_plain });
    }

    /// Writes a move of 10 from account 0 to account 1 into all tables.
    fn commit(&mut self, id: u64) {
        self.tables.moves.push(MoveRow {
            id,
            debtor: 0,
            creditor: 1,
            amount: 10,
        });
        for (account, amount) in [(0, -10), (1, 10)] {
            *self.tables.balances.entry(account).or_default() += amount;
            self.tables.history.push(Change {
                id,
                account,
                amount,
                session: 100 + id,
                at: "now".into(),
                last_in_session: (amount > 0).then_some(id),
            });
        }
    }

    /// The first change of `id` sees the variable of `last`.
    fn not_reset(&mut self, id: u64, last: u64) {
        let changes = &mut self.tables.history;
        let first = changes.iter_mut().find(|change| change.id == id);
        first.expect("a change of this move").last_in_session = Some(last);
    }

    fn audit(&self) -> Findings {
        compare(&self.entries, &self.tables, ResetPolicy::Always)
    }

    fn audit_if_dirty(&self) -> Findings {
        compare(&self.entries, &self.tables, ResetPolicy::IfDirty)
    }
}

#[track_caller]
fn says(findings: &Findings, words: &str) {
    let said = &findings.violations;
    assert!(said.iter().any(|what| what.contains(words)), "{said:?}");
}

#[test]
fn journals_and_tables_that_agree_have_no_violation() {
    let expected = Findings {
        committed: 2,
        ..Findings::default()
    };
    assert_eq!(records().audit(), expected);
}

#[test]
fn an_unknown_move_may_be_there_once() {
    let mut records = records();
    records.commit(4);
    assert_eq!(records.audit().violations, Vec::<String>::new());
    records.commit(4);
    let findings = records.audit();
    assert_eq!((findings.lost, findings.doubled), (0, 1));
    says(&findings, "move 4 was Unknown, and is there 2 times");
}

#[test]
fn a_move_that_was_ok_and_is_not_there_is_lost() {
    let mut records = records();
    records.journal(5, Outcome::Ok, true);
    let findings = records.audit();
    assert_eq!((findings.lost, findings.doubled), (1, 0));
    assert_eq!(findings.violations, ["move 5 was ok, and is lost"]);
}

#[test]
fn a_move_that_failed_and_is_there_is_a_violation() {
    let mut records = records();
    records.commit(3);
    let findings = records.audit();
    assert_eq!((findings.lost, findings.doubled), (0, 1));
    assert_eq!(
        findings.violations,
        ["move 3 was Failed, and is there 1 times"]
    );
}

#[test]
fn a_move_that_is_there_twice_is_doubled() {
    let mut records = records();
    records.commit(1);
    let findings = records.audit();
    assert_eq!((findings.lost, findings.doubled), (0, 1));
    assert_eq!(findings.violations, ["move 1 was Ok, and is there 2 times"]);
}

#[test]
fn a_move_that_nobody_has_made_is_a_violation() {
    let mut records = records();
    records.commit(9);
    says(&records.audit(), "move 9 is there, and nobody has made it");
}

#[test]
fn a_balance_that_disagrees_with_the_moves_is_a_violation() {
    let mut records = records();
    *records.tables.balances.entry(7).or_default() += 1;
    assert_eq!(
        records.audit().violations,
        ["account 7 has Some(1000001), and its moves make 1000000"]
    );
    records.tables.balances.remove(&7);
    says(&records.audit(), "account 7 has None");
}

#[test]
fn half_a_move_is_a_violation_even_where_another_half_makes_the_sum_right() {
    let mut records = records();
    let other = records
        .tables
        .history
        .iter_mut()
        .find(|change| change.amount == 10);
    other.expect("a change").amount = 20;
    let findings = records.audit();
    says(&findings, "account 1 was changed by 20");
    says(&findings, "has not changed account 1 by [10]");
}

#[test]
fn a_change_of_a_move_that_is_not_there_is_a_violation() {
    let mut records = records();
    records.commit(3);
    records.tables.moves.pop();
    let findings = records.audit();
    says(&findings, "for move 3, which is Some(Failed) and not there");
    says(&findings, "account 0 has");
}

#[test]
fn under_always_a_session_that_was_not_reset_is_a_violation() {
    let mut records = records();
    records.not_reset(2, 1);
    let findings = records.audit();
    assert_eq!(findings.without_reset, 1);
    says(
        &findings,
        "move 2 ran in session 102, which was not reset after move 1, a plain one",
    );
}

#[test]
fn under_if_dirty_a_reset_may_be_skipped_after_a_plain_move() {
    let mut records = records();
    records.not_reset(2, 1);
    let findings = records.audit_if_dirty();
    assert_eq!(findings.without_reset, 1);
    assert_eq!(findings.violations, Vec::<String>::new());
}

#[test]
fn under_if_dirty_a_reset_must_not_be_skipped_after_another_move() {
    let mut records = records();
    records.journal(1, Outcome::Ok, false);
    records.not_reset(2, 1);
    says(
        &records.audit_if_dirty(),
        "not reset after move 1, a dirty one",
    );
}

#[test]
fn under_if_dirty_a_round_that_never_skips_a_reset_is_a_violation() {
    let findings = records().audit_if_dirty();
    assert_eq!(findings.without_reset, 0);
    assert_eq!(
        findings.violations,
        ["no return of a connection has skipped the reset"]
    );
}
