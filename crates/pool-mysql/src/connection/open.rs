//! From options to a connection.

use std::sync::Arc;
use std::time::Duration;

use mysql_async::Row;
use mysql_async::consts::StatusFlags;
use mysql_async::prelude::Queryable;

use crate::connection::Connection;
use crate::error::{Error, closed};
use crate::options::{Blueprint, ConnectOptions};
use crate::session::state::Command;
use crate::transport::dial::dial;
use crate::transport::infile::Infile;
use crate::transport::io_runtime::{Tie, within};
use crate::transport::server;

/// Opens a connection, as `aiomysql.connect()`.
///
/// It works under every executor. Where the socket lives is said by [`ConnectOptions::io_runtime`].
///
/// # Errors
///
/// [`Error::Config`] for an option that cannot be used, [`Error::ConnectTimeout`] after `connect_timeout` (default 10 s),
/// [`Error::Driver`] where the server cannot be reached or refuses.
///
/// # Cancel safety
///
/// Dropping the future gives the connect up and closes its socket.
///
/// # Examples
///
/// ```no_run
/// use pool_mysql::{ConnectOptions, connect};
///
/// # async fn example() -> Result<(), pool_mysql::Error> {
/// let mut conn = connect(ConnectOptions::new().host("127.0.0.1").user("root")).await?;
/// conn.ping().await?;
/// # Ok(())
/// # }
/// ```
pub async fn connect(options: ConnectOptions) -> Result<Connection, Error> {
    let limit = options.connect_limit();
    let echo = options.echo;
    let blueprint = Arc::new(Blueprint::new(options)?);
    match within(limit, open(blueprint, echo)).await {
        Some(result) => result,
        None => Err(Error::ConnectTimeout {
            after: limit.unwrap_or_default(),
        }),
    }
}

/// Opens a connection where its socket can live, without a deadline.
pub(crate) async fn open(blueprint: Arc<Blueprint>, echo: bool) -> Result<Connection, Error> {
    let here = Arc::clone(&blueprint);
    let open = move |tie| establish(Arc::clone(&here), tie, echo);
    let opened = blueprint.place.open(open).await;
    Ok(opened.map_err(mysql_async::Error::from)??)
}

async fn establish(
    blueprint: Arc<Blueprint>,
    tie: Tie,
    echo: bool,
) -> mysql_async::Result<Connection> {
    let assumed = blueprint.packet_limit.last_heard();
    let mut conn = begin(&blueprint, assumed, tie, echo).await?;
    if assumed.is_some_and(|assumed| assumed != conn.server.max_packet) {
        // The server has another limit by now, or another server answers; the driver takes it only when it connects.
        let tie = conn.tie.take();
        let _ = conn.ensure_closed().await;
        conn = begin(&blueprint, None, tie, echo).await?;
    }
    conn.run_init_command().await?;
    conn.learn_wait_timeout_again().await?;
    conn.now_clean();
    Ok(conn)
}

/// Opens a session and lets the server say who it is.
async fn begin(
    blueprint: &Arc<Blueprint>,
    packet_limit: Option<usize>,
    tie: Tie,
    echo: bool,
) -> mysql_async::Result<Connection> {
    let infile = Infile::new(Arc::clone(blueprint));
    let conn = dial(blueprint, &infile, packet_limit).await?;
    // From here on an error says goodbye to the server: our connection knows how, the driver's does not.
    let mut conn = Connection::adopt(conn, Arc::clone(blueprint), infile, tie, echo);
    conn.begin_session().await?;
    let server = &conn.server;
    let heard = server.identity.is_some().then_some(server.max_packet);
    blueprint.packet_limit.hear(heard);
    Ok(conn)
}

impl Connection {
    /// Whether the tokio runtime that the socket lived on has ended.
    pub(crate) fn is_stranded(&self) -> bool {
        self.tie.has_ended()
    }

