//! Gets what `cargo xtask test --mysql` needs: Oracle's server, and MariaDB's plugin for ed25519.
//!
//! Debian has Oracle's server in its unstable release alone, and beside MariaDB's it cannot be installed: it is put
//! into a folder with a small system of its own, and runs from there with that system's libraries.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::install::{self, command};
use crate::root;
use crate::server_program::{is_on_path, means, must_run, output_of};
use crate::step;

/// The variables that lead the tests to both, and that spare the getting where they are set.
pub(crate) const MYSQL: &str = "PRIVATE_MYSQL_PROGRAM";
pub(crate) const PLUGINS: &str = "MARIADB_PLUGIN_FOLDER";

/// Where both are.
pub(crate) struct OtherServers {
    pub(crate) mysql: PathBuf,
    pub(crate) plugins: PathBuf,
}

/// Finds both, or gets them, saying each command before it runs.
pub(crate) fn ensure() -> Result<OtherServers, Failure> {
    let folder = root().join("target/other-servers");
    fs::create_dir_all(&folder)
        .map_err(Failure::while_doing(format!("create {}", folder.display())))?;
    let given = |variable| std::env::var_os(variable).map(PathBuf::from);
    Ok(OtherServers {
        mysql: match given(MYSQL) {
            Some(program) => program,
            None => mysql(&folder)?,
        },
        plugins: match given(PLUGINS) {
            Some(folder) => folder,
            None => plugins(&folder)?,
        },
    })
}

/// A script that runs Oracle's server.
fn mysql(folder: &Path) -> Result<PathBuf, Failure> {
    let script = folder.join("mysqld");
    if script.exists() {
        return Ok(script);
    }
    let means = means();
    let prefix = install::prefix(means)
        .map_err(|why| Failure::new(format!("Oracle's server is not here\n{why}")))?;
    if !is_on_path("debootstrap") && !Path::new("/usr/sbin/debootstrap").exists() {
        let plan = install::plan(means, &["debootstrap"]);
        let plan = plan.map_err(|why| Failure::new(why.to_string()))?;
        plan.iter().try_for_each(|words| must_run(words))?;
    }
    let system = folder.join("sid");
    let system_path = system.to_string_lossy();
    let mirror = mirror();
    let mut bootstrap = vec!["debootstrap", "--variant=minbase", "sid", &system_path];
    bootstrap.extend(mirror.as_deref());
    must_run(&[prefix, &bootstrap].concat())?;
    let install = [
        "chroot",
        &system_path,
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "install",
        "-y",
        "--no-install-recommends",
        "mysql-server-core",
    ];
    must_run(&[prefix, &install].concat())?;
    // The script is the sign that all before it went well: it is written last.
    fs::write(&script, script_text(&system))
        .and_then(|()| fs::set_permissions(&script, Permissions::from_mode(0o755)))
        .map_err(Failure::while_doing(format!("write {}", script.display())))?;
    Ok(script)
}

/// Where this machine gets Debian's packages from; nothing leaves that to debootstrap.
fn mirror() -> Option<String> {
    let sites = output_of(&[
        "apt-get",
        "indextargets",
        "--format",
        "$(SITE)",
        "Created-By: Packages",
        "Origin: Debian",
    ])?;
    let site = sites.lines().find(|site| !site.contains("security"));
    site.map(str::to_owned)
}

/// Oracle's server with the loader and the libraries of the system that it was built for.
fn script_text(system: &Path) -> String {
    let system = system.display();
    format!(
        "#!/bin/sh\nS='{system}'\n\
         exec \"$(ls \"$S\"/lib64/ld-linux-*.so.* \"$S\"/lib/ld-linux-*.so.* 2>/dev/null | head -n 1)\" \\\n  \
         --library-path \"$(echo \"$S\"/usr/lib/*-linux-gnu)\" \"$S/usr/sbin/mysqld\" \"$@\" \\\n  \
         --lc-messages-dir=\"$S/usr/share/mysql\" --character-sets-dir=\"$S/usr/share/mysql/charsets\"\n"
    )
}

/// The folder with MariaDB's plugins, from its package, which is unpacked and not installed.
fn plugins(folder: &Path) -> Result<PathBuf, Failure> {
    let unpacked = folder.join("mariadb-server");
    let plugins = unpacked.join("usr/lib/mysql/plugin");
    if plugins.join("auth_ed25519.so").exists() {
        return Ok(plugins);
    }
    let mut download = command(&["apt-get", "download", "mariadb-server"]);
    let status = step::run(download.current_dir(folder))?;
    if !status.success() {
        return Err(Failure::of_program(
            "`apt-get download mariadb-server`",
            status,
        ));
    }
    let is_package = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "deb");
    let package = fs::read_dir(folder)
        .map_err(Failure::while_doing(format!("read {}", folder.display())))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(is_package)
        .ok_or_else(|| Failure::new("apt-get has downloaded nothing"))?;
    let (package, unpacked) = (package.to_string_lossy(), unpacked.to_string_lossy());
    must_run(&["dpkg-deb", "-x", &package, &unpacked])?;
    match plugins.join("auth_ed25519.so").exists() {
        true => Ok(plugins),
        false => Err(Failure::new(format!("{package} holds no auth_ed25519.so"))),
    }
}
