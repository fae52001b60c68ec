//! The faults behind the buttons. Each ends by itself after a few seconds; one runs at a time.

use std::sync::Arc;
use std::time::Duration;

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Pool, connect};
use private_server::PrivateServer;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::AnyError;
use crate::load::{self, ACCOUNT, PASSWORD};
use crate::watch::Watch;

/// The password that the pool does not know.
pub(crate) const CHANGED: &str = "s3cret-that-changed";

/// How long a fault lasts.
const LASTS: Duration = Duration::from_secs(4);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Somebody locks the table.
    Slow,
    /// The server kills all connections of the pool.
    Lost,
    /// Somebody keeps a connection.
    Leak,
    /// Many more customers come.
    Rush,
    /// The password of the account is changed.
    Password,
    /// The server's process is stopped where it stands.
    Frozen,
    /// The server is shut down, and started later.
    Restart,
    /// Others have nearly all connections that the server takes.
    Full,
}

impl Fault {
    /// By the name in the path of its button.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "slow" => Self::Slow,
            "lost" => Self::Lost,
            "leak" => Self::Leak,
            "rush" => Self::Rush,
            "password" => Self::Password,
            "frozen" => Self::Frozen,
            "restart" => Self::Restart,
            "full" => Self::Full,
            _ => return None,
        })
    }

    /// What is said when it begins.
    fn words(self) -> &'static str {
        match self {
            Self::Slow => "somebody locks the table for 4 s",
            Self::Lost => "the server kills the pool's connections",
            Self::Leak => "somebody keeps a connection for 8 s",
            Self::Rush => "rush hour: for 4 s there are nine times as many customers",
            Self::Password => {
                "the password is changed for 4 s, and the server kills the pool's connections"
            }
            Self::Frozen => "the server's process stands still for 4 s",
            Self::Restart => "the server is shut down, and started after 4 s",
            Self::Full => "for 4 s, the server has room for one connection of the pool",
        }
    }
}

/// Injects faults, one at a time.
#[derive(Clone)]
pub(crate) struct Faults {
    server: Arc<PrivateServer>,
    root: ConnectOptions,
    pool: Pool,
    one_at_a_time: Arc<Mutex<()>>,
}

impl Faults {
    pub(crate) fn new(server: Arc<PrivateServer>, root: ConnectOptions, pool: Pool) -> Self {
        Self {
            server,
            root,
            pool,
            one_at_a_time: Arc::default(),
        }
    }

    /// Begins a fault, unless another one has not ended yet.
    pub(crate) fn begin(&self, fault: Fault, watch: &Watch) -> bool {
        let Ok(only) = Arc::clone(&self.one_at_a_time).try_lock_owned() else {
            return false;
        };
        let (faults, watch) = (self.clone(), watch.clone());
        watch.tell("fault", fault.words());
        tokio::spawn(async move {
            let _only = only;
            match faults.inject(fault).await {
                Ok(()) => watch.tell("fault", "the fault is over"),
                Err(error) => watch.tell("error", &format!("the fault itself failed: {error}")),
            }
        });
        true
    }

    /// Waits for the end of the fault that runs.
    pub(crate) async fn heal(&self) {
        drop(self.one_at_a_time.lock().await);
    }

    async fn inject(&self, fault: Fault) -> Result<(), AnyError> {
        match fault {
            Fault::Slow => {
                let mut root = connect(self.root.clone()).await?;
                root.query_drop("LOCK TABLES shop.orders WRITE").await?;
                sleep(LASTS).await;
                root.ensure_closed().await?;
            }
            Fault::Lost => self.kill_connections().await?,
            Fault::Leak => {
                let leaked = self.pool.acquire().label("monthly report").await?;
                sleep(2 * LASTS).await;
                drop(leaked);
            }
            Fault::Rush => load::rush(&self.pool, LASTS).await,
            Fault::Password => {
                self.set_password(CHANGED).await?;
                self.kill_connections().await?;
                sleep(LASTS).await;
                self.set_password(PASSWORD).await?;
            }
            Fault::Frozen => {
                self.with_server(PrivateServer::pause).await?;
                sleep(LASTS).await;
                self.with_server(PrivateServer::resume).await?;
            }
            Fault::Restart => {
                self.with_server(PrivateServer::stop).await?;
                sleep(LASTS).await;
                self.with_server(PrivateServer::start_again).await??;
            }
            Fault::Full => self.fill_server().await?,
        }
        Ok(())
    }

    /// With `max_connections` as small as the server allows, this has nine of the ten.
    async fn fill_server(&self) -> Result<(), AnyError> {
        let mut others = Vec::new();
        for _ in 0..8 {
            others.push(connect(self.root.clone()).await?);
        }
        let mut root = connect(self.root.clone()).await?;
        let before: Option<u64> = root.query_first("SELECT @@GLOBAL.max_connections").await?;
        root.query_drop("SET GLOBAL max_connections = 10; KILL USER shop")
            .await?;
        sleep(LASTS).await;
        let before = before.unwrap_or(151);
        root.query_drop(format!("SET GLOBAL max_connections = {before}"))
            .await?;
        others.push(root);
        for mut other in others {
            other.ensure_closed().await?;
        }
        Ok(())
    }

    async fn kill_connections(&self) -> Result<(), AnyError> {
        let mut root = connect(self.root.clone()).await?;
        root.query_drop("KILL USER shop").await?;
        root.ensure_closed().await?;
        Ok(())
    }

    async fn set_password(&self, password: &str) -> Result<(), AnyError> {
        let mut root = connect(self.root.clone()).await?;
        root.query_drop(format!("ALTER USER {ACCOUNT} IDENTIFIED BY '{password}'"))
            .await?;
        root.ensure_closed().await?;
        Ok(())
    }

    /// These calls block.
    async fn with_server<T: Send + 'static>(
        &self,
        call: fn(&PrivateServer) -> T,
    ) -> Result<T, AnyError> {
        let server = Arc::clone(&self.server);
        Ok(spawn_blocking(move || call(&server)).await?)
    }
}
