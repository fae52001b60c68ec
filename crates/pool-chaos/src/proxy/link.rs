//! One connection through the proxy: its two sockets and its faults.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use socket2::SockRef;

use super::fault::{Direction, Fault};

/// A connection through the proxy. Its clones are the same connection.
#[derive(Clone, Debug)]
pub struct Link {
    pub(super) wires: Arc<Wires>,
}

/// Held by the two threads that carry the bytes, and by every `Link`: the sockets are closed with the last of these.
#[derive(Debug)]
pub(super) struct Wires {
    /// The sockets, until the connection is over. The threads have `Arc`s of their own for as long as they run.
    sockets: Mutex<Option<[Arc<TcpStream>; 2]>>,
    server_side_port: u16,
    rules: Mutex<Rules>,
    changed: Condvar,
}

/// The faults of one connection.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) lanes: [Lane; 2],
    pub(super) cut_reply: Option<(&'static str, u64)>,
    /// Which streams their sender has ended.
    pub(super) ended: [bool; 2],
    pub(super) is_over: bool,
    /// A fault has cut it at the byte that the fault names.
    pub(super) was_cut: bool,
}

impl Rules {
    pub(super) fn lane(&mut self, direction: Direction) -> &mut Lane {
        &mut self.lanes[direction.index()]
    }

    /// Looks for the request whose answer is to be cut.
    pub(super) fn arm(&mut self, bytes: &[u8]) {
        let Some((request, after)) = self.cut_reply else {
            return;
        };
        let is_there = |window: &[u8]| window == request.as_bytes();
        if bytes.windows(request.len()).any(is_there) {
            self.cut_reply = None;
            let answers = self.lane(Direction::ToClient);
            answers.cut_after = Some(answers.passed + after);
        }
    }
}

/// The faults of one stream.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) delay: Duration,
    pub(super) is_held: bool,
    pub(super) trickles: bool,
    pub(super) cut_after: Option<u64>,
    pub(super) passed: u64,
}

impl Link {
    pub(super) fn new(client: TcpStream, server: TcpStream) -> io::Result<Self> {
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let server_side_port = server.local_addr()?.port();
        Ok(Self {
            wires: Arc::new(Wires {
                sockets: Mutex::new(Some([Arc::new(client), Arc::new(server)])),
                server_side_port,
                rules: Mutex::default(),
                changed: Condvar::new(),
            }),
        })
    }

    /// Breaks this connection.
    pub fn inject(&self, fault: Fault) {
        let mut rules = self.rules();
        match fault {
            Fault::Delay(direction, delay) => rules.lanes[direction.index()].delay = delay,
            Fault::BlackHole(direction) => rules.lanes[direction.index()].is_held = true,
            Fault::Trickle(direction) => rules.lanes[direction.index()].trickles = true,
            Fault::CutAfter(direction, byte) => {
                let lane = &mut rules.lanes[direction.index()];
                lane.cut_after = Some(byte);
                let is_due = lane.passed >= byte;
                rules.was_cut |= is_due;
                drop(rules);
                if is_due {
                    self.cut();
                }
            }
            Fault::CutReplyTo { request, after } => rules.cut_reply = Some((request, after)),
            Fault::HalfClose(direction) => {
                drop(rules);
                self.end_stream(direction);
            }
            Fault::Reset => {
                drop(rules);
                self.end(|socket| {
                    // Both fail only for a connection that is over. A shutdown of what we read sends nothing, and wakes
                    // the thread that reads; the RST is sent when the last `Arc` of the socket is dropped.
                    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
                    let _ = socket.shutdown(Shutdown::Read);
                });
            }
        }
        self.wires.changed.notify_all();
    }

    /// Ends the faults of this connection that last.
    pub fn heal(&self) {
        let mut rules = self.rules();
        for lane in &mut rules.lanes {
            *lane = Lane {
                passed: lane.passed,
                ..Lane::default()
            };
        }
        rules.cut_reply = None;
        drop(rules);
        self.wires.changed.notify_all();
    }

    /// Ends both streams.
    pub fn cut(&self) {
        self.end(|socket| {
            // Fails only for a connection that is over.
            let _ = socket.shutdown(Shutdown::Both);
        });
    }

    /// How many bytes of a stream have passed.
    pub fn passed(&self, direction: Direction) -> u64 {
        self.rules().lanes[direction.index()].passed
    }

    /// Whether neither side has ended its stream and no fault has cut it, as far as the proxy knows.
    pub fn is_open(&self) -> bool {
        let rules = self.rules();
        !rules.is_over && rules.ended == [false; 2]
    }

    /// Whether a [`Fault::CutAfter`] or [`Fault::CutReplyTo`] has ended it.
    pub fn was_cut(&self) -> bool {
        self.rules().was_cut
    }

    /// Whether its threads are done.
    pub(super) fn is_over(&self) -> bool {
        self.rules().is_over
    }

    /// The sender of a stream has ended it.
    pub(super) fn ended(&self, direction: Direction) {
        let mut rules = self.rules();
        rules.ended[direction.index()] = true;
        let are_both = rules.ended == [true; 2];
        drop(rules);
        match are_both {
            true => self.cut(),
            false => self.end_stream(direction),
        }
    }

    /// Whether a fault holds its bytes back, so that the proxy would not hear of its end in time.
    pub fn is_slow(&self) -> bool {
        let rules = self.rules();
        let is_slow = |lane: &Lane| lane.is_held || lane.trickles || !lane.delay.is_zero();
        rules.lanes.iter().any(is_slow)
    }

    /// The port of the proxy that the server sees as its client's.
    pub fn server_side_port(&self) -> u16 {
        self.wires.server_side_port
    }

    /// The socket that a stream comes from, and the one that it goes to.
    pub(super) fn ends(&self, direction: Direction) -> Option<[Arc<TcpStream>; 2]> {
        let sockets = self.wires.sockets.lock();
        let sockets = sockets.unwrap_or_else(PoisonError::into_inner);
        let [client, server] = sockets.clone()?;
        Some(match direction {
            Direction::ToServer => [client, server],
            Direction::ToClient => [server, client],
        })
    }

    /// Passes the end of one stream on.
    fn end_stream(&self, direction: Direction) {
        if let Some([from, to]) = self.ends(direction) {
            // Both fail only for a connection that is over.
            let _ = to.shutdown(Shutdown::Write);
            let _ = from.shutdown(Shutdown::Read);
        }
    }

    fn end(&self, how: impl Fn(&TcpStream)) {
        self.rules().is_over = true;
        let sockets = self.wires.sockets.lock();
        let taken = sockets.unwrap_or_else(PoisonError::into_inner).take();
        for socket in taken.iter().flatten() {
            how(socket);
        }
        self.wires.changed.notify_all();
    }

    pub(super) fn rules(&self) -> MutexGuard<'_, Rules> {
        let rules = self.wires.rules.lock();
        rules.unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a fault comes or goes, or for so long.
    pub(super) fn wait<'r>(
        &self,
        rules: MutexGuard<'r, Rules>,
        limit: Duration,
    ) -> MutexGuard<'r, Rules> {
        let waited = self.wires.changed.wait_timeout(rules, limit);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
