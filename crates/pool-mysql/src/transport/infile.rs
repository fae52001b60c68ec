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

use crate::error::closed_because::ClosedBecause;
use crate::error::local_infile::InfileRefused;
use crate::transport::abort::Signal;
use crate::transport::connector::Connector;
use crate::transport::io_runtime::{Blocking, blocking};

/// How much is read and sent at a time, in bytes. It is well below the packet limit of any server.
const CHUNK: usize = 64 * 1024;

/// The local files of one connection.
pub(crate) struct Infile {
    connector: Arc<Connector>,
    offer: Mutex<Offer>,
}

#[derive(Default)]
struct Offer {
    /// Bytes for the next request, whatever file it names.
    given: Option<Bytes>,
    /// Aborts the connection whose command reads a file that cannot be read to its end.
    signal: Option<Arc<Signal>>,
}

impl Infile {
    pub(crate) fn new(connector: Arc<Connector>) -> Arc<Self> {
        Arc::new(Self {
            connector,
            offer: Mutex::default(),
        })
    }

    /// Sets the signal of the connection that these files belong to.
    pub(crate) fn belongs_to(&self, signal: &Arc<Signal>) {
        let old = self.offer().signal.replace(Arc::clone(signal));
        drop(old);
    }

    /// Gives these bytes to the next request.
    pub(crate) fn give(&self, bytes: Bytes) {
        let old = self.offer().given.replace(bytes);
        drop(old);
    }

    /// Takes back the bytes that no request has asked for; returns whether there were any.
    pub(crate) fn take_back(&self) -> bool {
        let left = self.take_given();
        left.is_some()
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
        if let Some(bytes) = self.take_given() {
            return Box::pin(std::future::ready(Ok(
                Box::pin(GivenBytes(bytes)) as InfileData
            )));
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

    fn take_given(&self) -> Option<Bytes> {
        self.offer().given.take()
    }

    /// The lock is released before any code of somebody else runs: the owner of bytes may have a `Drop`, and an abort wakes
    /// a task.
    fn offer(&self) -> MutexGuard<'_, Offer> {
        self.offer.lock().unwrap_or_else(PoisonError::into_inner)
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
struct GivenBytes(Bytes);

impl Stream for GivenBytes {
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
                let signal = self.infile.offer().signal.clone();
                if let Some(signal) = signal {
                    signal.abort(ClosedBecause::LocalFileFailed);
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Wake, Waker};

    use futures::StreamExt;
    use futures::executor::block_on;

    use super::*;
    use crate::ConnectOptions;
    use crate::transport::io_runtime::poll_once;

    fn infile() -> Arc<Infile> {
        Infile::new(Connector::new(ConnectOptions::new()).expect("usable options"))
    }

    /// Foreign code that notes whether it could take the lock of an `Infile`.
    struct Foreign {
        infile: Arc<Infile>,
        was_free: Arc<AtomicBool>,
    }

    impl Foreign {
        fn new(infile: &Arc<Infile>) -> (Self, Arc<AtomicBool>) {
            let was_free = Arc::new(AtomicBool::new(false));
            let foreign = Self {
                infile: Arc::clone(infile),
                was_free: Arc::clone(&was_free),
            };
            (foreign, was_free)
        }

        fn look(&self) {
            let is_free = self.infile.offer.try_lock().is_ok();
            self.was_free.store(is_free, Ordering::SeqCst);
        }
    }

    impl Wake for Foreign {
        fn wake(self: Arc<Self>) {
            self.look();
        }
    }

    /// The owner of the bytes that a user gives.
    struct Owner(Foreign);

    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            b"1\n"
        }
    }

    impl Drop for Owner {
        fn drop(&mut self) {
            self.0.look();
        }
    }

    #[test]
    fn an_abort_after_a_file_that_cannot_be_read_wakes_outside_the_lock() {
        let infile = infile();
        let signal = Arc::default();
        infile.belongs_to(&signal);
        let (foreign, was_free) = Foreign::new(&infile);
        let waker = Waker::from(Arc::new(foreign));
        let mut command = std::pin::pin!(signal.guard(std::future::pending::<()>()));
        let polled = command.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        let path = std::env::temp_dir().join(format!("pool-mysql-infile-{}", std::process::id()));
        // A file that is open for writing cannot be read.
        let file = File::create(&path).expect("a file");
        let mut data = FileData::new(file, path.clone(), Arc::clone(&infile));
        let error = block_on(data.next()).expect("an item");
        std::fs::remove_file(path).expect("the file");
        assert!(error.is_err() && signal.is_aborted());
        assert!(
            was_free.load(Ordering::SeqCst),
            "the waker ran under the lock"
        );
    }

    #[test]
    fn bytes_that_are_not_sent_are_dropped_outside_the_lock() {
        let infile = infile();
        let (foreign, was_free) = Foreign::new(&infile);
        infile.give(Bytes::from_owner(Owner(foreign)));
        let (replacing, replacing_was_free) = Foreign::new(&infile);
        infile.give(Bytes::from_owner(Owner(replacing)));
        assert!(was_free.load(Ordering::SeqCst), "replaced under the lock");
        assert!(infile.take_back());
        assert!(
            replacing_was_free.load(Ordering::SeqCst),
            "taken back under the lock"
        );
    }

    #[test]
    fn given_bytes_answer_one_request_whatever_it_names() {
        let infile = infile();
        infile.give(Bytes::from_static(b"1\n"));
        let data = poll_once(Arc::clone(&infile).answer(b"any name"));
        let mut data = data.expect("an answer at once").expect("the bytes");
        let chunk = block_on(data.next()).expect("a chunk");
        assert_eq!(chunk.expect("bytes"), Bytes::from_static(b"1\n"));
        assert!(!infile.take_back());
        let refused = poll_once(Arc::clone(&infile).answer(b"any name"));
        assert!(refused.expect("an answer at once").is_err());
    }
}
