//! The prepared data directory that every server starts from a copy of.

use std::fs::{self, DirBuilder, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::ServerError;
use crate::launch::{read_log, tail};
use crate::program::{Brand, Program};

/// The users and the database that every private server has. One statement a line, as a bootstrap wants it.
const ACCOUNTS: &str = "\
CREATE DATABASE IF NOT EXISTS test;
CREATE USER IF NOT EXISTS root@'127.0.0.1';
GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;
CREATE USER IF NOT EXISTS app@'%' IDENTIFIED BY 'app';
GRANT ALL ON test.* TO app@'%';
";

/// Removes what MariaDB's own files would let in besides.
const ONLY_OURS: &str = "\
DELETE FROM global_priv WHERE user = '' OR host NOT IN ('localhost', 'mariadb.sys');
DELETE FROM db WHERE user = '';
FLUSH PRIVILEGES;
";

/// What a server of this brand must be told at every start, because its template cannot hold it.
pub(crate) fn init_statements(brand: Brand) -> Option<&'static str> {
    match brand {
        Brand::MariaDb => None,
        // Oracle's program refuses account statements while it initialises.
        Brand::MySql => Some(ACCOUNTS),
    }
}

/// Copies the template for this program to `target`, preparing it first where it is not in the cache.
pub(crate) fn lay_out(
    program: &Program,
    cache: &Path,
    uid: u32,
    target: &Path,
) -> Result<(), ServerError> {
    let template = cache.join(name_of(program));
    if !template.is_dir() {
        prepare(program, uid, &template)?;
    }
    copy(&template, target).map_err(ServerError::io(format!(
        "copy {} to {}",
        template.display(),
        target.display()
    )))
}

/// Differs for every program, version and set of accounts, so that no server starts from what another prepared.
fn name_of(program: &Program) -> String {
    let mut hasher = DefaultHasher::new();
    (&program.path, ACCOUNTS, ONLY_OURS).hash(&mut hasher);
    format!("{}-{:016x}", program.version, hasher.finish())
}

/// Prepares the template beside its place and moves it there in one step. Processes that want it at once wait for one.
fn prepare(program: &Program, uid: u32, template: &Path) -> Result<(), ServerError> {
    let lock_path = template.with_added_extension("lock");
    let lock = File::create(&lock_path)
        .map_err(ServerError::io(format!("create {}", lock_path.display())))?;
    lock.lock()
        .map_err(ServerError::io(format!("lock {}", lock_path.display())))?;
    if template.is_dir() {
        return Ok(());
    }
    // Under the lock a folder of this name can only be what a killed process left behind.
    let building = template.with_added_extension("building");
    let remove = |path: &Path| match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ServerError::io(format!("remove {}", path.display()))(error))
        }
        _ => Ok(()),
    };
    remove(&building)?;
    let data = building.join("data");
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&data)
        .map_err(ServerError::io(format!("create {}", data.display())))?;
    bootstrap(program, uid, &building, &data)?;
    fs::rename(&data, template)
        .map_err(ServerError::io(format!("create {}", template.display())))?;
    remove(&building)
}

/// Has the program fill `data` with its system tables and our accounts.
fn bootstrap(program: &Program, uid: u32, building: &Path, data: &Path) -> Result<(), ServerError> {
    let mut command = Command::new(&program.path);
    command.arg("--no-defaults");
    if uid == 0 {
        command.arg("--user=root");
    }
    command.arg(option("--datadir", data)).stdin(Stdio::null());
    match program.brand {
        Brand::MariaDb => {
            let (share, prefix) = program.share()?;
            let sql = building.join("bootstrap.sql");
            fs::write(&sql, mariadb_statements(&share, prefix)?)
                .map_err(ServerError::io(format!("write {}", sql.display())))?;
            let input =
                File::open(&sql).map_err(ServerError::io(format!("read {}", sql.display())))?;
            command
                .args([
                    "--bootstrap",
                    "--silent-startup",
                    "--enforce-storage-engine=",
                ])
                .args(["--max-allowed-packet=8M", "--innodb-flush-method=nosync"])
                .arg("--innodb-log-file-size=4M")
                .args(messages_of(&share))
                .stdin(input);
        }
        Brand::MySql => {
            command.args([
                "--initialize-insecure",
                "--loose-innodb-redo-log-capacity=8M",
            ]);
        }
    }
    let log = building.join("bootstrap.log");
    let cannot_log = || ServerError::io(format!("write {}", log.display()));
    let output = File::create(&log).map_err(cannot_log())?;
    let errors = output.try_clone().map_err(cannot_log())?;
    let status = command
        .env("LC_ALL", "C")
        .stdout(output)
        .stderr(errors)
        .status()
        .map_err(ServerError::io(format!("run {}", program.path.display())))?;
    if !status.success() {
        let log = tail(&read_log(&log, 0));
        return Err(ServerError::Bootstrap { status, log });
    }
    Ok(())
}

/// All that MariaDB's bootstrap is to run: its own tables from the files it ships, then our accounts.
fn mariadb_statements(share: &Path, prefix: &str) -> Result<String, ServerError> {
    let mut all = String::from(
        "CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n",
    );
    for name in ["system_tables", "performance_tables", "system_tables_data"] {
        let path = share.join(format!("{prefix}_{name}.sql"));
        all += &fs::read_to_string(&path)
            .map_err(ServerError::io(format!("read {}", path.display())))?;
        all.push('\n');
    }
    Ok(all + ONLY_OURS + ACCOUNTS)
}

/// The option that names the folder of MariaDB's messages, where that folder holds them.
pub(crate) fn messages_of(share: &Path) -> Option<String> {
    share
        .join("english/errmsg.sys")
        .is_file()
        .then(|| option("--lc-messages-dir", share))
}

/// `--name=path`.
pub(crate) fn option(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

/// Copies a folder with all that is in it; files keep their permissions.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target: PathBuf = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
