//! The workloads on a real server.

pub(crate) mod clients;

#[path = "../../../pool-bench/src/mysql/client.rs"]
#[expect(dead_code, reason = "the settings of the clients are not shown here")]
pub(crate) mod client;
#[path = "../../../pool-bench/src/mysql/closed_loop.rs"]
pub(crate) mod closed_loop;
#[path = "../../../pool-bench/src/mysql/counters.rs"]
#[expect(dead_code, reason = "the version of the server is not shown here")]
pub(crate) mod counters;
#[path = "../../../pool-bench/src/mysql/instructions.rs"]
pub(crate) mod instructions;
#[path = "../../../pool-bench/src/mysql/target.rs"]
#[expect(dead_code, reason = "not every client of pool-bench runs here")]
pub(crate) mod target;

use std::cell::RefCell;
use std::rc::Rc;

use private_server::PrivateServer;

use crate::effort::Effort;
use crate::mysql::client::Failed;
use crate::mysql::counters::Counters;
use crate::mysql::target::{Target, Transport};
use crate::workload::Workload;

/// The server of all these workloads. It is stopped when this value is dropped.
pub(crate) struct Server {
    server: PrivateServer,
    counters: Rc<RefCell<Counters>>,
}

impl Server {
    pub(crate) fn start() -> Result<Self, Failed> {
        let server = PrivateServer::start()?;
        let counters = Counters::new(&Target::unix(&server))?;
        Ok(Self {
            counters: Rc::new(RefCell::new(counters)),
            server,
        })
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    pub(crate) fn workloads(&self, effort: Effort) -> Vec<Workload> {
        let (tcp, unix) = (Target::tcp(&self.server), Target::unix(&self.server));
        let mut all = instructions::workloads(Effort::Full, self.server.socket());
        all.extend(closed_loop::workloads(
            effort,
            Transport::Unix,
            &unix,
            &self.counters,
        ));
        all.extend(closed_loop::workloads(
            effort,
            Transport::Tcp,
            &tcp,
            &self.counters,
        ));
        all
    }
}
