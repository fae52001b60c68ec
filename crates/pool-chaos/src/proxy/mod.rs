//! A proxy on the loopback address that forwards to a server, and that can break what it forwards.
//!
//! Each connection is a [`Link`]. [`Proxy::inject`] breaks all of them, [`Link::inject`] breaks one.

mod carry;
mod fault;
mod link;

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

pub use self::fault::{Direction, Fault};
pub use self::link::Link;

/// A proxy to one server. Dropping it ends the listener and cuts all connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What the listening thread needs.
#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    is_over: AtomicBool,
    /// The faults for connections to come, and the connections that are not gone.
    links: Mutex<(Vec<Fault>, Vec<Link>)>,
}

impl Proxy {
    /// Listens on a free port of the loopback address and forwards to `server`.
    ///
    /// # Errors
    ///
    /// The error of the operating system when it gives no port.
    pub fn to(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            server,
            is_over: AtomicBool::new(false),
            links: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Ok(Self { address, shared })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks all connections; a fault that lasts breaks also those to come, until [`heal`](Self::heal).
    pub fn inject(&self, fault: Fault) {
        let mut links = self.shared.lock();
        if fault.lasts() {
            links.0.push(fault);
        }
        for link in &links.1 {
            link.inject(fault);
        }
    }

    /// Ends the faults that last. The bytes that were held back go on their way.
    pub fn heal(&self) {
        let mut links = self.shared.lock();
        links.0.clear();
        for link in &links.1 {
            link.heal();
        }
    }

    /// The connections that neither side has begun to close and that no fault has cut.
    pub fn links(&self) -> Vec<Link> {
        let links = self.shared.lock();
        let open = links.1.iter().filter(|link| link.is_open());
        open.cloned().collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener; if it fails the listener has ended.
        let _ = TcpStream::connect(self.address);
        for link in &self.shared.lock().1 {
            link.cut();
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, (Vec<Fault>, Vec<Link>)> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn accept(listener: &TcpListener, shared: &Shared) {
    for client in listener.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        // Where the server does not listen, the client's connection is closed.
        let (Ok(client), Ok(server)) = (client, TcpStream::connect(shared.server)) else {
            continue;
        };
        let Ok(link) = Link::new(client, server) else {
            continue;
        };
        let mut links = shared.lock();
        for fault in &links.0 {
            link.inject(*fault);
        }
        links.1.retain(|link| !link.is_over());
        links.1.push(link.clone());
        drop(links);
        carry::start(&link);
    }
}
