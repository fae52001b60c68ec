//! What closing a cursor returns.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The future that [`Cursor::close`](crate::Cursor::close) returns. It is always ready.
#[derive(Debug)]
pub struct CursorClosed(pub(super) ());

impl Future for CursorClosed {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}
