//! Opens connections, and applies the options to their sessions.

use std::sync::Arc;
use std::time::Duration;

use mysql_async::Row;
use mysql_async::consts::StatusFlags;
use mysql_async::prelude::Queryable;
use pool_core::ErrorClass;

use crate::IoRuntime;
use crate::connection::Connection;
use crate::credentials::Issued;
use crate::error::classify::classify_driver;
use crate::error::connect_failed::without_others;
use crate::error::{Error, closed};
use crate::session::command::Purpose;
use crate::transport::connector::Connector;
use crate::transport::dial::{Dialled, dial};
use crate::transport::infile::Infile;
use crate::transport::io_runtime::{MySqlRuntime, RuntimeWatch, within};
use crate::transport::server;

/// Opens a connection, without a limit of time. The options choose the runtime of its socket.
pub(crate) async fn open(connector: Arc<Connector>, echo: bool) -> Result<Connection, Error> {
    let Some(source) = connector.credentials() else {
        return open_as(&connector, None, echo).await;
    };
    // The provider was promised that thread, which has timers and I/O.
    let runtime = MySqlRuntime::beside(IoRuntime::Background);
    let limit = connector.options().provider_limit();
    let issued = source.get(&runtime, limit).await?;
    let refused = match open_as(&connector, Some(Arc::clone(&issued)), echo).await {
        Err(Error::Driver(error)) if classify_driver(&error) == ErrorClass::Auth => error,
        opened => return opened,
    };
    // They may have been replaced before they expired.
    match source.instead_of(&issued, &runtime, limit).await {
        Ok(Some(other)) => open_as(&connector, Some(other), echo).await,
        Ok(None) => Err(refused.into()),
        // It stays a refusal, so that the pool does not soon try the same password again.
        Err(error) => Err(without_others(refused, error.to_string()).into()),
    }
}

async fn open_as(
    connector: &Arc<Connector>,
    issued: Option<Arc<Issued>>,
    echo: bool,
) -> Result<Connection, Error> {
    let here = Arc::clone(connector);
    let login = issued.clone();
    let open = move |watch| establish(Arc::clone(&here), login.clone(), watch, echo);
    let opened = connector.placement.open(open).await;
    let opened = opened
        .map_err(mysql_async::Error::from)
        .and_then(|opened| opened);
    opened.map_err(|error| connector.connect_failed(error).into())
}

/// The same within a limit of time.
pub(crate) async fn open_within(
    limit: Option<Duration>,
    connector: &Arc<Connector>,
    echo: bool,
) -> Result<Connection, Error> {
    match within(limit, open(Arc::clone(connector), echo)).await {
        Some(result) => result,
        None => Err(Error::ConnectTimeout {
            to: connector.options().destination(),
            after: limit.unwrap_or_default(),
        }),
    }
}

async fn establish(
    connector: Arc<Connector>,
    issued: Option<Arc<Issued>>,
    watch: RuntimeWatch,
    echo: bool,
) -> mysql_async::Result<Connection> {
    let assumed = connector.packet_limit.last_known();
    let mut conn = begin(&connector, issued, assumed, watch, echo).await?;
    if assumed.is_some_and(|assumed| assumed != conn.server.max_packet) {
        // The server's limit has changed, or another server answers. The driver accepts a limit only when it connects.
        let watch = conn.watch.take();
        let issued = conn.issued.clone();
        let _ = conn.ensure_closed().await;
        conn = begin(&connector, issued, None, watch, echo).await?;
    }
    conn.run_init_command().await?;
    conn.learn_wait_timeout_again().await?;
    conn.now_clean();
    Ok(conn)
}

/// Opens a session, and asks the server about itself.
async fn begin(
    connector: &Arc<Connector>,
    issued: Option<Arc<Issued>>,
    packet_limit: Option<usize>,
    watch: RuntimeWatch,
    echo: bool,
) -> mysql_async::Result<Connection> {
    let infile = Infile::new(Arc::clone(connector));
    let Dialled { conn, reached } =
        dial(connector, issued.as_deref(), &infile, packet_limit).await?;
    // From here on our own connection closes the driver's after an error: it tells the server, which the driver's drop does
    // not.
    let mut conn = Connection::adopt(conn, Arc::clone(connector), infile, watch, echo);
    conn.server.reached = reached;
    conn.issued = issued;
    conn.begin_session().await?;
    let server = &conn.server;
    let limit = server.identity.is_some().then_some(server.max_packet);
    connector.packet_limit.learned(limit);
    Ok(conn)
}

