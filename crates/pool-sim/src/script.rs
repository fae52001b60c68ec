//! What a run does, as data and as text.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// Everything that decides a run.
///
/// Its text has one line for the settings, one for the outcomes of each method of the manager, and the operations. Lines
/// that begin with `#` are comments.
///
/// ```text
/// set maxsize=2 minsize=1 acquire_timeout=500
/// connect: ok gate err
/// recycle: pend:2
/// acquire 0; poll 0; poll 0; drop_guard 0
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The pool and its surroundings.
    pub settings: Settings,
    /// What the calls of `connect` do, in order. Later calls succeed; the same holds for the other methods.
    pub connect: Vec<Outcome>,
    /// What the calls of `check` do.
    pub check: Vec<Outcome>,
    /// What the calls of `recycle` do.
    pub recycle: Vec<Outcome>,
    /// What the calls of `close` do.
    pub close: Vec<Outcome>,
    /// Whether the drops of connections panic: `panic`, or anything else.
    pub dropping: Vec<Outcome>,
    /// What the calls of `on_release` do: `ok` is recycle, `reuse`, `discard`, or a panic.
    pub on_release: Vec<Outcome>,
    /// The operations.
    pub ops: Vec<Op>,
}

/// How the runtime of the pool runs tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spawner {
    /// It runs them.
    #[default]
    Runs,
    /// It cannot run any.
    None,
    /// It refuses after this many.
    RefusesAfter(u16),
}

