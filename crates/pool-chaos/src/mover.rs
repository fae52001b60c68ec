//! A task that moves money, one transaction after the other.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;

use crate::attempt::{Attempt, Mishap, Move, Plan};
use crate::journal::{Journal, Outcome};
use crate::pool_place::{Current, PoolPlace};
use crate::tally::Tally;

/// How long a caller waits before it gives a move up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

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
        let plan = Plan::pick(&mut random);
        tokio::task::block_in_place(|| journal.begin(id, plan.is_plain()))?;
        let began = tally.since_start();
        let outcome = one(id, plan, &place, &tally, &mut random).await;
        tokio::task::block_in_place(|| journal.end(id, outcome))?;
        tally.ended(outcome, began);
        if outcome != Outcome::Ok {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
    Ok(())
}

/// Makes one move in a task of its own, which may panic or be cancelled.
async fn one(
    id: u64,
    plan: Plan,
    place: &PoolPlace,
    tally: &Arc<Tally>,
    random: &mut Rng,
) -> Outcome {
    let commit_sent = Arc::new(AtomicBool::new(false));
    let Current { pool, connections } = place.current();
    let attempt = Attempt {
        pool,
        connections,
        tally: Arc::clone(tally),
        the_move: Move::pick(id, random),
        plan,
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