    /// Opens the connection anew after its runtime has ended.
    ///
    /// Only for a session that nobody has used: to its user it is the same one.
    pub(crate) async fn open_anew(&mut self) -> mysql_async::Result<()> {
        let limit = self.blueprint.options.connect_limit();
        let opening = open(Arc::clone(&self.blueprint), self.echo);
        let mut fresh = match within(limit, opening).await {
            Some(Ok(fresh)) => fresh,
            Some(Err(Error::Driver(error))) => return Err(error),
            Some(Err(_)) => return Err(closed()),
            None => return Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        };
        std::mem::swap(&mut self.conn, &mut fresh.conn);
        std::mem::swap(&mut self.tie, &mut fresh.tie);
        std::mem::swap(&mut self.server, &mut fresh.server);
        std::mem::swap(&mut self.infile, &mut fresh.infile);
        self.infile.belongs_to(&self.gate.signal);
        self.gate.signal.is_about(self.server.connection_id);
        Ok(())
    }

    /// Asks the server who it is and applies the options, in one round trip.
    async fn begin_session(&mut self) -> mysql_async::Result<()> {
        let settings = self.blueprint.settings.clone();
        let text = match settings.is_empty() {
            true => server::QUESTION.to_owned(),
            false => format!("{}; {settings}", server::QUESTION),
        };
        let answer = self
            .run(Command::quiet(), |conn| {
                Box::pin(async move {
                    let mut result = match conn.query_iter(text).await {
                        // A server that speaks the protocol but lacks one of the variables.
                        Err(mysql_async::Error::Server(_)) => return Ok(None),
                        result => result?,
                    };
                    let rows: Vec<Row> = result.collect().await?;
                    result.drop_result().await?;
                    Ok(Some(rows))
                })
            })
            .await?;
        match answer {
            Some(rows) => {
                rows.into_iter().for_each(|row| self.server.learn(row));
                self.gate.signal.is_about(self.server.connection_id);
            }
            None => self.send_settings(settings).await?,
        }
        Ok(())
    }

    /// The `init_command` may have changed it.
    async fn learn_wait_timeout_again(&mut self) -> mysql_async::Result<()> {
        let command = self.blueprint.options.init_command.as_deref();
        let names_it = |sql: &str| sql.to_ascii_lowercase().contains("wait_timeout");
        if command.is_some_and(names_it) {
            let answer = self.run(Command::quiet(), |conn| {
                conn.query_first("SELECT @@wait_timeout")
            });
            let seconds: Option<u64> = answer.await?;
            self.server.wait_timeout = seconds.map(Duration::from_secs);
        }
        Ok(())
    }

    /// Applies the options to a session that the server has reset.
    pub(crate) async fn begin_session_again(&mut self, with_db: bool) -> mysql_async::Result<()> {
        let settings = match with_db {
            true => self.blueprint.settings_and_db.clone(),
            false => self.blueprint.settings.clone(),
        };
        self.send_settings(settings).await?;
        self.run_init_command().await?;
        self.now_clean();
        Ok(())
    }

    async fn send_settings(&mut self, settings: String) -> mysql_async::Result<()> {
        match settings.is_empty() {
            true => Ok(()),
            false => self.send(Command::quiet(), settings.into()).await,
        }
    }

    async fn run_init_command(&mut self) -> mysql_async::Result<()> {
        let Some(command) = self.blueprint.options.init_command.clone() else {
            return Ok(());
        };
        self.send(Command::quiet(), command.into()).await?;
        let open = StatusFlags::SERVER_STATUS_IN_TRANS;
        match self
            .status_flags()
            .is_some_and(|flags| flags.contains(open))
        {
            true => self.send(Command::quiet(), "COMMIT".into()).await,
            false => Ok(()),
        }
    }

    fn now_clean(&mut self) {
        self.gate.used = false;
        self.gate.dirty = false;
        self.gate.unended = false;
        self.gate.prepared.clear();
        self.gate.unseen = false;
        self.gate.elsewhere = false;
        self.autocommit = self.get_autocommit();
    }
}
