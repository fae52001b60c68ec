//! What an operator reads: why a connection was closed, what a pool tells while its server fails, and the spans of statements.

#[path = "mysql_operate/by_default.rs"]
mod by_default;
#[path = "mysql_operate/closed.rs"]
mod closed;
#[path = "mysql_operate/ended.rs"]
mod ended;
#[path = "mysql_operate/outages.rs"]
mod outages;
#[path = "mysql_connection/server.rs"]
#[allow(dead_code)]
mod server;
#[path = "mysql_operate/spans.rs"]
mod spans;
