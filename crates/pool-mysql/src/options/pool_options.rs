//! The options of connections and of their pool in one value, which a URL or a configuration file gives.

use std::time::Duration;

use pool_core::{Builder, CheckPolicy, ConfigError, IdleOrder, Manager};

use super::ConnectOptions;
use super::keys::{self, Form};
use super::values::Value;

/// The options of connections and of their pool in one value, which a URL or a configuration file gives.
///
/// A setting that is not given is as in [`create_pool`](crate::create_pool). With the feature `serde` it can be deserialized from one
/// flat map: the names are those of the methods of [`ConnectOptions`] and of the pool's builder.
///
/// # Examples
///
/// ```
/// use pool_mysql::PoolOptions;
///
/// let options = PoolOptions::from_url("mysql://root@127.0.0.1/mysql?maxsize=20&acquire_timeout=5s")?;
/// let pool = options.builder().minsize(0).build_lazy()?;
/// assert_eq!(pool.maxsize(), 20);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "options do nothing until a pool is built from them"]
pub struct PoolOptions {
    pub(super) connect: ConnectOptions,
    minsize: Option<usize>,
    maxsize: Option<usize>,
    pool_recycle: Option<Option<Duration>>,
    acquire_timeout: Option<Option<Duration>>,
    check_timeout: Option<Option<Duration>>,
    recycle_timeout: Option<Option<Duration>>,
    close_timeout: Option<Option<Duration>>,
    idle_order: Option<IdleOrder>,
    check_policy: Option<CheckPolicy>,
    upkeep: Option<bool>,
    name: Option<String>,
    slow_acquire_after: Option<Option<Duration>>,
    leak_warning_after: Option<Option<Duration>>,
}

impl PoolOptions {
    /// Reads a URL: as [`ConnectOptions::from_url`], with the settings of the pool among its parameters.
    ///
    /// These are `minsize`, `maxsize` (0 for unlimited), `pool_recycle`, `acquire_timeout`, `connect_timeout`,
    /// `check_timeout`, `recycle_timeout`, `close_timeout`, `idle_order` (`fifo` or `lifo`), `check_policy` (`never`,
    /// `always`, or the idle time after which a connection is checked), `upkeep`, `name`, `slow_acquire_after` and
    /// `leak_warning_after`. Times are seconds or have a unit (`500ms`, `30s`, `5m`), `none` is no limit, or no warning.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the part of the URL that cannot be used, and says what to do. It never shows the password.
    pub fn from_url(url: &str) -> Result<Self, ConfigError> {
        let mut settings = Self::default();
        let connect = ConnectOptions::from_url_with(url, |key, value| {
            match settings.set_by_name(key, value)? {
                Some(_) => Err(keys::unknown(Form::Url, key, true)),
                None => Ok(()),
            }
        })?;
        Ok(Self {
            connect,
            ..settings
        })
    }

    /// The options of its connections.
    pub fn connect_options(&self) -> &ConnectOptions {
        &self.connect
    }

    /// Sets the settings that were given; the others stay as they are.
    pub(crate) fn apply_to<M: Manager>(&self, builder: Builder<M>) -> Builder<M> {
        let mut builder = builder;
        if let Some(minsize) = self.minsize {
            builder = builder.minsize(minsize);
        }
        if let Some(maxsize) = self.maxsize {
            builder = builder.maxsize(maxsize);
        }
        if let Some(after) = self.pool_recycle {
            builder = builder.pool_recycle(after);
        }
        if let Some(limit) = self.acquire_timeout {
            builder = builder.acquire_timeout(limit);
        }
        if let Some(limit) = self.check_timeout {
            builder = builder.check_timeout(limit);
        }
        if let Some(limit) = self.recycle_timeout {
            builder = builder.recycle_timeout(limit);
        }
        if let Some(limit) = self.close_timeout {
            builder = builder.close_timeout(limit);
        }
        if let Some(order) = self.idle_order {
            builder = builder.idle_order(order);
        }
        if let Some(policy) = self.check_policy {
            builder = builder.check_policy(policy);
        }
        if let Some(on) = self.upkeep {
            builder = builder.upkeep(on);
        }
        if let Some(name) = &self.name {
            builder = builder.name(name.as_str());
        }
        if let Some(after) = self.slow_acquire_after {
            builder = builder.slow_acquire_after(after);
        }
        if let Some(after) = self.leak_warning_after {
            builder = builder.leak_warning_after(after);
        }
        builder
    }

    /// Sets a setting of the pool by its name. A value whose name is no setting's is given back.
    pub(super) fn set_by_name(
        &mut self,
        key: &str,
        value: Value,
    ) -> Result<Option<Value>, ConfigError> {
        let plain = keys::plain(key);
        let key = plain.as_str();
        match key {
            "minsize" => self.minsize = Some(value.whole(key)?),
            "maxsize" => self.maxsize = Some(value.whole(key)?),
            "pool_recycle" => self.pool_recycle = Some(value.duration(key)?),
            "acquire_timeout" => self.acquire_timeout = Some(value.duration(key)?),
            "check_timeout" => self.check_timeout = Some(value.duration(key)?),
            "recycle_timeout" => self.recycle_timeout = Some(value.duration(key)?),
            "close_timeout" => self.close_timeout = Some(value.duration(key)?),
            "idle_order" => {
                let words = [("fifo", IdleOrder::Fifo), ("lifo", IdleOrder::Lifo)];
                self.idle_order = Some(value.one_of(key, &words)?);
            }
            "check_policy" => self.check_policy = Some(check_policy(key, value)?),
            "upkeep" => self.upkeep = Some(value.switch(key)?),
            "name" => self.name = Some(name(key, value)?),
            "slow_acquire_after" => self.slow_acquire_after = Some(value.duration(key)?),
            "leak_warning_after" => self.leak_warning_after = Some(value.duration(key)?),
            _ => return Ok(Some(value)),
        }
        Ok(None)
    }
}

