//! The settings of a pool by name, as a URL or a configuration file gives them.

use std::time::Duration;

use pool_core::{Builder, CheckPolicy, ConfigError, IdleOrder, Manager, Shedding, StartPolicy};

use super::values::Value;

/// One setting, with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PoolSetting {
    Minsize(usize),
    Maxsize(usize),
    PoolRecycle(Option<Duration>),
    AcquireTimeout(Option<Duration>),
    CheckTimeout(Option<Duration>),
    RecycleTimeout(Option<Duration>),
    CloseTimeout(Option<Duration>),
    IdleOrder(IdleOrder),
    CheckPolicy(CheckPolicy),
    Upkeep(bool),
    Name(String),
    SlowAcquireAfter(Option<Duration>),
    LeakWarningAfter(Option<Duration>),
    MaxConnecting(Option<usize>),
    ConnectRetry(Option<Duration>),
    StartPolicy(StartPolicy),
    MaxWaiters(Option<usize>),
    Reserved(usize),
    MaxLifetime(Option<Duration>),
    MaxLifetimeJitter(Option<Duration>),
    MaxUses(Option<u64>),
    IdleTimeout(Option<Duration>),
    MinIdle(usize),
    MaxIdle(Option<usize>),
    Keepalive(Option<Duration>),
    Shedding(Option<Shedding>),
}

/// The names of all settings, in alphabetical order.
pub(super) const POOL_KEYS: &[&str] = &[
    "acquire_timeout",
    "check_policy",
    "check_timeout",
    "close_timeout",
    "connect_retry",
    "idle_order",
    "idle_timeout",
    "keepalive",
    "leak_warning_after",
    "max_connecting",
    "max_idle",
    "max_lifetime",
    "max_lifetime_jitter",
    "max_uses",
    "max_waiters",
    "maxsize",
    "min_idle",
    "minsize",
    "name",
    "pool_recycle",
    "recycle_timeout",
    "reserved",
    "shedding",
    "slow_acquire_after",
    "start_policy",
    "upkeep",
];

const IDLE_ORDERS: &[(&str, IdleOrder)] = &[("fifo", IdleOrder::Fifo), ("lifo", IdleOrder::Lifo)];

const START_POLICIES: &[(&str, StartPolicy)] = &[
    ("fail_fast", StartPolicy::FailFast),
    ("degraded", StartPolicy::Degraded),
    ("lazy", StartPolicy::Lazy),
];

impl PoolSetting {
    /// Reads the setting with this name. A value whose name is no setting's is given back.
    pub(super) fn read(key: &str, value: Value) -> Result<Result<Self, Value>, ConfigError> {
        Ok(Ok(match key {
            "minsize" => Self::Minsize(value.whole(key)?),
            "maxsize" => Self::Maxsize(value.whole(key)?),
            "pool_recycle" => Self::PoolRecycle(value.duration(key)?),
            "acquire_timeout" => Self::AcquireTimeout(value.duration(key)?),
            "check_timeout" => Self::CheckTimeout(value.duration(key)?),
            "recycle_timeout" => Self::RecycleTimeout(value.duration(key)?),
            "close_timeout" => Self::CloseTimeout(value.duration(key)?),
            "idle_order" => Self::IdleOrder(value.one_of(key, IDLE_ORDERS)?),
            "check_policy" => Self::CheckPolicy(check_policy(key, value)?),
            "upkeep" => Self::Upkeep(value.switch(key)?),
            "name" => Self::Name(name(key, value)?),
            "slow_acquire_after" => Self::SlowAcquireAfter(value.duration(key)?),
            "leak_warning_after" => Self::LeakWarningAfter(value.duration(key)?),
            "max_connecting" => Self::MaxConnecting(value.whole_or_none(key)?),
            "connect_retry" => Self::ConnectRetry(value.duration(key)?),
            "start_policy" => Self::StartPolicy(value.one_of(key, START_POLICIES)?),
            "max_waiters" => Self::MaxWaiters(value.whole_or_none(key)?),
            "reserved" => Self::Reserved(value.whole(key)?),
            "max_lifetime" => Self::MaxLifetime(value.duration(key)?),
            "max_lifetime_jitter" => Self::MaxLifetimeJitter(value.duration(key)?),
            "max_uses" => Self::MaxUses(value.whole_or_none(key)?),
            "idle_timeout" => Self::IdleTimeout(value.duration(key)?),
            "min_idle" => Self::MinIdle(value.whole(key)?),
            "max_idle" => Self::MaxIdle(value.whole_or_none(key)?),
            "keepalive" => Self::Keepalive(value.duration(key)?),
            "shedding" => Self::Shedding(shedding(key, value)?),
            _ => return Ok(Err(value)),
        }))
    }

