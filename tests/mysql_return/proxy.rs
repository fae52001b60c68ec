//! A proxy between a client and a server, which a test can slow down and cut.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What happens to the bytes of both directions.
#[derive(Default)]
struct Rules {
    /// The port of the server that new connections are passed on to.
    server: AtomicU16,
    /// The server's answers are not passed on any more.
    mute: AtomicBool,
    /// How many bytes of the server's answers were passed on.
    passed: AtomicU64,
    /// How long each piece is held back, to the server and back.
    delays: Mutex<[Duration; 2]>,
    streams: Mutex<Vec<TcpStream>>,
}

/// It listens until the test ends; the threads of a connection end with it.
pub(crate) struct Proxy {
    port: u16,
    rules: Arc<Rules>,
}

impl Proxy {
    /// A proxy to a port of this machine.
    pub(crate) fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let rules = Arc::new(Rules {
            server: server.into(),
            ..Rules::default()
        });
        let accepting = Arc::clone(&rules);
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { continue };
                let port = accepting.server.load(Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
                    continue;
                };
                carry(&accepting, &client, &server);
            }
        });
        Self { port, rules }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Passes new connections on to another server.
    pub(crate) fn redirect(&self, server: u16) {
        self.rules.server.store(server, Ordering::SeqCst);
    }

    /// Holds back every piece of each direction for so long.
    pub(crate) fn delay(&self, to_server: Duration, to_client: Duration) {
        *self.rules.delays.lock().expect("no panic") = [to_server, to_client];
    }

    /// From now on the server hears everything, and nobody hears the server.
    pub(crate) fn mute(&self) {
        self.rules.mute.store(true, Ordering::SeqCst);
    }

    /// How many bytes of the server's answers the clients have got, or have lying in their sockets.
    pub(crate) fn passed(&self) -> u64 {
        self.rules.passed.load(Ordering::SeqCst)
    }

    /// Cuts all connections and lets new ones through as they are.
    pub(crate) fn cut(&self) {
        for stream in self.rules.streams.lock().expect("no panic").drain(..) {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.rules.mute.store(false, Ordering::SeqCst);
    }
}

fn carry(rules: &Arc<Rules>, client: &TcpStream, server: &TcpStream) {
    let copy = |stream: &TcpStream| stream.try_clone().expect("a socket");
    for stream in [client, server] {
        stream.set_nodelay(true).expect("a socket");
        rules.streams.lock().expect("no panic").push(copy(stream));
    }
    for (direction, mut from, mut to) in [
        (0, copy(client), copy(server)),
        (1, copy(server), copy(client)),
    ] {
        let rules = Arc::clone(rules);
        thread::spawn(move || {
            let mut bytes = [0; 16 * 1024];
            while let Ok(length @ 1..) = from.read(&mut bytes) {
                let delay = rules.delays.lock().expect("no panic")[direction];
                if !delay.is_zero() {
                    thread::sleep(delay);
                }
                if direction == 1 && rules.mute.load(Ordering::SeqCst) {
                    continue;
                }
                if to.write_all(&bytes[..length]).is_err() {
                    break;
                }
                if direction == 1 {
                    rules.passed.fetch_add(length as u64, Ordering::SeqCst);
                }
            }
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}
