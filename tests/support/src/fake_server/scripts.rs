//! Scripts that several tests give to the fake server.

use super::{Answer, Received};

/// Answers OK to every command. It has none of the variables that tell a client which server this is, so the server cannot be
/// told from another place to end anything.
pub fn plain(command: &Received) -> Answer {
    match command.text().starts_with("SELECT CONCAT_WS") {
        true => Answer::Error(1193, "no such variable"),
        false => Answer::Ok,
    }
}

/// The same, but a statement with the word `never` in it has no answer.
pub fn never_answers(command: &Received) -> Answer {
    match command.text().contains("never") {
        true => Answer::Nothing,
        false => plain(command),
    }
}
