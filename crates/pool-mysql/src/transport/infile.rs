//! What a server gets that asks for a local file: bytes of the caller's, a file that was allowed, or nothing.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::future::Future;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use mysql_async::prelude::{GlobalHandler, Queryable};
use mysql_async::{InfileData, LocalInfileError};

use crate::connection::Connection;
use crate::options::Blueprint;
use crate::transport::abort::Signal;
use crate::transport::io_runtime::{Blocking, blocking};

/// How much is read and sent at a time, in bytes; well below the packet that any server takes.
const CHUNK: usize = 64 * 1024;

/// What one connection has for its server.
pub(crate) struct Infile {
    blueprint: Arc<Blueprint>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// For the next request, whatever file it names.
    given: Option<Bytes>,
    /// Ends the command of a file that cannot be read to its end.
    signal: Option<Arc<Signal>>,
}

impl Infile {
    pub(crate) fn new(blueprint: Arc<Blueprint>) -> Arc<Self> {
        Arc::new(Self {
            blueprint,
            state: Mutex::default(),
        })
    }

    /// From now on it belongs to the connection with this signal.
    pub(crate) fn belongs_to(&self, signal: &Arc<Signal>) {
        self.state().signal = Some(Arc::clone(signal));
    }

    /// The driver's way to ask.
    pub(crate) fn handler(self: &Arc<Self>) -> impl GlobalHandler + use<> {
        let infile = Arc::clone(self);
        move |name: &[u8]| Arc::clone(&infile).answer(name)
    }

    fn answer(
        self: Arc<Self>,
        name: &[u8],
    ) -> Pin<Box<dyn Future<Output = Result<InfileData, LocalInfileError>> + Send>> {
        if let Some(bytes) = self.state().given.take() {
            return Box::pin(std::future::ready(Ok(Box::pin(Given(bytes)) as InfileData)));
        }
        let asked = path_of(name);
        let allowed = &self.blueprint.options.local_infile_paths;
        let Some(path) = allowed.iter().find(|path| Some(*path) == asked.as_ref()) else {
            let refused = Refused::NotAllowed(String::from_utf8_lossy(name).into_owned());
            return Box::pin(std::future::ready(Err(LocalInfileError::other(refused))));
        };
        let path = path.clone();
        Box::pin(async move {
            let opening = path.clone();
            let file = blocking(move || open(&opening)).await??;
            Ok(Box::pin(FileData::new(file, path, self)) as InfileData)
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server's word for a file as a path of this system.
#[cfg(unix)]
fn path_of(name: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;

    Some(Path::new(std::ffi::OsStr::from_bytes(name)).to_owned())
}

#[cfg(not(unix))]
fn path_of(name: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(name).ok().map(PathBuf::from)
}

/// Opens a file that can be read to an end: a pipe could keep the server waiting for ever.
fn open(path: &Path) -> io::Result<File> {
    match std::fs::metadata(path)?.is_file() {
        true => File::open(path),
        false => Err(io::Error::other(format!(
            "{} is no regular file",
            path.display()
        ))),
    }
}

impl Connection {
    /// Runs a `LOAD DATA LOCAL INFILE` statement on these bytes instead of a file, and returns how many rows came in.
    ///
    /// The name in the statement does not matter; no file is looked at.
    ///
    /// # Errors
    ///
    /// When the server refuses, the connection is closed, or the statement asks for no local file.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection; a transactional table then has none of the rows.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// let rows = conn
    ///     .load_local("LOAD DATA LOCAL INFILE 'memory' INTO TABLE t", "1\tone\n2\ttwo\n")
    ///     .await?;
    /// assert_eq!(rows, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn load_local(
        &mut self,
        sql: &str,
        data: impl Into<Bytes>,
    ) -> mysql_async::Result<u64> {
        self.infile.state().given = Some(data.into());
        let command = self.statement(sql.as_bytes(), None);
        let sql = sql.to_owned();
        let result = self
            .run(command, |conn| {
                Box::pin(async move {
                    conn.query_drop(sql).await?;
                    Ok(conn.affected_rows())
                })
            })
            .await;
        let was_left = self.infile.state().given.take().is_some();
        match result {
            Ok(_) if was_left => Err(LocalInfileError::other(Refused::NotAsked).into()),
            result => result,
        }
    }
}

/// Bytes in chunks.
struct Given(Bytes);

impl Stream for Given {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let length = self.0.len().min(CHUNK);
        Poll::Ready((length > 0).then(|| Ok(self.0.split_to(length))))
    }
}

/// A file in chunks, each read while the one before is sent.
struct FileData {
    reading: Option<Blocking<io::Result<(File, Bytes)>>>,
    path: PathBuf,
    infile: Arc<Infile>,
    failure: VecDeque<io::Error>,
}

impl FileData {
    fn new(file: File, path: PathBuf, infile: Arc<Infile>) -> Self {
        Self {
            reading: Some(blocking(move || read(file))),
            path,
            infile,
            failure: VecDeque::new(),
        }
    }
}

impl Stream for FileData {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(error) = self.failure.pop_front() {
            return Poll::Ready(Some(Err(error)));
        }
        let Some(reading) = &mut self.reading else {
            return Poll::Ready(None);
        };
        let result = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        match result.and_then(|result| result) {
            Ok((_, chunk)) if chunk.is_empty() => Poll::Ready(None),
            Ok((file, chunk)) => {
                self.reading = Some(blocking(move || read(file)));
                Poll::Ready(Some(Ok(chunk)))
            }
            Err(error) => {
                // The driver ends the data where it hears an error, and the server would commit the half that it has. An
                // abort ends the connection instead; only where nobody heeds that, the driver hears of it.
                tracing::warn!(path = %self.path.display(), %error, "a local file could not be read to its end");
                self.failure.push_back(error);
                if let Some(signal) = &self.infile.state().signal {
                    signal.abort();
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

/// The next bytes; none at the end.
fn read(mut file: File) -> io::Result<(File, Bytes)> {
    let mut chunk = Vec::with_capacity(CHUNK);
    (&mut file).take(CHUNK as u64).read_to_end(&mut chunk)?;
    Ok((file, chunk.into()))
}

/// Whether it was we who said this, about a statement that was carried out.
pub(crate) fn was_not_asked_for(error: &LocalInfileError) -> bool {
    match error {
        LocalInfileError::OtherError(error) => {
            matches!(error.downcast_ref(), Some(Refused::NotAsked))
        }
        _ => false,
    }
}

/// Why nothing was sent.
#[derive(Debug)]
enum Refused {
    NotAllowed(String),
    NotAsked,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed(name) => write!(
                f,
                "the server asked for the local file {name:?}, which is not among local_infile_paths"
            ),
            Self::NotAsked => f.write_str(
                "the statement asked for no local file: it must say LOAD DATA LOCAL INFILE",
            ),
        }
    }
}

impl std::error::Error for Refused {}
