//! Transactions as a piece of work: what is committed, what is done again, and what never is.

#[path = "mysql_transactions/conflicts.rs"]
mod conflicts;
#[path = "mysql_transactions/savepoints.rs"]
mod savepoints;
#[path = "mysql_connection/server.rs"]
#[allow(dead_code)]
mod server;
#[path = "mysql_transactions/work.rs"]
mod work;