/// The options of connections, with the settings of their pool as [`create_pool`](crate::create_pool) leaves them.
impl From<ConnectOptions> for PoolOptions {
    fn from(connect: ConnectOptions) -> Self {
        Self {
            connect,
            ..Self::default()
        }
    }
}

/// The name stands in errors, events and metrics, so an empty one is a mistake.
fn name(key: &str, value: Value) -> Result<String, ConfigError> {
    let name = value.text(key)?;
    match name.trim().is_empty() {
        true => Err(ConfigError::new(
            key.to_owned(),
            "it is empty: give a name, or leave it away for `pool`",
        )),
        false => Ok(name),
    }
}

fn check_policy(key: &str, value: Value) -> Result<CheckPolicy, ConfigError> {
    let hint = |_| {
        ConfigError::new(
            key.to_owned(),
            "give never, always, or the idle time after which a connection is checked, such as 30s",
        )
    };
    match value {
        Value::Text(text) if text.eq_ignore_ascii_case("never") => Ok(CheckPolicy::Never),
        Value::Text(text) if text.eq_ignore_ascii_case("always") => Ok(CheckPolicy::Always),
        other => match other.duration(key).map_err(hint)? {
            Some(idle) => Ok(CheckPolicy::IdleFor(idle)),
            None => Ok(CheckPolicy::Never),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_read() {
        let url = "mysql://root@h/db?minsize=2&maxsize=0&pool_recycle=3600&acquire_timeout=1.5&check_timeout=500ms\
            &recycle_timeout=none&close_timeout=2s&idle_order=LIFO&check_policy=30s&upkeep=off&autocommit=false\
            &name=orders%20at%20night&slow_acquire_after=0.5&leak_warning_after=5m";
        let expected = PoolOptions {
            connect: ConnectOptions::new()
                .user("root")
                .host("h")
                .db("db")
                .autocommit(false),
            minsize: Some(2),
            maxsize: Some(0),
            pool_recycle: Some(Some(Duration::from_secs(3600))),
            acquire_timeout: Some(Some(Duration::from_millis(1500))),
            check_timeout: Some(Some(Duration::from_millis(500))),
            recycle_timeout: Some(None),
            close_timeout: Some(Some(Duration::from_secs(2))),
            idle_order: Some(IdleOrder::Lifo),
            check_policy: Some(CheckPolicy::IdleFor(Duration::from_secs(30))),
            upkeep: Some(false),
            name: Some("orders at night".into()),
            slow_acquire_after: Some(Some(Duration::from_millis(500))),
            leak_warning_after: Some(Some(Duration::from_secs(300))),
        };
        assert_eq!(PoolOptions::from_url(url), Ok(expected));
    }

    #[test]
    fn a_setting_that_is_not_given_is_left_to_the_builder() {
        let expected = PoolOptions {
            connect: ConnectOptions::new().host("h"),
            ..PoolOptions::default()
        };
        assert_eq!(PoolOptions::from_url("mysql://h"), Ok(expected));
    }

    #[test]
    fn aiomysqls_minus_one_switches_recycling_off() {
        let settings = PoolOptions::from_url("mysql://h?pool_recycle=-1").unwrap();
        assert_eq!(settings.pool_recycle, Some(None));
    }

    #[test]
    fn the_check_policy_has_its_own_values() {
        let policy = |word: &str| {
            let url = format!("mysql://h?check_policy={word}");
            PoolOptions::from_url(&url).map(|settings| settings.check_policy)
        };
        assert_eq!(policy("never"), Ok(Some(CheckPolicy::Never)));
        assert_eq!(policy("Always"), Ok(Some(CheckPolicy::Always)));
        assert_eq!(policy("none"), Ok(Some(CheckPolicy::Never)));
        let error = policy("sometimes").unwrap_err();
        assert!(error.message().contains("never, always"), "{error}");
    }

    #[test]
    fn bad_settings_are_named() {
        for (url, message) in [
            (
                "mysql://h?minsize=-1",
                "minsize: `-1` cannot be used: give a whole number that is not negative, and not too large",
            ),
            (
                "mysql://h?max_size=3",
                "max_size: no such parameter; did you mean maxsize?",
            ),
            (
                "mysql://h?name=%20",
                "name: it is empty: give a name, or leave it away for `pool`",
            ),
            (
                "mysql://h?slow_aquire_after=1",
                "slow_aquire_after: no such parameter; did you mean slow_acquire_after?",
            ),
            (
                "mysql://h?pool_recicle=3",
                "pool_recicle: no such parameter; did you mean pool_recycle?",
            ),
        ] {
            let error = PoolOptions::from_url(url).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
