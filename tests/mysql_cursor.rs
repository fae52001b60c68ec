//! Cursors on a real server: aiomysql's own tests of them under their names, and what they promise beside.

#[path = "mysql_cursor/later_errors.rs"]
mod later_errors;
#[path = "mysql_cursor/many.rs"]
mod many;
#[path = "mysql_cursor/many_failed.rs"]
mod many_failed;
#[path = "mysql_cursor/many_kinds.rs"]
mod many_kinds;
#[cfg(feature = "other-servers")]
#[path = "mysql_cursor/oracle.rs"]
mod oracle;
#[path = "mysql_return/proxy.rs"]
#[allow(dead_code)]
mod proxy;
#[path = "mysql_cursor/rows.rs"]
mod rows;
#[path = "mysql_connection/server.rs"]
#[allow(dead_code)]
mod server;
#[path = "mysql_cursor/server_side.rs"]
mod server_side;
#[path = "mysql_cursor/test_async_iter.rs"]
mod test_async_iter;
#[path = "mysql_cursor/test_bulk_inserts.rs"]
mod test_bulk_inserts;
#[path = "mysql_cursor/test_cursor.rs"]
mod test_cursor;
#[path = "mysql_cursor/test_dictcursor.rs"]
mod test_dictcursor;
#[path = "mysql_cursor/test_load_local.rs"]
mod test_load_local;
#[path = "mysql_cursor/test_nextset.rs"]
mod test_nextset;
#[path = "mysql_cursor/test_sscursor.rs"]
mod test_sscursor;
#[path = "mysql_cursor/types.rs"]
mod types;
#[path = "mysql_cursor/unread.rs"]
mod unread;
