//! One attempt to move money: a connection, a transaction, and what is done in it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use pool_mysql::{Error, Pool, PooledConnection};

use crate::bank::ACCOUNTS;
use crate::handed_out::{Connections, HandedOut};
use crate::path::{Path, Statements};
use crate::session_check::{Check, wrong_number};
use crate::tally::Tally;

/// The message of a panic that belongs to the test.
pub(crate) const PANIC_ON_PURPOSE: &str = "a panic on purpose";

/// One transfer.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) id: u64,
    debtor: u64,
    creditor: u64,
    amount: i64,
}

/// What a move does in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) path: Path,
    pub(crate) check: Check,
}

impl Plan {
    pub(crate) fn pick(random: &mut Rng) -> Self {
        Self {
            path: Path::pick(random),
            check: Check::pick(random),
        }
    }

    /// Whether it runs plain statements only, as `ResetPolicy::IfDirty` understands that.
    pub(crate) fn is_plain(self) -> bool {
        self.path.shows_text() && self.check == Check::Nothing
    }
}

/// What a task does wrong in a move; the number of a panic is the step before which it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    No,
    Panic(u8),
    Leak,
    /// The task gives up before the COMMIT, and does not roll back.
    GiveUp,
}

/// One attempt, with all that it needs.
pub(crate) struct Attempt {
    pub(crate) pool: Pool,
    pub(crate) connections: Arc<Connections>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) the_move: Move,
    pub(crate) plan: Plan,
    pub(crate) mishap: Mishap,
    /// When the move began.
    pub(crate) began: Duration,
    pub(crate) random: Rng,
    /// From here on nobody but the server knows whether the move is there.
    pub(crate) commit_sent: Arc<AtomicBool>,
}

impl Move {
    pub(crate) fn pick(id: u64, random: &mut Rng) -> Self {
        let debtor = random.u64(..ACCOUNTS);
        Self {
            id,
            debtor,
            creditor: (debtor + random.u64(1..ACCOUNTS)) % ACCOUNTS,
            amount: random.i64(1..100),
        }
    }
}

impl Mishap {
    pub(crate) fn pick(tally: &Tally, random: &mut Rng) -> Self {
        let take_one = |wanted: usize| wanted.checked_sub(1);
        let leaks = &tally.leaks_wanted;
        if leaks
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take_one)
            .is_ok()
        {
            return Self::Leak;
        }
        match random.u8(..100) {
            0 => Self::Panic(random.u8(..6)),
            1..4 => Self::GiveUp,
            _ => Self::No,
        }
    }

    fn before(self, step: u8) {
        if self == Self::Panic(step) {
            std::panic::panic_any(PANIC_ON_PURPOSE);
        }
    }
}

impl Attempt {
    pub(crate) async fn make(mut self) -> Result<(), Error> {
        let pool = self.pool.clone();
        let began = self.tally.since_start();
        let mut conn = match pool.acquire().await {
            Ok(conn) => conn,
            Err(error) => return Err(self.tally.not_refused(error.into())),
        };
        let handed_out = HandedOut {
            id: PooledConnection::id(&conn),
            uses: PooledConnection::uses(&conn),
            age: PooledConnection::age(&conn),
            began,
            waited: self.tally.since_start().saturating_sub(began),
        };
        self.tally.report(self.connections.see(handed_out));
        self.mishap.before(0);
        let (nonce, id) = (self.random.u64(..), self.the_move.id);
        let check = self.plan.check;
        check.run(&mut conn, nonce, id, &self.tally).await?;
        if self.mishap == Mishap::Leak {
            self.tally.mishap("leaked guards");
            std::mem::forget(conn);
            return Err(given_up());
        }
        match self.random.u8(..3) {
            0 => {
                conn.begin().await?;
                self.work(&mut *conn).await?;
                self.commit_sent.store(true, Ordering::SeqCst);
                conn.commit().await?;
            }
            1 => {
                let mut transaction = conn.start_transaction(Default::default()).await?;
                self.work(&mut transaction).await?;
                self.commit_sent.store(true, Ordering::SeqCst);
                transaction.commit().await?;
            }
            _ => {
                let attempt = &mut self;
                conn.transaction(move |transaction| {
                    // `work` runs once: no options ask for a repetition.
                    let attempt = attempt.copy();
                    Box::pin(async move {
                        let mut attempt = attempt;
                        attempt.work(transaction).await?;
                        attempt.commit_sent.store(true, Ordering::SeqCst);
                        Ok::<(), Error>(())
                    })
                })
                .await?;
            }
        }
        Ok(())
    }

