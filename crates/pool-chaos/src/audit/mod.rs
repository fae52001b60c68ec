//! Compares the journals with the database.

use std::collections::BTreeMap;
use std::path::Path;

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, Error};

use crate::bank::{ACCOUNTS, START_BALANCE};
use crate::journal::{self, Outcome};
use crate::tally::Tally;

/// The rows of `moves` and `accounts`.
struct Tables {
    moves: Vec<(u64, u64, u64, i64)>,
    balances: BTreeMap<u64, i64>,
    /// The changes of the accounts, as their trigger has written them down: move, account, amount, session, when.
    history: Vec<(u64, u64, i64, u64, String)>,
}

/// Reports every difference to the tally.
pub(crate) async fn run(
    admin: &mut Connection,
    journals: &Path,
    tally: &Tally,
) -> Result<(), Box<dyn std::error::Error>> {
    let outcomes = journal::read_all(journals)?;
    let tables = read(admin).await?;
    compare_moves(&outcomes, &tables, tally);
    compare_balances(&tables, tally);
    compare_history(&outcomes, &tables, tally);
    Ok(())
}

async fn read(admin: &mut Connection) -> Result<Tables, Error> {
    let moves = admin
        .query("SELECT id, debtor, creditor, amount FROM moves")
        .await?;
    let balances: Vec<(u64, i64)> = admin.query("SELECT id, balance FROM accounts").await?;
    let history = admin
        .query("SELECT move, account, amount, session, CAST(at AS CHAR) FROM history")
        .await?;
    Ok(Tables {
        history,
        moves,
        balances: balances.into_iter().collect(),
    })
}

fn compare_moves(outcomes: &BTreeMap<u64, Outcome>, tables: &Tables, tally: &Tally) {
    let mut times: BTreeMap<u64, u64> = BTreeMap::new();
    for (id, ..) in &tables.moves {
        *times.entry(*id).or_default() += 1;
    }
    for (id, outcome) in outcomes {
        let times = times.remove(id).unwrap_or(0);
        match (outcome, times) {
            (Outcome::Ok, 1) | (Outcome::Failed, 0) | (Outcome::Unknown, 0 | 1) => {}
            (Outcome::Ok, 0) => {
                tally.note(|sum| sum.lost += 1);
                tally.violation(format!("move {id} was ok, and is lost"));
            }
            (_, times) => {
                tally.note(|sum| sum.doubled += 1);
                tally.violation(format!(
                    "move {id} was {outcome:?}, and is there {times} times"
                ));
            }
        }
    }
    for id in times.keys() {
        tally.violation(format!("move {id} is there, and nobody has made it"));
    }
}

fn compare_balances(tables: &Tables, tally: &Tally) {
    let mut expected: BTreeMap<u64, i64> = (0..ACCOUNTS).map(|id| (id, START_BALANCE)).collect();
    for (_, debtor, creditor, amount) in &tables.moves {
        *expected.entry(*debtor).or_default() -= amount;
        *expected.entry(*creditor).or_default() += amount;
    }
    for (id, balance) in &expected {
        let found = tables.balances.get(id);
        if found != Some(balance) {
            tally.violation(format!(
                "account {id} has {found:?}, and its moves make {balance}"
            ));
        }
    }
}

/// Each move has changed its two accounts, and nothing else has changed one.
fn compare_history(outcomes: &BTreeMap<u64, Outcome>, tables: &Tables, tally: &Tally) {
    let mut expected: BTreeMap<(u64, u64), Vec<i64>> = BTreeMap::new();
    for (id, debtor, creditor, amount) in &tables.moves {
        expected.entry((*id, *debtor)).or_default().push(-amount);
        expected.entry((*id, *creditor)).or_default().push(*amount);
    }
    for (id, account, amount, session, at) in &tables.history {
        let amounts = expected.entry((*id, *account)).or_default();
        match amounts.iter().position(|expected| expected == amount) {
            Some(place) => drop(amounts.swap_remove(place)),
            None => tally.violation(format!(
                "account {account} was changed by {amount} at {at} in session {session} for move {id}, which is {:?} and not \
                 there",
                outcomes.get(id)
            )),
        }
    }
    for ((id, account), amounts) in expected.iter().filter(|(_, amounts)| !amounts.is_empty()) {
        tally.violation(format!(
            "move {id} is there and {:?}, and has not changed account {account} by {amounts:?}",
            outcomes.get(id)
        ));
    }
}
