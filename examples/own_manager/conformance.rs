//! The manager keeps the contract of a backend.

use std::collections::HashMap;
use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use pool_conformance::{Backend, run};
use tokio::runtime::Runtime;

use crate::{Line, LineManager};

/// A line server that remembers one thing for each session, until it is asked to forget.
#[derive(Default)]
struct Server {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Default)]
struct Now {
    is_paused: bool,
    /// The sessions, by the port of the client.
    sessions: HashMap<u16, TcpStream>,
}

impl Server {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(self: &Arc<Self>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the port");
        let server = Arc::clone(self);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.expect("a client");
                // A client that has already left has no port.
                let Ok(client) = stream.peer_addr() else {
                    continue;
                };
                let server = Arc::clone(&server);
                let clone = stream.try_clone().expect("a second handle");
                server.now().sessions.insert(client.port(), clone);
                thread::spawn(move || {
                    server.serve(&stream);
                    server.now().sessions.remove(&client.port());
                    server.changed.notify_all();
                });
            }
        });
        address
    }

    /// Answers the lines of one client.
    fn serve(&self, mut stream: &TcpStream) {
        let mut remembers = false;
        let mut lines = BufReader::new(stream).lines();
        while let Some(Ok(line)) = lines.next() {
            let is_paused = |now: &mut Now| now.is_paused;
            let waited = self.changed.wait_while(self.now(), is_paused);
            drop(waited);
            let answer = match line.as_str() {
                "remember me" => {
                    remembers = true;
                    "yes"
                }
                "forget me" => {
                    remembers = false;
                    "yes"
                }
                "do you remember me?" if !remembers => "no",
                _ => "yes",
            };
            if stream.write_all(format!("{answer}\n").as_bytes()).is_err() {
                return;
            }
        }
    }

    fn pause(&self, is_paused: bool) {
        self.now().is_paused = is_paused;
        self.changed.notify_all();
    }

    /// Ends a session, and waits until it is gone.
    fn end(&self, port: u16) {
        let now = self.now();
        if let Some(stream) = now.sessions.get(&port) {
            stream.shutdown(Shutdown::Both).expect("it is open");
        }
        let is_there = |now: &mut Now| now.sessions.contains_key(&port);
        let waited = self.changed.wait_while(now, is_there);
        drop(waited);
    }
}

struct LineBackend {
    runtime: Runtime,
    server: Arc<Server>,
    address: SocketAddr,
}

fn port(line: &Line) -> u16 {
    let address = line.stream.get_ref().local_addr();
    address.expect("an open socket has a port").port()
}

impl Backend for LineBackend {
    type Manager = LineManager;

    fn manager(&self) -> LineManager {
        LineManager {
            server: self.address,
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
        Some(self.server.now().sessions.len())
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
    let server = Arc::new(Server::default());
    let address = server.start();
    let report = run(LineBackend {
        runtime: Runtime::new().expect("a runtime"),
        server,
        address,
    });
    println!("{report}");
    assert!(report.conforms(), "{report}");
    let not_applicable = [
        "connect fails while the server is stopped, and works when it is back",
        "abort ends the command under way",
        "abort does not wait",
    ];
    assert_eq!(report.not_applicable(), not_applicable);
}