    fn copy(&mut self) -> Self {
        Self {
            pool: self.pool.clone(),
            connections: Arc::clone(&self.connections),
            tally: Arc::clone(&self.tally),
            the_move: self.the_move.clone(),
            plan: self.plan,
            mishap: self.mishap,
            began: self.began,
            random: self.random.fork(),
            commit_sent: Arc::clone(&self.commit_sent),
        }
    }

    /// A change of one row. A change that has gone well and changed nothing has failed.
    fn one_row(&self, rows: u64) -> Result<(), Error> {
        if rows == 1 {
            return Ok(());
        }
        self.tally
            .mishap("changes that went well and changed nothing");
        let was_killed = self.tally.was_query_killed_since(self.began);
        self.tally
            .report(wrong_change(self.the_move.id, rows, was_killed));
        Err(given_up())
    }

    /// What is done between BEGIN and COMMIT.
    async fn work(&mut self, conn: &mut impl Statements) -> Result<(), Error> {
        let Move {
            id,
            debtor,
            creditor,
            amount,
        } = self.the_move;
        let path = self.plan.path;
        self.mishap.before(1);
        let add = "INSERT INTO moves VALUES (?, ?, ?, ?)";
        let row = vec![id.into(), debtor.into(), creditor.into(), amount.into()];
        self.one_row(conn.change(path, add, row).await?)?;
        let add = "UPDATE accounts SET balance = balance + ?, last_move = ? WHERE id = ?";
        self.mishap.before(2);
        let debit = vec![(-amount).into(), id.into(), debtor.into()];
        self.one_row(conn.change(path, add, debit).await?)?;
        self.mishap.before(3);
        let credit = vec![amount.into(), id.into(), creditor.into()];
        self.one_row(conn.change(path, add, credit).await?)?;
        self.mishap.before(4);
        let nonce = self.random.u64(..);
        let number = conn.number(path, "SELECT ?", vec![nonce.into()]).await?;
        self.tally.report(wrong_number(nonce, number));
        self.mishap.before(5);
        match self.mishap {
            Mishap::GiveUp => Err(given_up()),
            _ => Ok(()),
        }
    }
}

/// What is wrong with a change of one row that has gone well, and has changed so many.
///
/// After KILL QUERY, MariaDB 10.11 answers with OK and no changed rows to some of the UPDATEs that it has ended. So a careful
/// program looks at the number of rows, as this one does. Without a KILL QUERY during the move, it is a fault.
fn wrong_change(id: u64, rows: u64, was_killed: bool) -> Option<String> {
    match rows {
        1 => None,
        0 if was_killed => None,
        _ => Some(format!(
            "a change of move {id} has gone well and changed {rows} rows"
        )),
    }
}

/// The error of a caller that ends its transaction for reasons of its own.
fn given_up() -> Error {
    let reason = io::Error::other("given up on purpose");
    pool_mysql::mysql_async::Error::from(reason).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_plain_where_the_text_is_seen_and_nothing_is_looked_at() {
        let is_plain = |path, check| Plan { path, check }.is_plain();
        assert!(is_plain(Path::Method, Check::Nothing));
        assert!(is_plain(Path::Cursor, Check::Nothing));
        assert!(!is_plain(Path::Queryable, Check::Nothing));
        assert!(!is_plain(Path::Method, Check::Transaction));
        assert!(!is_plain(Path::Cursor, Check::Variable));
    }

    #[test]
    fn a_change_of_no_row_is_a_violation_unless_a_query_was_killed() {
        assert_eq!(wrong_change(7, 1, false), None);
        assert_eq!(wrong_change(7, 0, true), None);
        let nothing = wrong_change(7, 0, false);
        let words = "a change of move 7 has gone well and changed 0 rows";
        assert_eq!(nothing.as_deref(), Some(words));
        assert!(wrong_change(7, 2, true).is_some());
    }

    #[test]
    fn a_good_part_of_the_moves_is_plain_and_a_good_part_is_not() {
        let mut random = Rng::with_seed(1);
        let plain = (0..1000).filter(|_| Plan::pick(&mut random).is_plain());
        let share = plain.count();
        assert!((250..500).contains(&share), "{share} of 1000");
    }
}
