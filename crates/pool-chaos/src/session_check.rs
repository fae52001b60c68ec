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
        tally.report(wrong_session(nonce, answer));
        if self == Self::Variable {
            let of_whom: Option<Option<u64>> = conn.query_first("SELECT @move").await?;
            tally.report(wrong_variable(move_id, of_whom.flatten()));
            conn.query_drop(format!("SET @move = {move_id}")).await?;
        }
        Ok(())
    }
}

/// What is wrong with a session that has answered a question for this number and whether it is inside a transaction.
fn wrong_session(asked: u64, answer: Option<(u64, bool)>) -> Option<String> {
    match answer {
        Some((number, true)) if number == asked => {
            Some("a connection was handed out inside a transaction".into())
        }
        _ => wrong_number(asked, answer.map(|(number, _)| number)),
    }
}

/// What is wrong with a session that a move gets with this value in its variable.
fn wrong_variable(move_id: u64, found: Option<u64>) -> Option<String> {
    found.map(|other| format!("move {move_id} sees a variable of move {other}"))
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

    #[test]
    fn a_session_that_is_inside_a_transaction_is_a_violation() {
        assert_eq!(wrong_session(7, Some((7, false))), None);
        let inside = wrong_session(7, Some((7, true)));
        let words = "a connection was handed out inside a transaction";
        assert_eq!(inside.as_deref(), Some(words));
        let other = wrong_session(7, Some((8, true)));
        assert_eq!(other.as_deref(), Some("asked for 7, and got 8"));
        assert!(wrong_session(7, None).is_some());
    }

    #[test]
    fn a_variable_of_another_move_is_a_violation() {
        assert_eq!(wrong_variable(7, None), None);
        let found = wrong_variable(7, Some(6));
        let words = "move 7 sees a variable of move 6";
        assert_eq!(found.as_deref(), Some(words));
    }
}
