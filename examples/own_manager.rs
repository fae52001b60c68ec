//! A pool of connections to a server that is not a database. The manager connects, checks, recycles and closes TCP connections
//! to a line server.
//!
//! Run it with `cargo run --example own_manager`.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use pool_core::{Manager, Pool, PooledConnection, Verdict};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

// The test of the manager: `cargo test -p examples --example own_manager`.
#[cfg(test)]
#[path = "own_manager/conformance.rs"]
mod conformance;

/// A connection to the line server, and whether the answer to a question is still missing.
struct Line {
    stream: BufStream<TcpStream>,
    asked: bool,
}

impl Line {
    /// Sends a line and reads the answer.
    async fn ask(&mut self, question: &str) -> io::Result<String> {
        // If this future is dropped before the answer was read, `asked` stays true. `on_release` then discards the connection.
        self.asked = true;
        self.stream.write_all(question.as_bytes()).await?;
        self.stream.write_all(b"\n").await?;
        self.stream.flush().await?;
        let mut answer = String::new();
        if self.stream.read_line(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.asked = false;
        Ok(answer.trim_end().to_owned())
    }
}

struct LineManager {
    server: SocketAddr,
}

impl Manager for LineManager {
    type Connection = Line;
    type Error = io::Error;

    async fn connect(&self) -> io::Result<Line> {
        let stream = TcpStream::connect(self.server).await?;
        Ok(Line {
            stream: BufStream::new(stream),
            asked: false,
        })
    }

    async fn check(&self, line: &mut Line) -> io::Result<()> {
        line.ask("are you there?").await.map(drop)
    }

    async fn recycle(&self, line: &mut Line) -> io::Result<()> {
        line.ask("forget me").await.map(drop)
    }

    fn on_release(&self, line: &mut Line) -> Verdict {
        if line.asked {
            Verdict::Discard
        } else {
            Verdict::Recycle
        }
    }

    async fn close(&self, mut line: Line) {
        // A connection whose answer is missing is only dropped. If the last line fails, nobody needs the error.
        if !line.asked {
            let _ = line.ask("goodbye").await;
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = shout_back().await?;
    let pool = Pool::builder(LineManager { server })
        .maxsize(2)
        // A server that does not answer must not delay the close of the pool for ever.
        .close_timeout(Duration::from_secs(1))
        .build()
        .await?;

    let mut line = pool.acquire().await?;
    assert_eq!(line.ask("hello").await?, "HELLO");

    // The answer to this question is not waited for, so the connection is discarded when it is released.
    let id = PooledConnection::id(&line);
    {
        let question = line.ask("think it over");
        let answer = timeout(Duration::from_millis(10), question).await;
        assert!(answer.is_err(), "thinking takes an hour");
    }
    drop(line);
    let mut line = pool.acquire().await?;
    assert_ne!(PooledConnection::id(&line), id);
    assert_eq!(line.ask("still fine?").await?, "STILL FINE?");
    drop(line);

    pool.close();
    pool.wait_closed().await?;
    println!("own manager ok: {}", pool.status());
    Ok(())
}

/// A server that answers every line in capitals. Before it answers a line that begins with `think`, it waits for an hour.
async fn shout_back() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut stream = BufStream::new(stream);
                let mut line = String::new();
                while stream
                    .read_line(&mut line)
                    .await
                    .is_ok_and(|bytes| bytes > 0)
                {
                    if line.starts_with("think") {
                        sleep(Duration::from_secs(3600)).await;
                    }
                    let answer = line.to_uppercase();
                    line.clear();
                    if stream.write_all(answer.as_bytes()).await.is_err()
                        || stream.flush().await.is_err()
                    {
                        return;
                    }
                }
            });
        }
    });
    Ok(address)
}
