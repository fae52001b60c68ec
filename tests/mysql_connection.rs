//! The MySQL connection on a real server: what it can do, and each trap of its driver.

#[path = "mysql_connection/abort.rs"]
mod abort;
#[path = "mysql_connection/addresses.rs"]
mod addresses;
#[path = "mysql_connection/authentication.rs"]
mod authentication;
#[path = "mysql_connection/cancel.rs"]
mod cancel;
#[path = "mysql_connection/clean.rs"]
mod clean;
#[path = "mysql_connection/closing.rs"]
mod closing;
#[path = "mysql_connection/command_timeout.rs"]
mod command_timeout;
#[path = "mysql_connection/connecting.rs"]
mod connecting;
#[path = "mysql_connection/cursor.rs"]
mod cursor;
#[path = "mysql_connection/echo.rs"]
mod echo;
#[path = "mysql_connection/executors.rs"]
mod executors;
#[path = "mysql_connection/infile.rs"]
mod infile;
#[path = "mysql_connection/one_error.rs"]
mod one_error;
#[path = "mysql_connection/packet_limit.rs"]
mod packet_limit;
#[path = "mysql_connection/parameters.rs"]
mod parameters;
#[path = "mysql_connection/server.rs"]
mod server;
#[path = "mysql_connection/socket_options.rs"]
mod socket_options;
#[path = "mysql_connection/too_many_statements.rs"]
mod too_many_statements;
#[path = "mysql_connection/transaction.rs"]
mod transaction;
