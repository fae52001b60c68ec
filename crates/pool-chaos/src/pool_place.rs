//! The pool that the tasks use now, and how it is replaced.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pool_mysql::{ConnectOptions, Error, Pool, ResetPolicy, create_pool};

use crate::handed_out::{Connections, MAX_LIFETIME};
use crate::leftover::{self, Leftover};
use crate::tally::Tally;
use crate::vault::Vault;
use pool_chaos::proxy::Proxy;

/// How many connections the pool may have.
pub(crate) const MAXSIZE: usize = 5;

/// How long the pool waits for a connect.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long `wait_closed` may take, and then the end of the last session.
const PATIENCE: Duration = Duration::from_secs(10);

/// Holds the pool.
#[derive(Debug)]
pub(crate) struct PoolPlace {
    port: u16,
    policy: ResetPolicy,
    vault: Arc<Vault>,
    current: Mutex<Current>,
}

/// The pool of now, and what is known of its connections.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub(crate) pool: Pool,
    pub(crate) connections: Arc<Connections>,
}

impl PoolPlace {
    /// Builds a pool that connects to this port.
    pub(crate) fn new(port: u16, policy: ResetPolicy, vault: Arc<Vault>) -> Result<Self, Error> {
        let current = Mutex::new(build(port, policy, &vault)?);
        Ok(Self {
            port,
            policy,
            vault,
            current,
        })
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.vault
    }

    pub(crate) fn current(&self) -> Current {
        self.lock().clone()
    }

    /// The pool of now.
    pub(crate) fn pool(&self) -> Pool {
        self.lock().pool.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the pool and waits until its last connection is gone. `terminate` is for a pool whose guards were leaked.
    pub(crate) async fn close(&self, terminate: bool, proxy: &Proxy, tally: &Tally) {
        let pool = self.pool();
        match terminate {
            true => pool.terminate(),
            false => pool.close(),
        }
        match tokio::time::timeout(PATIENCE, pool.wait_closed()).await {
            Err(_) => {
                tally.violation(format!("wait_closed does not return: {:?}", pool.status()));
                pool.terminate();
            }
            Ok(Err(error)) => tally.violation(format!("wait_closed fails: {error}")),
            Ok(Ok(())) => {}
        }
        let start = Instant::now();
        loop {
            let left = proxy.links().len();
            match leftover::judge(left, "connections", start.elapsed(), PATIENCE) {
                Leftover::Nothing => return,
                Leftover::MayGo => tokio::time::sleep(Duration::from_millis(10)).await,
                Leftover::Stays(what) => return tally.violation(what),
            }
        }
    }

    /// Closes the pool and builds a new one.
    pub(crate) async fn rebuild(&self, terminate: bool, proxy: &Proxy, tally: &Tally) {
        self.close(terminate, proxy, tally).await;
        match build(self.port, self.policy, &self.vault) {
            Ok(current) => *self.lock() = current,
            Err(error) => tally.violation(format!("the pool cannot be built again: {error}")),
        }
    }
}

fn build(port: u16, policy: ResetPolicy, vault: &Arc<Vault>) -> Result<Current, Error> {
    let options = ConnectOptions::new()
        .host("127.0.0.1")
        .port(port)
        .credentials(vault.provider())
        .db("test")
        .connect_timeout(CONNECT_TIMEOUT)
        .reset_policy(policy);
    let pool = create_pool(options)
        .minsize(1)
        .maxsize(MAXSIZE)
        .max_lifetime(MAX_LIFETIME)
        .acquire_timeout(Duration::from_secs(3))
        .check_timeout(Duration::from_secs(1))
        .recycle_timeout(Duration::from_secs(1))
        .build_lazy()?;
    Ok(Current {
        pool,
        connections: Arc::default(),
    })
}
