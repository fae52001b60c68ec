//! A task that moves money, one transaction after the other.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use pool_mysql::mysql_async::QueryResult;
use pool_mysql::mysql_async::prelude::{Protocol, Queryable};
use pool_mysql::{Connection, Error, Pool};

use crate::bank::ACCOUNTS;
use crate::journal::{Journal, Outcome};
use crate::pool_place::PoolPlace;
use crate::tally::Tally;

/// The message of a panic that belongs to the test.
pub(crate) const PANIC_ON_PURPOSE: &str = "a panic on purpose";

/// How long a caller waits before it gives a move up.
const PATIENCE: Duration = Duration::from_secs(5);

/// One transfer.
#[derive(Clone, Debug)]
struct Move {
    id: u64,
    debtor: u64,
    creditor: u64,
    amount: i64,
}

/// What a task does wrong in a move; the number of a panic is the step before which it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mishap {
    No,
    Panic(u8),
    Leak,
    /// The task gives up before the COMMIT, and does not roll back.
    GiveUp,
}

/// One attempt, with all that it needs.
struct Attempt {
    pool: Pool,
    tally: Arc<Tally>,
    the_move: Move,
    mishap: Mishap,
    /// When the move began.
    began: Duration,
    random: Rng,
    /// From here on nobody but the server knows whether the move is there.
    commit_sent: Arc<AtomicBool>,
}

/// Moves money until the round is over.
pub(crate) async fn run(
    number: u64,
    journals: &Path,
    place: Arc<PoolPlace>,
    tally: Arc<Tally>,
    mut random: Rng,
) -> io::Result<()> {
    let mut journal = Journal::create(&journals.join(format!("{number}.txt")))?;
    let mut id = number << 40;
    while !tally.is_over() {
        id += 1;
        tokio::task::block_in_place(|| journal.begin(id))?;
        let began = tally.since_start();
        let outcome = one(id, &place, &tally, &mut random).await;
        tokio::task::block_in_place(|| journal.end(id, outcome))?;
        tally.ended(outcome, began);
        if outcome != Outcome::Ok {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
    Ok(())
}

/// Makes one move in a task of its own, which may panic or be cancelled.
async fn one(id: u64, place: &PoolPlace, tally: &Arc<Tally>, random: &mut Rng) -> Outcome {
    let commit_sent = Arc::new(AtomicBool::new(false));
    let attempt = Attempt {
        pool: place.pool(),
        tally: Arc::clone(tally),
        the_move: Move::pick(id, random),
        mishap: Mishap::pick(tally, random),
        began: tally.since_start(),
        random: random.fork(),
        commit_sent: Arc::clone(&commit_sent),
    };
    let limit = match random.u8(..8) {
        0 => Duration::from_micros(random.u64(..20_000)),
        _ => PATIENCE,
    };
    let limited = async move { tokio::time::timeout(limit, attempt.make()).await };
    let without_answer = || match commit_sent.load(Ordering::SeqCst) {
        true => Outcome::Unknown,
        false => Outcome::Failed,
    };
    match tokio::spawn(limited).await {
        Ok(Ok(Ok(()))) => Outcome::Ok,
        // The promise of the product is taken at its word.
        Ok(Ok(Err(error))) if error.is_outcome_unknown() => Outcome::Unknown,
        Ok(Ok(Err(_))) => Outcome::Failed,
        Ok(Err(_)) => {
            tally.mishap(match limit == PATIENCE {
                true => "moves that took too long",
                false => "cancelled moves",
            });
            without_answer()
        }
        Err(_) => {
            tally.mishap("panics");
            without_answer()
        }
    }
}

impl Move {
    fn pick(id: u64, random: &mut Rng) -> Self {
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
    fn pick(tally: &Tally, random: &mut Rng) -> Self {
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
    async fn make(mut self) -> Result<(), Error> {
        let pool = self.pool.clone();
        let mut conn = pool.acquire().await?;
        self.mishap.before(0);
        self.check_session(&mut conn).await?;
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
            tally: Arc::clone(&self.tally),
            the_move: self.the_move.clone(),
            mishap: self.mishap,
            began: self.began,
            random: self.random.fork(),
            commit_sent: Arc::clone(&self.commit_sent),
        }
    }

    /// The session must be clean and must answer what it is asked. One move of four leaves a user variable behind.
    async fn check_session(&mut self, conn: &mut Connection) -> Result<(), Error> {
        let nonce = self.random.u64(..);
        let answer: Option<(u64, u8)> = conn
            .query_first(format!("SELECT {nonce}, @@in_transaction"))
            .await?;
        match answer {
            Some((number, _)) if number != nonce => self
                .tally
                .violation(format!("asked for {nonce}, and got {number}")),
            Some((_, 1)) => {
                let what = "a connection was handed out inside a transaction";
                self.tally.violation(what.into());
            }
            Some(_) => {}
            None => self
                .tally
                .violation(format!("asked for {nonce}, and got no row")),
        }
        if self.random.u8(..4) == 0 {
            let of_whom: Option<Option<u64>> = conn.query_first("SELECT @move").await?;
            if let Some(other) = of_whom.flatten() {
                self.tally.violation(format!(
                    "move {} sees a variable of move {other}",
                    self.the_move.id
                ));
            }
            conn.query_drop(format!("SET @move = {}", self.the_move.id))
                .await?;
        }
        Ok(())
    }

    /// A change of one row.
    ///
    /// After KILL QUERY, MariaDB 10.11 answers with OK and no changed rows to some of the UPDATEs that it has ended. So a careful
    /// program looks at the number of rows, as this one does: the move has failed then. Without a KILL QUERY during the move, it is
    /// a fault.
    async fn one_row<P: Protocol>(&self, result: QueryResult<'_, '_, P>) -> Result<(), Error> {
        let rows = result.affected_rows();
        result.drop_result().await?;
        if rows == 1 {
            return Ok(());
        }
        self.tally
            .mishap("changes that went well and changed nothing");
        if !self.tally.was_query_killed_since(self.began) {
            let id = self.the_move.id;
            self.tally.violation(format!(
                "a change of move {id} has gone well and changed {rows} rows"
            ));
        }
        Err(given_up())
    }

    /// What is done between BEGIN and COMMIT.
    async fn work(&mut self, conn: &mut impl Queryable) -> Result<(), Error> {
        let Move {
            id,
            debtor,
            creditor,
            amount,
        } = self.the_move;
        self.mishap.before(1);
        let add = "INSERT INTO moves VALUES (?, ?, ?, ?)";
        self.one_row(conn.exec_iter(add, (id, debtor, creditor, amount)).await?)
            .await?;
        self.mishap.before(2);
        let add = "UPDATE accounts SET balance = balance + ?, last_move = ? WHERE id = ?";
        self.one_row(conn.exec_iter(add, (-amount, id, debtor)).await?)
            .await?;
        self.mishap.before(3);
        self.one_row(conn.exec_iter(add, (amount, id, creditor)).await?)
            .await?;
        self.mishap.before(4);
        let nonce = self.random.u64(..);
        let number: Option<u64> = conn.exec_first("SELECT ?", (nonce,)).await?;
        if number != Some(nonce) {
            self.tally
                .violation(format!("asked for {nonce}, and got {number:?}"));
        }
        self.mishap.before(5);
        match self.mishap {
            Mishap::GiveUp => Err(given_up()),
            _ => Ok(()),
        }
    }
}

/// The error of a caller that ends its transaction for reasons of its own.
fn given_up() -> Error {
    let reason = io::Error::other("given up on purpose");
    pool_mysql::mysql_async::Error::from(reason).into()
}