macro_rules! settings {
    ($($(#[$docs:meta])* $name:ident = $default:expr,)*) => {
        /// The pool and its surroundings. All times are in milliseconds; 0 is off.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Settings {
            /// How the runtime runs tasks.
            pub spawner: Spawner,
            $($(#[$docs])* pub $name: u16,)*
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { spawner: Spawner::default(), $($name: $default,)* }
            }
        }

        impl Settings {
            /// The numbers with their names.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name),)*];

            pub(crate) fn number(&mut self, name: &str) -> Option<&mut u16> {
                match name {
                    $(stringify!($name) => Some(&mut self.$name),)*
                    _ => None,
                }
            }
        }
    };
}

settings! {
    /// `Builder::minsize`.
    minsize = 0,
    /// `Builder::maxsize`; 0 is unlimited.
    maxsize = 1,
    /// `Builder::pool_recycle`.
    pool_recycle = 0,
    /// 1: built with `build_lazy`; 0: with `build`, which a call to `poll` drives as any other verb.
    lazy = 1,
    /// `Builder::acquire_timeout`.
    acquire_timeout = 0,
    /// `Builder::connect_timeout`.
    connect_timeout = 0,
    /// `Builder::check_timeout`.
    check_timeout = 0,
    /// `Builder::recycle_timeout`.
    recycle_timeout = 0,
    /// `Builder::close_timeout`.
    close_timeout = 0,
    /// 1: idle connections are handed out last in, first out.
    lifo = 0,
    /// 0: never; 1: always; more: idle for so many milliseconds.
    check_policy = 0,
    /// 1: with background upkeep.
    upkeep = 1,
    /// `Manager::idle_limit`.
    idle_limit = 0,
    /// 1: connections have an abort handle; 2: it panics.
    abort_handles = 0,
    /// 1: the timer holds its lock while it wakes, and calls of the runtime from there are an error.
    one_lock = 0,
    /// 1: the manager's methods call the pool.
    reenter = 0,
    /// 1: whenever somebody is served, all who came before it are polled, and must be done.
    order = 0,
}

/// What a call of a method of the manager does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeds at its first poll. For `on_release`: recycle.
    Ok,
    /// It fails at its first poll. For `on_release`: discard.
    Err,
    /// It panics at its first poll, or in `on_release`.
    Panic,
    /// It panics before it returns its future.
    PanicInCall,
    /// It wakes itself so many times and succeeds then.
    Pend(u16),
    /// It succeeds after so many milliseconds.
    Delay(u16),
    /// It waits until a gate is opened, and succeeds.
    Gate,
    /// It waits until a gate is opened, and fails.
    GateErr,
    /// It waits until a gate is opened, and panics.
    GatePanic,
    /// For `on_release`: the connection is clean. Elsewhere it succeeds.
    Reuse,
    /// For `on_release`: the connection is to be discarded. Elsewhere it fails.
    Discard,
}

macro_rules! verbs {
    ($($(#[$docs:meta])* $name:ident = $text:literal,)*) => {
        /// What an operation does. The number beside it chooses among what there is, or is a time in milliseconds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Verb {
            $($(#[$docs])* $name,)*
        }

        impl Verb {
            /// All verbs.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in the text of a script.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

verbs! {
    /// Starts an `acquire`, with a time-out of its own if the number is not 0.
    Acquire = "acquire",
    /// `try_acquire`.
    TryAcquire = "try_acquire",
    /// Starts a `fill`.
    Fill = "fill",
    /// Starts a `clear`.
    Clear = "clear",
    /// Starts a `wait_closed`.
    WaitClosed = "wait_closed",
    /// Starts an awaited release of a guard.
    AwaitRelease = "await_release",
    /// Polls one of the futures that were woken.
    Poll = "poll",
    /// Polls any future, woken or not.
    PollAny = "poll_any",
    /// Drops a future.
    Drop = "drop",
    /// The wakers of a future poll it at once, from now on.
    Inline = "inline",
    /// Polls one of the background tasks that were woken.
    Background = "background",
    /// The runtime drops one of its tasks.
    DropBackground = "drop_background",
    /// The runtime drops all its tasks and takes no more.
    Die = "die",
    /// Drops a guard.
    DropGuard = "drop_guard",
    /// `Pool::release`.
    Release = "release",
    /// `PooledConnection::detach`.
    Detach = "detach",
    /// `PooledConnection::discard`.
    Discard = "discard",
    /// Drops a guard while its thread unwinds.
    Unwind = "unwind",
    /// Breaks a connection, held or idle.
    Break = "break",
    /// Opens a gate: a step that waits at it goes on.
    OpenGate = "open_gate",
    /// Lets time pass; no timer strikes.
    Advance = "advance",
    /// One of the timers that are due strikes.
    Strike = "strike",
    /// `close`.
    Close = "close",
    /// `terminate`.
    Terminate = "terminate",
    /// Clones a handle.
    CloneHandle = "clone_handle",
    /// Drops a handle.
    DropHandle = "drop_handle",
    /// Runs everything that can run, and checks what must hold then.
    Settle = "settle",
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// What is done.
    pub verb: Verb,
    /// To which of several, or for how long.
    pub number: u16,
}

/// A text that is not a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    word: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a script has no {:?}", self.word)
    }
}

impl Error for ScriptError {}

fn unknown(word: &str) -> ScriptError {
    ScriptError { word: word.into() }
}

impl Script {
    pub(crate) fn tapes(&self) -> [(&'static str, &Vec<Outcome>); 6] {
        [
            ("connect", &self.connect),
            ("check", &self.check),
            ("recycle", &self.recycle),
            ("close", &self.close),
            ("dropping", &self.dropping),
            ("on_release", &self.on_release),
        ]
    }

    pub(crate) fn tape(&mut self, name: &str) -> Option<&mut Vec<Outcome>> {
        match name {
            "connect" => Some(&mut self.connect),
            "check" => Some(&mut self.check),
            "recycle" => Some(&mut self.recycle),
            "close" => Some(&mut self.close),
            "dropping" => Some(&mut self.dropping),
            "on_release" => Some(&mut self.on_release),
            _ => None,
        }
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set")?;
        match self.settings.spawner {
            Spawner::Runs => {}
            Spawner::None => write!(f, " spawner=none")?,
            Spawner::RefusesAfter(tasks) => write!(f, " spawner={tasks}")?,
        }
        let (mut all, mut usual) = (self.settings.clone(), Settings::default());
        for name in Settings::NAMES {
            let value = all.number(name).map(|value| *value);
            if value != usual.number(name).map(|value| *value) {
                write!(f, " {name}={}", value.unwrap_or_default())?;
            }
        }
        writeln!(f)?;
        for (name, tape) in self.tapes() {
            if !tape.is_empty() {
                write!(f, "{name}:")?;
                for outcome in tape {
                    write!(f, " {outcome}")?;
                }
                writeln!(f)?;
            }
        }
        for (index, op) in self.ops.iter().enumerate() {
            let separator = match index {
                0 => "",
                _ if index % 8 == 0 => ";\n",
                _ => "; ",
            };
            write!(f, "{separator}{} {}", op.verb.name(), op.number)?;
        }
        writeln!(f)
    }
}

impl FromStr for Script {
    type Err = ScriptError;

    fn from_str(text: &str) -> Result<Self, ScriptError> {
        let mut script = Self::default();
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            let first = words.next().unwrap_or_default();
            if first == "set" {
                words.try_for_each(|word| script.settings.read(word))?;
            } else if let Some(name) = first.strip_suffix(':') {
                let tape = script.tape(name).ok_or_else(|| unknown(first))?;
                for word in words {
                    tape.push(word.parse()?);
                }
            } else {
                let ops = line.split(';').map(str::trim).filter(|op| !op.is_empty());
                for op in ops {
                    script.ops.push(op.parse()?);
                }
            }
        }
        Ok(script)
    }
}

impl Settings {
    fn read(&mut self, word: &str) -> Result<(), ScriptError> {
        let (name, value) = word.split_once('=').ok_or_else(|| unknown(word))?;
        if name == "spawner" {
            self.spawner = match value {
                "none" => Spawner::None,
                tasks => Spawner::RefusesAfter(tasks.parse().map_err(|_| unknown(word))?),
            };
            return Ok(());
        }
        let number = value.parse().map_err(|_| unknown(word))?;
        *self.number(name).ok_or_else(|| unknown(word))? = number;
        Ok(())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            Self::Err => f.write_str("err"),
            Self::Panic => f.write_str("panic"),
            Self::PanicInCall => f.write_str("panic_in_call"),
            Self::Pend(times) => write!(f, "pend:{times}"),
            Self::Delay(time) => write!(f, "delay:{time}"),
            Self::Gate => f.write_str("gate"),
            Self::GateErr => f.write_str("gate_err"),
            Self::GatePanic => f.write_str("gate_panic"),
            Self::Reuse => f.write_str("reuse"),
            Self::Discard => f.write_str("discard"),
        }
    }
}

impl FromStr for Outcome {
    type Err = ScriptError;

    fn from_str(text: &str) -> Result<Self, ScriptError> {
        let (name, number) = text.split_once(':').unwrap_or((text, "0"));
        let number = number.parse().map_err(|_| unknown(text))?;
        Ok(match name {
            "ok" => Self::Ok,
            "err" => Self::Err,
            "panic" => Self::Panic,
            "panic_in_call" => Self::PanicInCall,
            "pend" => Self::Pend(number),
            "delay" => Self::Delay(number),
            "gate" => Self::Gate,
            "gate_err" => Self::GateErr,
            "gate_panic" => Self::GatePanic,
            "reuse" => Self::Reuse,
            "discard" => Self::Discard,
            _ => return Err(unknown(text)),
        })
    }
}

impl FromStr for Op {
    type Err = ScriptError;

    fn from_str(text: &str) -> Result<Self, ScriptError> {
        let (name, number) = text.split_once(' ').unwrap_or((text, "0"));
        let verb = Verb::ALL.iter().find(|verb| verb.name() == name);
        Ok(Self {
            verb: *verb.ok_or_else(|| unknown(text))?,
            number: number.trim().parse().map_err(|_| unknown(text))?,
        })
    }
}
