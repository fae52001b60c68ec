//! The driver's connection: where its socket lives, how it is opened, aborted, killed and closed.

pub(crate) mod abort;
mod addresses;
pub(crate) mod close;
pub(crate) mod connector;
pub(crate) mod dial;
pub(crate) mod infile;
pub(crate) mod io_runtime;
pub(crate) mod kill;
pub(crate) mod kill_query;
pub(crate) mod kill_queue;
pub(crate) mod packet_limit;
pub(crate) mod refusals;
pub(crate) mod server;
pub(crate) mod unread;
