//! The server as its users see it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::cache;
use crate::error::ServerError;
use crate::folder::Folder;
use crate::launch::{Launched, launch};
use crate::port::Port;
use crate::process::Process;
use crate::program::{Program, find_server_program};
use crate::template;
use crate::watchdog::Watchdog;

/// How long a server may take to end in good order before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// How long a server that comes back waits for its port, should something have taken it meanwhile.
const PORT_PATIENCE: Duration = Duration::from_secs(10);

/// A running MariaDB or MySQL server of one's own.
///
/// Every method takes `&self`, so that one thread can pull the server from under another. Dropping it kills the server,
/// waits for its end and removes its folder.
#[derive(Debug)]
pub struct PrivateServer {
    // The order matters: fields are dropped from the top, and the server must be gone before its folder goes.
    running: Mutex<Running>,
    folder: Folder,
    port: Port,
    socket: PathBuf,
    program: Program,
    options: Vec<String>,
}

/// What changes while the server is stopped and started.
#[derive(Debug)]
struct Running {
    // Dropped in this order: the watchdog must outlive the process it guards.
    process: Option<Process>,
    watchdog: Watchdog,
}

/// Collects what a server is to be started with.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    program: Option<PathBuf>,
    options: Vec<String>,
}

impl Builder {
    /// Adds an option of the server program, such as `--wait-timeout=2`. It rules over the ones given by default.
    ///
    /// The port, the address, the socket and the folders are the server's own and must not be given.
    #[must_use]
    pub fn option(mut self, option: impl Into<String>) -> Self {
        self.options.push(option.into());
        self
    }

    /// Names the server program, instead of looking for one with [`find_server_program`].
    #[must_use]
    pub fn program(mut self, path: impl Into<PathBuf>) -> Self {
        self.program = Some(path.into());
        self
    }

    /// Starts the server and waits until it takes connections. It has no session then.
    ///
    /// # Errors
    ///
    /// [`ServerError::NotFound`] when there is no server program; otherwise what went wrong, with the end of the
    /// server's log.
    pub fn start(self) -> Result<PrivateServer, ServerError> {
        let path = self
            .program
            .or_else(find_server_program)
            .ok_or(ServerError::NotFound)?;
        let program = Program::ask(path)?;
        let folder = Folder::create()?;
        let mut watchdog = Watchdog::over(folder.path())?;
        let cache = cache::folder(folder.uid())?;
        template::lay_out(&program, &cache, folder.uid(), &folder.data())?;
        let mut tries_left = 20;
        let (port, process) = loop {
            let port = Port::reserve(&cache)?;
            match launch(&program, &folder, port.number(), &self.options, |pid| {
                watchdog.guard(Some(pid));
            })? {
                Launched::Ready(process) => break (port, process),
                Launched::PortTaken if tries_left > 0 => tries_left -= 1,
                Launched::PortTaken => {
                    return Err(ServerError::PortTaken {
                        port: port.number(),
                    });
                }
            }
        };
        Ok(PrivateServer {
            running: Mutex::new(Running {
                process: Some(process),
                watchdog,
            }),
            socket: folder.socket(),
            folder,
            port,
            program,
            options: self.options,
        })
    }
}

impl PrivateServer {
    /// Starts a server with default options.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::start`].
    pub fn start() -> Result<Self, ServerError> {
        Self::builder().start()
    }

    /// A server with options of its own.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// `mysql://root@127.0.0.1:PORT/mysql`.
    pub fn url(&self) -> String {
        format!(
            "mysql://{}@{}:{}/mysql",
            self.user(),
            self.host(),
            self.port()
        )
    }

    /// The address it listens on: `127.0.0.1`.
    pub fn host(&self) -> &str {
        "127.0.0.1"
    }

    /// Its port, the same for as long as this value lives.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The path of its unix socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The user who may do everything: `root`.
    pub fn user(&self) -> &str {
        "root"
    }

    /// The password of [`user`](Self::user): empty.
    pub fn password(&self) -> &str {
        ""
    }

    /// The file that all its messages go to.
    pub fn log(&self) -> PathBuf {
        self.folder.log()
    }

    /// The number of its process, or `None` while it is stopped.
    pub fn pid(&self) -> Option<u32> {
        self.lock().process.as_ref().map(Process::pid)
    }

    /// Ends the server in good order, as a shutdown would, and waits for it; kills it after 30 s. Its data stay.
    ///
    /// Does nothing when it is stopped already.
    pub fn stop(&self) {
        let mut running = self.lock();
        if let Some(mut process) = running.process.take() {
            if process.ended().is_none() {
                process.stop(STOP_PATIENCE);
            }
            running.watchdog.guard(None);
        }
    }

    /// Kills the server on the spot and waits for its end: a crash. Its data stay.
    ///
    /// Does nothing when it is stopped already.
    pub fn kill(&self) {
        let mut running = self.lock();
        drop(running.process.take());
        running.watchdog.guard(None);
    }

    /// Starts a stopped, killed or crashed server again, on its own data and its own port.
    ///
    /// # Errors
    ///
    /// [`ServerError::AlreadyRunning`] when it runs; otherwise those of [`Builder::start`].
    pub fn start_again(&self) -> Result<(), ServerError> {
        let mut running = self.lock();
        let Running { process, watchdog } = &mut *running;
        if process
            .as_mut()
            .is_some_and(|process| process.ended().is_none())
        {
            return Err(ServerError::AlreadyRunning);
        }
        *process = None;
        let start = Instant::now();
        loop {
            let port = self.port();
            match launch(&self.program, &self.folder, port, &self.options, |pid| {
                watchdog.guard(Some(pid));
            })? {
                Launched::Ready(ready) => {
                    *process = Some(ready);
                    return Ok(());
                }
                Launched::PortTaken if start.elapsed() < PORT_PATIENCE => {
                    thread::sleep(Duration::from_millis(100))
                }
                Launched::PortTaken => return Err(ServerError::PortTaken { port }),
            }
        }
    }

    /// [`stop`](Self::stop), then [`start_again`](Self::start_again).
    ///
    /// # Errors
    ///
    /// Those of [`Builder::start`].
    pub fn restart(&self) -> Result<(), ServerError> {
        self.stop();
        self.start_again()
    }

    /// Stops the process where it stands: connects still succeed, and nothing answers until [`resume`](Self::resume).
    ///
    /// # Panics
    ///
    /// When the server is not running.
    pub fn pause(&self) {
        self.lock().alive().pause();
    }

    /// Lets a paused server go on.
    ///
    /// # Panics
    ///
    /// When the server is not running.
    pub fn resume(&self) {
        self.lock().alive().resume();
    }

    /// A panic of another thread inside these few methods does not make the server unusable.
    fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// The process, which the caller says is there.
    fn alive(&mut self) -> &mut Process {
        let process = self.process.as_mut().expect("the server is not stopped");
        assert!(process.ended().is_none(), "the server has ended by itself");
        process
    }
}
