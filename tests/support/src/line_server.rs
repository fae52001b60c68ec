//! A line server: it answers each line with a line. It remembers one thing for each session, until it is asked to forget.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::watchdog::MINUTE;

/// A server on a port of its own.
///
/// | line | answer |
/// |---|---|
/// | `remember me`, `forget me` | `yes` |
/// | `do you remember me?` | `yes` or `no` |
/// | `think` | none |
/// | anything else | `yes` |
pub struct LineServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepts: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Default)]
struct Now {
    is_stopped: bool,
    is_paused: bool,
    /// The number of the last session.
    last: u64,
    /// The sessions, by their number.
    sessions: HashMap<u64, TcpStream>,
}

impl LineServer {
    /// Starts a server.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let shared = Arc::new(Shared::default());
        Self {
            address: listener.local_addr().expect("it is bound"),
            accepts: Mutex::new(Some(shared.accept(listener))),
            shared,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many clients it has.
    pub fn sessions(&self) -> usize {
        self.shared.now().sessions.len()
    }

    /// Ends the session of the client with this port, and waits until it is gone.
    pub fn end(&self, port: u16) {
        self.end_those(|stream| stream.peer_addr().is_ok_and(|client| client.port() == port));
    }

    fn end_those(&self, wanted: impl Fn(&TcpStream) -> bool) {
        let now = self.shared.now();
        let mut ended = Vec::new();
        for (number, stream) in &now.sessions {
            if wanted(stream) {
                // An error says that the client was faster.
                let _ = stream.shutdown(Shutdown::Both);
                ended.push(*number);
            }
        }
        let are_there =
            |now: &mut Now| ended.iter().any(|number| now.sessions.contains_key(number));
        drop(self.shared.changed.wait_while(now, are_there));
    }

    /// Keeps all sessions and answers nothing, until it is called with `false`.
    pub fn pause(&self, is_paused: bool) {
        self.shared.now().is_paused = is_paused;
        self.shared.changed.notify_all();
    }

    fn accepts(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.accepts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses new clients, ends all sessions, and waits until they are gone.
    ///
    /// # Panics
    ///
    /// When its thread has panicked.
    pub fn stop(&self) {
        self.shared.now().is_stopped = true;
        let accepts = self.accepts().take();
        if let Some(accepts) = accepts {
            // The thread sees the flag when it has accepted this client.
            drop(TcpStream::connect(self.address));
            accepts.join().expect("the server stops");
        }
        self.end_those(|_| true);
    }

    /// Listens again, at the same address.
    ///
    /// # Panics
    ///
    /// When somebody else has taken the port.
    pub fn start_again(&self) {
        let start = Instant::now();
        let listener = loop {
            match TcpListener::bind(self.address) {
                Ok(listener) => break listener,
                Err(error) => assert!(start.elapsed() < MINUTE, "{}: {error}", self.address),
            }
            thread::sleep(Duration::from_millis(10));
        };
        self.shared.now().is_stopped = false;
        *self.accepts() = Some(self.shared.accept(listener));
    }
}

impl Drop for LineServer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: TcpListener) -> JoinHandle<()> {
        let server = Arc::clone(self);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut now = server.now();
                if now.is_stopped {
                    return;
                }
                // An error says that the client has already left.
                let Ok(stream) = stream else { continue };
                now.last += 1;
                let number = now.last;
                let clone = stream.try_clone().expect("a second handle");
                now.sessions.insert(number, clone);
                drop(now);
                let server = Arc::clone(&server);
                thread::spawn(move || {
                    server.serve(&stream);
                    server.now().sessions.remove(&number);
                    server.changed.notify_all();
                });
            }
        })
    }

    /// Answers the lines of one client.
    fn serve(&self, mut stream: &TcpStream) {
        let mut remembers = false;
        let mut lines = BufReader::new(stream).lines();
        while let Some(Ok(line)) = lines.next() {
            let is_paused = |now: &mut Now| now.is_paused;
            drop(self.changed.wait_while(self.now(), is_paused));
            let answer = match line.as_str() {
                "think" => continue,
                "do you remember me?" if !remembers => "no\n",
                "do you remember me?" => "yes\n",
                question => {
                    remembers = question == "remember me" || (remembers && question != "forget me");
                    "yes\n"
                }
            };
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}
