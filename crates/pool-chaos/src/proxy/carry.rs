//! The two threads of a connection, which carry its bytes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use super::fault::Direction;
use super::link::Link;

/// How long a held stream waits before it looks again, should a wake be missed.
const LOOK: Duration = Duration::from_millis(100);

/// The time between two bytes of a stream that trickles.
const TRICKLE: Duration = Duration::from_secs(1);

/// Starts both threads. They end with the connection.
pub(super) fn start(link: &Link) {
    for direction in Direction::BOTH {
        let Some([from, to]) = link.ends(direction) else {
            return;
        };
        let link = link.clone();
        thread::spawn(move || {
            carry(&link, direction, &from, &to);
        });
    }
}

/// Carries one stream to its end.
fn carry(link: &Link, direction: Direction, from: &TcpStream, mut to: &TcpStream) {
    let mut bytes = [0; 16 * 1024];
    let mut from_here = from;
    loop {
        match from_here.read(&mut bytes) {
            Ok(0) => return link.ended(direction),
            Ok(length) if pass(link, direction, &bytes[..length], &mut to) => {}
            _ => return link.cut(),
        }
    }
}

/// Passes some bytes on, as the faults allow it; false when the connection is over.
fn pass(link: &Link, direction: Direction, bytes: &[u8], to: &mut &TcpStream) -> bool {
    if direction == Direction::ToServer {
        link.rules().arm(bytes);
    }
    let Some(delay) = wait_while_held(link, direction) else {
        return false;
    };
    if !delay.is_zero() {
        thread::sleep(delay);
    }
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some((length, is_last)) = next_piece(link, direction, rest.len()) else {
            return false;
        };
        let (piece, after) = rest.split_at(length);
        if to.write_all(piece).is_err() || is_last {
            return false;
        }
        rest = after;
    }
    true
}

/// Returns the delay when the stream is not held, and `None` when the connection is over.
fn wait_while_held(link: &Link, direction: Direction) -> Option<Duration> {
    let mut rules = link.rules();
    while rules.lane(direction).is_held && !rules.is_over {
        rules = link.wait(rules, LOOK);
    }
    (!rules.is_over).then(|| rules.lane(direction).delay)
}

/// How much may be sent now, and whether the connection is to be cut after it; `None` when it is over.
fn next_piece(link: &Link, direction: Direction, wanted: usize) -> Option<(usize, bool)> {
    let mut rules = link.rules();
    let start = Instant::now();
    while rules.lane(direction).trickles && start.elapsed() < TRICKLE && !rules.is_over {
        rules = link.wait(rules, TRICKLE.saturating_sub(start.elapsed()));
    }
    if rules.is_over {
        return None;
    }
    let lane = rules.lane(direction);
    let mut length = if lane.trickles { 1 } else { wanted };
    let mut is_last = false;
    if let Some(end) = lane.cut_after {
        let left = usize::try_from(end.saturating_sub(lane.passed)).unwrap_or(usize::MAX);
        is_last = left <= length;
        length = length.min(left);
    }
    lane.passed += length as u64;
    rules.was_cut |= is_last;
    Some((length, is_last))
}
