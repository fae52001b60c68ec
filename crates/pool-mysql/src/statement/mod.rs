//! The text of SQL statements: what it may do, and how values and names are written into it. Nothing here talks to a server.

#[cfg(test)]
mod by_tokens;
pub(crate) mod database;
#[cfg(test)]
mod dice;
pub(crate) mod literal;
pub(crate) mod neutral;
pub(crate) mod opening;
#[cfg(test)]
mod properties;
pub(crate) mod quote;
#[cfg(test)]
mod same_traits;
pub(crate) mod scanner;
pub(crate) mod sql;
pub(crate) mod text;