    /// Gives the setting to the builder of a pool.
    pub(super) fn apply_to<M: Manager>(self, builder: Builder<M>) -> Builder<M> {
        match self {
            Self::Minsize(connections) => builder.minsize(connections),
            Self::Maxsize(connections) => builder.maxsize(connections),
            Self::PoolRecycle(after) => builder.pool_recycle(after),
            Self::AcquireTimeout(limit) => builder.acquire_timeout(limit),
            Self::CheckTimeout(limit) => builder.check_timeout(limit),
            Self::RecycleTimeout(limit) => builder.recycle_timeout(limit),
            Self::CloseTimeout(limit) => builder.close_timeout(limit),
            Self::IdleOrder(order) => builder.idle_order(order),
            Self::CheckPolicy(policy) => builder.check_policy(policy),
            Self::Upkeep(on) => builder.upkeep(on),
            Self::Name(name) => builder.name(name),
            Self::SlowAcquireAfter(after) => builder.slow_acquire_after(after),
            Self::LeakWarningAfter(after) => builder.leak_warning_after(after),
            Self::MaxConnecting(connects) => builder.max_connecting(connects),
            Self::ConnectRetry(within) => builder.connect_retry(within),
            Self::StartPolicy(policy) => builder.start_policy(policy),
            Self::MaxWaiters(waiters) => builder.max_waiters(waiters),
            Self::Reserved(places) => builder.reserved(places),
            Self::MaxLifetime(limit) => builder.max_lifetime(limit),
            Self::MaxLifetimeJitter(most) => builder.max_lifetime_jitter(most),
            Self::MaxUses(uses) => builder.max_uses(uses),
            Self::IdleTimeout(limit) => builder.idle_timeout(limit),
            Self::MinIdle(connections) => builder.min_idle(connections),
            Self::MaxIdle(connections) => builder.max_idle(connections),
            Self::Keepalive(silence) => builder.keepalive(silence),
            Self::Shedding(shedding) => builder.shedding(shedding),
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

/// The target and the interval, such as `50ms,1s`, and `dry_run` behind them.
fn shedding(key: &str, value: Value) -> Result<Option<Shedding>, ConfigError> {
    let hint = || {
        ConfigError::new(
            key.to_owned(),
            "give a target and an interval such as 50ms,1s, with dry_run behind them to refuse nobody, or none",
        )
    };
    let text = value.text(key).map_err(|_| hint())?;
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let time = |part: &str| {
        let time = Value::Text(part.to_owned()).duration(key);
        time.ok().flatten().ok_or_else(hint)
    };
    match parts[..] {
        [none] if none.eq_ignore_ascii_case("none") => Ok(None),
        [target, interval] => Ok(Some(Shedding::new(time(target)?, time(interval)?))),
        [target, interval, word] if word.eq_ignore_ascii_case("dry_run") => {
            let shedding = Shedding::new(time(target)?, time(interval)?);
            Ok(Some(shedding.dry_run(true)))
        }
        _ => Err(hint()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shedding_has_a_target_and_an_interval() {
        let read = |text: &str| match PoolSetting::read("shedding", Value::Text(text.into())) {
            Ok(Ok(PoolSetting::Shedding(shedding))) => shedding,
            Ok(_) => panic!("{text:?} is another setting"),
            Err(error) => panic!("{error}"),
        };
        let (target, interval) = (Duration::from_millis(50), Duration::from_secs(1));
        let shedding = Shedding::new(target, interval);
        assert_eq!(read("50ms, 1s"), Some(shedding));
        assert_eq!(read("0.05,1,dry_run"), Some(shedding.dry_run(true)));
        assert_eq!(read("none"), None);
        for text in ["50ms", "50ms,none", "50ms,1s,wet", "a,b", ""] {
            let read = PoolSetting::read("shedding", Value::Text(text.into()));
            let error = read.err().expect(text);
            assert_eq!(error.field(), "shedding");
            assert!(error.message().contains("50ms,1s"), "{error}");
        }
    }

    #[test]
    fn the_names_are_in_order_and_each_is_read() {
        assert!(POOL_KEYS.is_sorted());
        for key in POOL_KEYS {
            let read = ["1", "on", "fifo", "lazy", "1,1"]
                .into_iter()
                .find_map(|word| PoolSetting::read(key, Value::Text(word.into())).ok());
            assert!(matches!(read, Some(Ok(_))), "{key}");
        }
        let other = PoolSetting::read("host", Value::Text("h".into()));
        assert!(matches!(other, Ok(Err(_))));
    }
}
