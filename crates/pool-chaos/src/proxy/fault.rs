//! What can be done to a connection.

use std::time::Duration;

/// One of the two streams of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What the client sends.
    ToServer,
    /// What the server answers.
    ToClient,
}

impl Direction {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::ToServer, Self::ToClient];

    pub(super) fn index(self) -> usize {
        match self {
            Self::ToServer => 0,
            Self::ToClient => 1,
        }
    }
}

/// Something that goes wrong with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Every piece of the stream is late by so much.
    Delay(Direction, Duration),
    /// Nothing passes. TCP would send it again later, so it passes after `heal`.
    BlackHole(Direction),
    /// One byte a second.
    Trickle(Direction),
    /// Both streams end after this byte of the one, counted from the beginning of the connection.
    CutAfter(Direction, u64),
    /// The client's next bytes that contain `request` reach the server; both streams end after so many bytes of what the
    /// server sends from then on.
    CutReplyTo {
        /// What to look for, for example `COMMIT`.
        request: &'static str,
        /// How much of the answer passes; 0 for nothing.
        after: u64,
    },
    /// The stream ends as if its sender had called `shutdown(SHUT_WR)`; the other one goes on.
    HalfClose(Direction),
    /// Both sides get a RST.
    Reset,
}

impl Fault {
    /// Whether it is for connections to come, too.
    pub(super) fn lasts(self) -> bool {
        !matches!(self, Self::HalfClose(_) | Self::Reset)
    }
}
