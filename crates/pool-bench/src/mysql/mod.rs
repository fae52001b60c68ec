//! The workloads on a real server: acquire, `SELECT 1` and release on a private MariaDB.

mod client;
mod clients;
mod closed_loop;
mod cold_start;
mod counters;
mod cursor;
pub(crate) mod instructions;
mod outage;
mod target;

use std::cell::RefCell;
use std::rc::Rc;

use private_server::PrivateServer;

use crate::effort::Effort;
use crate::mysql::client::{Client, ClientTask, Failed};
use crate::mysql::counters::Counters;
use crate::mysql::target::{Target, Transport};
use crate::workload::Workload;

/// The server of all these workloads. It is stopped when this value is dropped.
pub(crate) struct Server {
    server: PrivateServer,
    counters: Rc<RefCell<Counters>>,
    version: String,
}

impl Server {
    pub(crate) fn start() -> Result<Self, Failed> {
        let server = PrivateServer::start()?;
        let mut counters = Counters::new(&Target::unix(&server))?;
        Ok(Self {
            version: counters.version()?,
            counters: Rc::new(RefCell::new(counters)),
            server,
        })
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// All workloads on the server, in the order in which they run.
    pub(crate) fn workloads(&self, effort: Effort) -> Vec<Workload> {
        let (tcp, unix) = (Target::tcp(&self.server), Target::unix(&self.server));
        [
            closed_loop::workloads(effort, Transport::Tcp, &tcp, &self.counters),
            closed_loop::workloads(effort, Transport::Unix, &unix, &self.counters),
            instructions::workloads(effort, self.server.socket()),
            vec![
                cursor::workload(effort, &unix),
                cold_start::workload(effort, Transport::Tcp, &tcp),
                cold_start::workload(effort, Transport::Unix, &unix),
                outage::workload(effort),
            ],
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Names and settings of all clients.
pub(crate) fn settings() -> Vec<(&'static str, &'static str)> {
    struct Settings;
    impl ClientTask for Settings {
        type Output = (&'static str, &'static str);
        fn run<C: Client>(&self) -> Self::Output {
            (C::NAME, C::SETTINGS)
        }
    }
    clients::run_for_all(&Settings)
}
