//! aiomysql's own tests of connections, under their names and with code of ours, on a real server.
//!
//! `docs/from-aiomysql.md` lists those that are not here, with the reason.

#[path = "mysql_connection/server.rs"]
#[allow(dead_code)]
mod server;
#[path = "aiomysql_connections/test_basic.rs"]
mod test_basic;
#[path = "aiomysql_connections/test_connection.rs"]
mod test_connection;
#[path = "aiomysql_connections/test_issues.rs"]
mod test_issues;
