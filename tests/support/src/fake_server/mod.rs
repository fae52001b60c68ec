//! A server that speaks MySQL's protocol as far as a script tells it: for answers that no real server gives on demand.

mod packets;
pub mod scripts;
mod session;

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// A command that the server has received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The number of the connection, from 1.
    pub connection: u32,
    /// The first byte: 0x03 is a query, 0x11 `COM_CHANGE_USER`, 0x1f `COM_RESET_CONNECTION`.
    pub byte: u8,
    /// The rest.
    pub payload: Vec<u8>,
}

impl Received {
    /// The payload as text, such as the SQL of a query.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// What the server answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Done, outside of a transaction.
    Ok,
    /// Done, inside of a transaction.
    InTransaction,
    /// An error with SQLSTATE HY000.
    Error(u16, &'static str),
    /// One row of texts.
    Row(Vec<String>),
    /// Nothing: the connection is closed.
    HangUp,
    /// Nothing; the connection stays open.
    Nothing,
}

/// The answer to each command.
pub(crate) type Script = dyn Fn(&Received) -> Answer + Send + Sync;

/// A server on a free port of loopback. It ends when it is dropped.
///
/// It accepts every login. The script answers everything else but `COM_QUIT`, which has no answer.
pub struct FakeServer {
    address: SocketAddr,
    room: Arc<Room>,
    listener: Option<JoinHandle<()>>,
}

/// What the threads of a server share.
pub(crate) struct Room {
    version: Mutex<String>,
    script: Box<Script>,
    received: Mutex<Vec<Received>>,
    sockets: Mutex<Vec<TcpStream>>,
    ends: AtomicBool,
}

impl FakeServer {
    /// Starts a server whose greeting tells `version`.
    ///
    /// # Errors
    ///
    /// Where no port can be bound.
    pub fn start(
        version: &str,
        script: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let room = Arc::new(Room {
            version: Mutex::new(version.to_owned()),
            script: Box::new(script),
            received: Mutex::default(),
            sockets: Mutex::default(),
            ends: AtomicBool::new(false),
        });
        let there = Arc::clone(&room);
        let listener = thread::spawn(move || there.listen(&listener));
        Ok(Self {
            address,
            room,
            listener: Some(listener),
        })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on the greeting tells this version, as after an upgrade.
    pub fn upgrade(&self, version: &str) {
        version.clone_into(&mut lock(&self.room.version));
    }

    /// The number of connections that were opened so far.
    pub fn connections(&self) -> usize {
        lock(&self.room.sockets).len()
    }

    /// The commands that were received so far.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.room.received).clone()
    }

    /// How often the command with this first byte was received.
    pub fn count(&self, byte: u8) -> usize {
        let received = lock(&self.room.received);
        received.iter().filter(|it| it.byte == byte).count()
    }

    /// How often the query was received.
    pub fn queries(&self, sql: &str) -> usize {
        let received = lock(&self.room.received);
        let is_it = |it: &&Received| it.byte == packets::QUERY && it.payload == sql.as_bytes();
        received.iter().filter(is_it).count()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.room.ends.store(true, Ordering::SeqCst);
        // The listener waits in `accept`.
        drop(TcpStream::connect(self.address));
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Room {
    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        let mut threads = Vec::new();
        while let Ok((socket, _)) = listener.accept() {
            if self.ends.load(Ordering::SeqCst) {
                break;
            }
            let Ok(second) = socket.try_clone() else {
                continue;
            };
            let number = {
                let mut sockets = lock(&self.sockets);
                sockets.push(second);
                u32::try_from(sockets.len()).expect("a few connections")
            };
            let room = Arc::clone(self);
            threads.push(thread::spawn(move || {
                // An error is the end of this connection: the client has gone, or the server ends.
                let _ = session::serve(&room, &socket, number);
                let _ = socket.shutdown(Shutdown::Both);
            }));
        }
        for socket in lock(&self.sockets).iter() {
            let _ = socket.shutdown(Shutdown::Both);
        }
        for thread in threads {
            let _ = thread.join();
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