impl Connection {
    /// Whether the tokio runtime that the socket lived on has ended.
    pub(crate) fn is_stranded(&self) -> bool {
        self.watch.has_ended()
    }

    /// Opens the connection anew after its runtime has ended.
    ///
    /// This is only for a session that nobody has used, so that its next user sees no difference.
    pub(crate) async fn open_anew(&mut self) -> mysql_async::Result<()> {
        let limit = self.options().connect_limit();
        let opening = open(Arc::clone(&self.connector), self.echo);
        let mut fresh = match within(limit, opening).await {
            Some(Ok(fresh)) => fresh,
            Some(Err(Error::Driver(error))) => return Err(error),
            Some(Err(_)) => return Err(closed()),
            None => {
                let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
                return Err(self.connector.connect_failed(late.into()));
            }
        };
        std::mem::swap(&mut self.conn, &mut fresh.conn);
        std::mem::swap(&mut self.watch, &mut fresh.watch);
        std::mem::swap(&mut self.server, &mut fresh.server);
        std::mem::swap(&mut self.infile, &mut fresh.infile);
        std::mem::swap(&mut self.opened, &mut fresh.opened);
        std::mem::swap(&mut self.kept, &mut fresh.kept);
        std::mem::swap(&mut self.issued, &mut fresh.issued);
        self.infile.belongs_to(&self.signal);
        self.signal.is_about(self.victim());
        Ok(())
    }

    /// Asks the server about itself and applies the options, in one round trip.
    async fn begin_session(&mut self) -> mysql_async::Result<()> {
        let settings = self.connector.resolved.settings.clone();
        let text = match settings.is_empty() {
            true => server::QUESTION.to_owned(),
            false => format!("{}; {settings}", server::QUESTION),
        };
        let answer = self
            .run(Purpose::Internal.into(), |conn| {
                Box::pin(async move {
                    let mut result = match conn.query_iter(text).await {
                        // The server speaks the protocol but does not have one of the variables.
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
                self.signal.is_about(self.victim());
            }
            None => self.send_settings(settings).await?,
        }
        Ok(())
    }

    /// Asks for the session's `wait_timeout` again, where the `init_command` may have changed it.
    async fn learn_wait_timeout_again(&mut self) -> mysql_async::Result<()> {
        let command = self.options().init_command.as_deref();
        let names_it = |sql: &str| sql.to_ascii_lowercase().contains("wait_timeout");
        if command.is_some_and(names_it) {
            let answer = self.run(Purpose::Internal.into(), |conn| {
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
            true => self.connector.resolved.settings_and_db.clone(),
            false => self.connector.resolved.settings.clone(),
        };
        self.send_settings(settings).await?;
        self.run_init_command().await?;
        self.now_clean();
        Ok(())
    }

    async fn send_settings(&mut self, settings: String) -> mysql_async::Result<()> {
        match settings.is_empty() {
            true => Ok(()),
            false => self.send(Purpose::Internal, settings.into()).await,
        }
    }

    async fn run_init_command(&mut self) -> mysql_async::Result<()> {
        let Some(command) = self.options().init_command.clone() else {
            return Ok(());
        };
        self.send(Purpose::Internal, command.into()).await?;
        let open = StatusFlags::SERVER_STATUS_IN_TRANS;
        match self
            .status_flags()
            .is_some_and(|flags| flags.contains(open))
        {
            true => self.send(Purpose::Internal, "COMMIT".into()).await,
            false => Ok(()),
        }
    }

    fn now_clean(&mut self) {
        self.state.cleaned();
        self.kept.clear();
        self.autocommit = self.get_autocommit();
    }
}
