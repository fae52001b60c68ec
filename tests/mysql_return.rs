//! What happens to a MySQL connection between two users: what is cleaned, what is closed, and what is
//! sent to the server.

#[path = "mysql_return/corpus.rs"]
mod corpus;
#[path = "mysql_return/errors.rs"]
mod errors;
#[path = "mysql_return/flags.rs"]
mod flags;
#[path = "mysql_return/idle.rs"]
mod idle;
#[path = "mysql_return/if_dirty.rs"]
mod if_dirty;
#[path = "mysql_return/if_dirty_more.rs"]
mod if_dirty_more;
#[path = "mysql_return/kill.rs"]
mod kill;
#[path = "mysql_return/lost.rs"]
mod lost;
#[cfg(feature = "other-servers")]
#[path = "mysql_return/oracle.rs"]
mod oracle;
#[path = "mysql_return/proxy.rs"]
#[allow(dead_code)]
mod proxy;
#[path = "mysql_connection/server.rs"]
#[allow(dead_code)]
mod server;
#[path = "mysql_return/table.rs"]
mod table;
#[path = "mysql_return/unread.rs"]
mod unread;
