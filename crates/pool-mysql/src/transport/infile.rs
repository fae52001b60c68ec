//! Answers a server that asks for a local file: with bytes from the caller, with an allowed file, or with a refusal.

use std::collections::VecDeque;
use std::fs::File;
use std::future::Future;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use mysql_async::prelude::GlobalHandler;
use mysql_async::{InfileData, LocalInfileError};

use crate::error::local_infile::InfileRefused;
use crate::transport::abort::Signal;
use crate::transport::connector::Connector;
use crate::transport::io_runtime::{Blocking, blocking};

/// How much is read and sent at a time, in bytes; well below the packet that any server takes.
const CHUNK: usize = 64 * 1024;

/// The local files of one connection.
pub(crate) struct Infile {
    connector: Arc<Connector>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Bytes for the next request, whatever file it names.
    given: Option<Bytes>,
    /// Aborts the connection whose command reads a file that cannot be read to its end.
    signal: Option<Arc<Signal>>,
}

impl Infile {
    pub(crate) fn new(connector: Arc<Connector>) -> Arc<Self> {
        Arc::new(Self {
            connector,
            state: Mutex::default(),
        })
    }

    /// From now on it belongs to the connection with this signal.
    pub(crate) fn belongs_to(&self, signal: &Arc<Signal>) {
        self.state().signal = Some(Arc::clone(signal));
    }

    /// Gives these bytes to the next request.
    pub(crate) fn give(&self, bytes: Bytes) {
        self.state().given = Some(bytes);
    }

    /// Takes back the bytes that no request has asked for; returns whether there were any.
    pub(crate) fn take_back(&self) -> bool {
        self.state().given.take().is_some()
    }

    /// The handler that the driver calls.
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
        let allowed = &self.connector.options().local_infile_paths;
        let Some(path) = allowed.iter().find(|path| Some(*path) == asked.as_ref()) else {
            let refused = InfileRefused::NotAllowed(String::from_utf8_lossy(name).into_owned());
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

/// The name that the server sent, as a path of this system.
#[cfg(unix)]
fn path_of(name: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;

    Some(Path::new(std::ffi::OsStr::from_bytes(name)).to_owned())
}

#[cfg(not(unix))]
fn path_of(name: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(name).ok().map(PathBuf::from)
}

/// Opens a regular file. Anything else is refused: a pipe could keep the server waiting for ever.
fn open(path: &Path) -> io::Result<File> {
    match std::fs::metadata(path)?.is_file() {
        true => File::open(path),
        false => Err(io::Error::other(format!(
            "{} is no regular file",
            path.display()
        ))),
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

/// A file in chunks. Each chunk is read while the driver sends the one before.
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
                // After an error from this stream the driver ends the data in the normal way, and the server would commit the
                // half that it has. So the connection is aborted instead. The error is returned only if this stream is polled
                // again after the abort.
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
