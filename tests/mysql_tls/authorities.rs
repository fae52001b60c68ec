//! A certificate authority of a test's own, and servers with certificates by it.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Connection, SslMode, connect};
use private_server::PrivateServer;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use support::watchdog::{MINUTE, within};

/// A folder with an authority's certificate and those that it has signed; removed at its end.
pub(crate) struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("pool-mysql-tls-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, format!("authority {number}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.join("ca.pem"), certificate.pem()).unwrap();
        let issuer = Issuer::new(params, key);
        Self { folder, issuer }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// Signs a certificate `name.pem` with the key `name.key`.
    fn sign(&self, name: &str, mut params: CertificateParams, purpose: ExtendedKeyUsagePurpose) {
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(self.path(&format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    /// A server that has TLS with a certificate for these names, and takes nothing else.
    pub(crate) fn server(&self, names: &[&str], lifetime: Lifetime) -> Server {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        if let Lifetime::Over = lifetime {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2020, 12, 31);
        }
        self.sign("server", params, ExtendedKeyUsagePurpose::ServerAuth);
        let option = |name: &str, file: &str| format!("--{name}={}", self.path(file).display());
        let builder = PrivateServer::builder()
            .option(option("ssl-ca", "ca.pem"))
            .option(option("ssl-cert", "server.pem"))
            .option(option("ssl-key", "server.key"))
            .option("--require-secure-transport=ON")
            .option("--local-infile=1");
        Server(builder.start().expect("a server starts"))
    }

    /// The options for a client's own certificate.
    pub(crate) fn with_client_certificate(&self, options: ConnectOptions) -> ConnectOptions {
        let params = CertificateParams::new(Vec::new()).unwrap();
        self.sign("client", params, ExtendedKeyUsagePurpose::ClientAuth);
        let (cert, key) = (self.path("client.pem"), self.path("client.key"));
        match cfg!(feature = "rustls") {
            true => options.ssl_cert(cert).ssl_key(key),
            false => {
                let archive = self.path("client.p12");
                pack(&cert, &key, &archive);
                options.ssl_cert(archive).ssl_cert_password("archive's")
            }
        }
    }
}

impl Authority {
    /// Removes every file; a server that has started does not need them any more.
    #[allow(dead_code)]
    pub(crate) fn remove_files(&self) {
        for file in std::fs::read_dir(&self.folder).unwrap() {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// How long a certificate is good.
#[derive(Clone, Copy)]
pub(crate) enum Lifetime {
    Long,
    Over,
}

/// Packs a certificate and its key into an archive, as a user of native-tls does it.
fn pack(cert: &Path, key: &Path, archive: &Path) {
    let status = std::process::Command::new("openssl")
        .args(["pkcs12", "-export", "-passout", "pass:archive's", "-in"])
        .arg(cert)
        .arg("-inkey")
        .arg(key)
        .arg("-out")
        .arg(archive)
        .status()
        .expect("the program openssl");
    assert!(status.success());
}

pub(crate) struct Server(pub(crate) PrivateServer);

impl Server {
    /// Over TCP, at the address 127.0.0.1.
    pub(crate) fn tcp(&self) -> ConnectOptions {
        ConnectOptions::new()
            .host(self.0.host())
            .port(self.0.port())
            .user(self.0.user())
            .db("test")
    }

    pub(crate) fn with(&self, mode: SslMode) -> ConnectOptions {
        self.tcp().ssl_mode(mode)
    }

    /// As the one who may do everything, without TLS.
    pub(crate) async fn run(&self, statements: &[&str]) {
        let options = self.tcp().unix_socket(self.0.socket());
        let mut conn = connect(options).await.expect("a unix socket is safe");
        for statement in statements {
            conn.query_drop(*statement)
                .await
                .expect("the server takes it");
        }
    }
}

/// What the connection is encrypted with; nothing where it is not.
pub(crate) async fn cipher(conn: &mut Connection) -> String {
    let row: Option<(String, String)> = conn
        .query_first("SHOW STATUS LIKE 'Ssl_cipher'")
        .await
        .unwrap();
    row.expect("there is such a status").1
}

/// Runs a body on the bare executor, under a deadline.
pub(crate) fn test<F: Future<Output = ()>>(body: impl FnOnce() -> F + Send + 'static) {
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    within(MINUTE, &name, || futures::executor::block_on(body()));
}
