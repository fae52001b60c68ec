//! Starts the process and waits until it takes connections.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::ServerError;
use crate::folder::Folder;
use crate::process::Process;
use crate::program::{Brand, Program};
use crate::template::{init_statements, messages_of, option};

/// How long a server may take to start. It takes well under a second; a machine busy with builds takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The pause between two looks at a starting server.
const LOOK: Duration = Duration::from_millis(5);

/// What MariaDB and MySQL write into their log when they listen on the socket and on the port, and have run the init
/// file.
///
/// The log belongs to this server alone. A client that asked for a greeting instead would leave a session that the
/// server still counts for a moment after the client has gone, and the first user of a server with a small
/// `max_connections` could be refused.
const READY: &str = ": ready for connections.";

/// Small and quick. Killing the process stays safe, for the system keeps what was written; only losing the machine is
/// not. `loose`: a version that does not know one of them starts all the same.
const SMALL: [&str; 17] = [
    "--loose-innodb-buffer-pool-size=8M",
    "--loose-innodb-log-buffer-size=2M",
    "--loose-innodb-flush-method=nosync",
    "--loose-innodb-flush-log-at-trx-commit=2",
    "--loose-innodb-doublewrite=0",
    "--loose-innodb-fast-shutdown=2",
    "--loose-innodb-buffer-pool-dump-at-shutdown=0",
    "--loose-innodb-buffer-pool-load-at-startup=0",
    "--loose-innodb-read-io-threads=1",
    "--loose-innodb-write-io-threads=2",
    "--loose-key-buffer-size=64K",
    "--loose-performance-schema=0",
    "--loose-table-open-cache=200",
    "--open-files-limit=1024",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--bind-address=127.0.0.1",
];

/// How one attempt to start ended.
pub(crate) enum Launched {
    /// The server takes connections.
    Ready(Process),
    /// Somebody else listens on the port.
    PortTaken,
}

/// Starts the program once and returns when it takes connections on the unix socket and on the port. `spawned` hears
/// the process number as soon as there is one.
pub(crate) fn launch(
    program: &Program,
    folder: &Folder,
    port: u16,
    options: &[String],
    spawned: impl FnOnce(u32),
) -> Result<Launched, ServerError> {
    remove_leftovers(folder);
    let log = folder.log();
    let cannot_log = || ServerError::io(format!("write {}", log.display()));
    let output = File::options()
        .create(true)
        .append(true)
        .open(&log)
        .map_err(cannot_log())?;
    let log_start = output.metadata().map_err(cannot_log())?.len();
    let errors = output.try_clone().map_err(cannot_log())?;
    let mut command = Command::new(&program.path);
    command
        .args(arguments(program, folder, port)?)
        .args(options)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        // Ctrl-C in the terminal is for the owner, who may want to say goodbye first.
        .process_group(0);
    let mut process = Process::spawn(&mut command)
        .map_err(ServerError::io(format!("run {}", program.path.display())))?;
    spawned(process.pid());
    let start = Instant::now();
    loop {
        let said = read_log(&log, log_start);
        if let Some(status) = process.ended() {
            let said = read_log(&log, log_start);
            if said.contains("Address already in use") {
                return Ok(Launched::PortTaken);
            }
            return Err(ServerError::Died {
                status,
                log: tail(&said),
            });
        }
        if said.contains(READY) {
            return Ok(Launched::Ready(process));
        }
        if start.elapsed() > PATIENCE {
            return Err(ServerError::TimedOut {
                after: PATIENCE,
                log: tail(&said),
            });
        }
        thread::sleep(LOOK);
    }
}

/// Removes what a killed server leaves: Oracle's refuses to start when the number in the old lock file is in use again.
fn remove_leftovers(folder: &Folder) {
    let socket = folder.socket();
    for leftover in [
        socket.with_added_extension("lock"),
        socket,
        folder.pid_file(),
    ] {
        // Mostly there is none.
        let _ = fs::remove_file(leftover);
    }
}

/// Everything a server is told, before the options of whoever starts it.
fn arguments(program: &Program, folder: &Folder, port: u16) -> Result<Vec<String>, ServerError> {
    let mut all = vec!["--no-defaults".to_owned()];
    if folder.uid() == 0 {
        all.push("--user=root".to_owned());
    }
    all.push(option("--datadir", &folder.data()));
    all.push(option("--socket", &folder.socket()));
    all.push(option("--pid-file", &folder.pid_file()));
    all.push(option("--tmpdir", &folder.tmp()));
    all.push(format!("--port={port}"));
    all.extend(SMALL.map(str::to_owned));
    match program.brand {
        Brand::MariaDb => {
            all.push("--loose-innodb-log-file-size=4M".to_owned());
            all.push("--loose-aria-pagecache-buffer-size=1M".to_owned());
            all.extend(messages_of(&program.share()?.0));
        }
        Brand::MySql => {
            all.push("--mysqlx=OFF".to_owned());
            // Its default is a folder that only the package of the service makes.
            all.push("--secure-file-priv=".to_owned());
            all.push("--loose-innodb-redo-log-capacity=8M".to_owned());
        }
    }
    if let Some(statements) = init_statements(program.brand) {
        let path = folder.init_file();
        fs::write(&path, statements)
            .map_err(ServerError::io(format!("write {}", path.display())))?;
        all.push(option("--init-file", &path));
    }
    Ok(all)
}

/// What a log says from byte `start` on.
pub(crate) fn read_log(path: &Path, start: u64) -> String {
    match fs::read(path) {
        Ok(bytes) => {
            String::from_utf8_lossy(bytes.get(start as usize..).unwrap_or_default()).into_owned()
        }
        Err(error) => format!("(the log cannot be read: {error})"),
    }
}

/// The last lines of what a log says.
pub(crate) fn tail(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
