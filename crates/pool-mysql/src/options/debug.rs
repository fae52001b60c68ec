//! The `Debug` form of the options: everything but secrets.

use std::fmt;

use super::ConnectOptions;

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("host", &self.host_name())
            .field("port", &self.port_number())
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| Hidden))
            .field("credentials", &self.credentials.as_ref().map(|_| Hidden))
            .field("db", &self.db)
            .field("unix_socket", &self.unix_socket)
            .field("charset", &self.charset)
            .field("sql_mode", &self.sql_mode)
            // The statement may contain a secret.
            .field("init_command", &self.init_command.as_ref().map(|_| Hidden))
            .field("command_timeout", &self.command_timeout)
            .field("connect_timeout", &self.connect_limit())
            .field("autocommit", &self.autocommit)
            .field("echo", &self.echo)
            .field("program_name", &self.program_name)
            .field("client_flag", &self.client_flag)
            .field("auth_plugin", &self.auth_plugin)
            .field("enable_cleartext_plugin", &self.enable_cleartext_plugin)
            .field("ssl_mode", &self.ssl.mode())
            .field("ssl_ca", &self.ssl.ca)
            .field("ssl_cert", &self.ssl.cert)
            .field("ssl_key", &self.ssl.key)
            .field(
                "ssl_cert_password",
                &self.ssl.cert_password.as_ref().map(|_| Hidden),
            )
            .field("read_default_file", &self.read_default_file)
            .field("read_default_group", &self.read_default_group)
            .field("local_infile_paths", &self.local_infile_paths)
            .field("reset_policy", &self.reset_policy)
            .field("kill_on_cancel", &self.kill_on_cancel)
            .field("io_runtime", &self.io_runtime)
            .field("tcp_keepalive", &self.tcp_keepalive)
            .field("tcp_nodelay", &self.tcp_nodelay)
            .field("statement_cache_size", &self.statement_cache_size)
            .finish()
    }
}

struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_hidden_but_its_presence_is_not() {
        let options = ConnectOptions::new()
            .password("s3cret")
            .ssl_cert_password("s3cret");
        let shown = format!("{options:?} {options:#?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("password: Some(***)"), "{shown}");
        let none = format!("{:?}", ConnectOptions::new().password(""));
        assert!(none.contains("password: None"), "{none}");
    }

    #[test]
    fn the_init_command_is_hidden() {
        let options = ConnectOptions::new().init_command("SET @token = 'abc'");
        assert!(!format!("{options:?}").contains("abc"));
    }
}
