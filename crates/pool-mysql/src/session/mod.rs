//! What is known about a session and about the command that is sent in it, as plain data.

pub(crate) mod command;
pub(crate) mod echo;
pub(crate) mod progress;
pub(crate) mod span;
pub(crate) mod state;

#[cfg(test)]
mod tests;
