//! The manager keeps the contract of a backend.

use std::future::Future;
use std::pin::Pin;

use pool_conformance::{Backend, run};
use support::LineServer;
use tokio::runtime::Runtime;

use crate::{Line, LineManager};

struct LineBackend {
    runtime: Runtime,
    server: LineServer,
}

fn port(line: &Line) -> u16 {
    let address = line.stream.get_ref().local_addr();
    address.expect("an open socket has a port").port()
}

impl Backend for LineBackend {
    type Manager = LineManager;

    fn manager(&self) -> LineManager {
        LineManager {
            server: self.server.address(),
        }
    }

    async fn ping(&self, line: &mut Line) -> Option<bool> {
        Some(line.ask("hello").await.is_ok())
    }

    async fn identity(&self, line: &mut Line) -> Option<String> {
        Some(port(line).to_string())
    }

    async fn break_connection(&self, line: &mut Line) -> Option<()> {
        self.server.end(port(line));
        Some(())
    }

    async fn make_dirty(&self, line: &mut Line) -> Option<()> {
        line.ask("remember me").await.expect("a live session");
        Some(())
    }

    async fn is_clean(&self, line: &mut Line) -> Option<bool> {
        let answer = line.ask("do you remember me?").await;
        Some(answer.expect("a live session") == "no")
    }

    async fn sessions(&self) -> Option<usize> {
        Some(self.server.sessions())
    }

    async fn stop_server(&self) -> Option<()> {
        self.server.stop();
        Some(())
    }

    async fn start_server(&self) -> Option<()> {
        self.server.start_again();
        Some(())
    }

    async fn pause_server(&self) -> Option<()> {
        self.server.pause(true);
        Some(())
    }

    async fn resume_server(&self) -> Option<()> {
        self.server.pause(false);
        Some(())
    }

    fn block_on(&self, future: Pin<&mut dyn Future<Output = ()>>) {
        self.runtime.block_on(future);
    }
}

#[test]
fn the_manager_conforms() {
    let report = run(LineBackend {
        runtime: Runtime::new().expect("a runtime"),
        server: LineServer::start(),
    });
    println!("{report}");
    assert!(report.conforms(), "{report}");
    // It has no `abort_handle`.
    let not_applicable = ["abort ends the command under way", "abort does not wait"];
    assert_eq!(report.not_applicable(), not_applicable);
}
