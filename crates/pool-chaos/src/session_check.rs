//! What a task looks at before it uses a session.

use fastrand::Rng;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, Error};

use crate::tally::Tally;

/// What is looked at besides the answer to a random number. Under `ResetPolicy::IfDirty` each of these makes the session
/// dirty, so only some moves do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Nothing,
    /// Whether the session is inside a transaction.
    Transaction,
    /// Whether it has the user variable of another move. The move leaves one of its own behind.
    Variable,
}

impl Check {
    pub(crate) fn pick(random: &mut Rng) -> Self {
        match random.u8(..4) {
            0 => Self::Transaction,
            1 => Self::Variable,
            _ => Self::Nothing,
        }
    }

    /// Runs the check for a move, and reports what is wrong with the session.
    pub(crate) async fn run(
        self,
        conn: &mut Connection,
        nonce: u64,
        move_id: u64,
        tally: &Tally,
    ) -> Result<(), Error> {
        let question = match self {
            Self::Transaction => format!("SELECT {nonce}, @@in_transaction"),
            Self::Nothing | Self::Variable => format!("SELECT {nonce}, 0"),
        };
        let answer: Option<(u64, bool)> = conn.query_first(question).await?;
        tally.report(wrong_number(nonce, answer.map(|(number, _)| number)));
        if let Some((number, true)) = answer
            && number == nonce
        {
            tally.violation("a connection was handed out inside a transaction".into());
        }
        if self == Self::Variable {
            let of_whom: Option<Option<u64>> = conn.query_first("SELECT @move").await?;
            if let Some(other) = of_whom.flatten() {
                tally.violation(format!("move {move_id} sees a variable of move {other}"));
            }
            conn.query_drop(format!("SET @move = {move_id}")).await?;
        }
        Ok(())
    }
}

/// What is wrong with the answer to a question for this number.
pub(crate) fn wrong_number(asked: u64, answer: Option<u64>) -> Option<String> {
    match answer {
        Some(number) if number == asked => None,
        Some(number) => Some(format!("asked for {asked}, and got {number}")),
        None => Some(format!("asked for {asked}, and got no row")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_another_question_is_a_violation() {
        assert_eq!(wrong_number(7, Some(7)), None);
        let other = wrong_number(7, Some(8));
        assert_eq!(other.as_deref(), Some("asked for 7, and got 8"));
        let none = wrong_number(7, None);
        assert_eq!(none.as_deref(), Some("asked for 7, and got no row"));
    }
}
