//! The options of connections and of their pool in one value, which a URL or a configuration file gives.

use std::collections::BTreeMap;

use pool_core::{Builder, ConfigError, Manager};

use super::ConnectOptions;
use super::keys::{self, Form};
use super::pool_setting::PoolSetting;
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
    /// By name; what is not here is left to the builder.
    settings: BTreeMap<String, PoolSetting>,
}

impl PoolOptions {
    /// Reads a URL: as [`ConnectOptions::from_url`], with the settings of the pool among its parameters.
    ///
    /// These are `minsize`, `maxsize` (0 for unlimited), `pool_recycle`, `acquire_timeout`, `connect_timeout`,
    /// `check_timeout`, `recycle_timeout`, `close_timeout`, `idle_order` (`fifo` or `lifo`), `check_policy` (`never`,
    /// `always`, or the idle time after which a connection is checked), `upkeep`, `name`, `slow_acquire_after`,
    /// `leak_warning_after`, `max_connecting`, `connect_retry`, `start_policy` (`fail_fast`, `degraded` or `lazy`),
    /// `max_waiters`, `reserved`, `shedding` (a target and an interval such as `50ms,1s`, and `,dry_run`), `max_lifetime`,
    /// `max_lifetime_jitter`, `max_uses`, `idle_timeout`, `min_idle`, `max_idle` and `keepalive`.
    /// Times are seconds or have a unit (`500ms`, `30s`, `5m`); `none` is no limit, or no warning.
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
        let settings = self.settings.values().cloned();
        settings.fold(builder, |builder, setting| setting.apply_to(builder))
    }

    /// Sets a setting of the pool by its name. A value whose name is no setting's is given back.
    pub(super) fn set_by_name(
        &mut self,
        key: &str,
        value: Value,
    ) -> Result<Option<Value>, ConfigError> {
        let name = keys::plain(key);
        match PoolSetting::read(&name, value)? {
            Ok(setting) => {
                self.settings.insert(name, setting);
                Ok(None)
            }
            Err(other) => Ok(Some(other)),
        }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pool_core::{CheckPolicy, IdleOrder, Shedding, StartPolicy};

    use super::super::pool_setting::POOL_KEYS;
    use super::*;

    #[test]
    fn every_setting_is_read() {
        let url = "mysql://root@h/db?minsize=2&maxsize=0&pool_recycle=3600&acquire_timeout=1.5&check_timeout=500ms\
            &recycle_timeout=none&close_timeout=2s&idle_order=LIFO&check_policy=30s&upkeep=off&autocommit=false\
            &name=orders%20at%20night&slow_acquire_after=0.5&leak_warning_after=5m\
            &max_connecting=4&connect_retry=none&start_policy=degraded&max_waiters=100\
            &reserved=1&max_lifetime=30m&max_lifetime_jitter=60&max_uses=1000&idle_timeout=none&min_idle=1\
            &max_idle=5&keepalive=2m&shedding=50ms,1s";
        let seconds = Duration::from_secs;
        let settings = [
            PoolSetting::AcquireTimeout(Some(Duration::from_millis(1500))),
            PoolSetting::CheckPolicy(CheckPolicy::IdleFor(seconds(30))),
            PoolSetting::CheckTimeout(Some(Duration::from_millis(500))),
            PoolSetting::CloseTimeout(Some(seconds(2))),
            PoolSetting::ConnectRetry(None),
            PoolSetting::IdleOrder(IdleOrder::Lifo),
            PoolSetting::IdleTimeout(None),
            PoolSetting::Keepalive(Some(seconds(120))),
            PoolSetting::LeakWarningAfter(Some(seconds(300))),
            PoolSetting::MaxConnecting(Some(4)),
            PoolSetting::MaxIdle(Some(5)),
            PoolSetting::MaxLifetime(Some(seconds(1800))),
            PoolSetting::MaxLifetimeJitter(Some(seconds(60))),
            PoolSetting::MaxUses(Some(1000)),
            PoolSetting::MaxWaiters(Some(100)),
            PoolSetting::Maxsize(0),
            PoolSetting::MinIdle(1),
            PoolSetting::Minsize(2),
            PoolSetting::Name("orders at night".into()),
            PoolSetting::PoolRecycle(Some(seconds(3600))),
            PoolSetting::RecycleTimeout(None),
            PoolSetting::Reserved(1),
            PoolSetting::Shedding(Some(Shedding::new(Duration::from_millis(50), seconds(1)))),
            PoolSetting::SlowAcquireAfter(Some(Duration::from_millis(500))),
            PoolSetting::StartPolicy(StartPolicy::Degraded),
            PoolSetting::Upkeep(false),
        ];
        let names = POOL_KEYS.iter().map(|name| (*name).to_owned());
        let expected = PoolOptions {
            connect: ConnectOptions::new()
                .user("root")
                .host("h")
                .db("db")
                .autocommit(false),
            settings: names.zip(settings).collect(),
        };
        assert_eq!(expected.settings.len(), POOL_KEYS.len());
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
        let setting = settings.settings.get("pool_recycle");
        assert_eq!(setting, Some(&PoolSetting::PoolRecycle(None)));
    }

    #[test]
    fn the_check_policy_has_its_own_values() {
        let policy = |word: &str| {
            let url = format!("mysql://h?check_policy={word}");
            PoolOptions::from_url(&url).map(|mut options| options.settings.remove("check_policy"))
        };
        let read = |policy| Ok(Some(PoolSetting::CheckPolicy(policy)));
        assert_eq!(policy("never"), read(CheckPolicy::Never));
        assert_eq!(policy("Always"), read(CheckPolicy::Always));
        assert_eq!(policy("none"), read(CheckPolicy::Never));
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
