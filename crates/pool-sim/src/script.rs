//! What a run does, as data.

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
    /// What the calls of the interceptors do, at all points.
    pub intercept: Vec<Outcome>,
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
    /// So many polls of a future in a row have the same waker, as with most executors; the next one has a new one.
    polls_per_waker = 1,
    /// 1: the pool has the manager in a `BoxManager`.
    boxed = 0,
    /// 1: an observer checks that the events are a legal history; 2: another one panics at each of them.
    observed = 0,
    /// `Builder::slow_acquire_after`.
    slow_acquire_after = 0,
    /// `Builder::leak_warning_after`.
    leak_warning_after = 0,
    /// 1: each acquire has a label; 2: its task has one.
    labels = 0,
    /// `Builder::max_connecting`; 0 is unlimited.
    max_connecting = 0,
    /// `Builder::connect_retry`.
    connect_retry = 0,
    /// `Builder::start_policy`, where `lazy` is 0. 0: fail fast; 1: degraded; 2: lazy.
    start_policy = 0,
    /// 1: one interceptor; 2: two; 3: one that wants neither each hand-out nor each return.
    interceptors = 0,
    /// `Builder::max_waiters`, plus 1.
    max_waiters = 0,
    /// `Builder::reserved`; at most maxsize less 1.
    reserved = 0,
    /// The target of `Builder::shedding`; its interval is twice as long.
    shedding = 0,
    /// 1: the shedding is a dry run.
    dry_run = 0,
    /// `Builder::max_lifetime`.
    max_lifetime = 0,
    /// `Builder::max_lifetime_jitter`, where there is a `max_lifetime`. 0: the default; 1: none; 2: as long as that.
    jitter = 0,
    /// `Builder::max_uses`; 0 is unlimited.
    max_uses = 0,
    /// `Builder::idle_timeout`.
    idle_timeout = 0,
    /// `Builder::min_idle`; at most maxsize.
    min_idle = 0,
    /// `Builder::max_idle`, plus 1; not less than minsize and `min_idle`.
    max_idle = 0,
    /// `Builder::keepalive`.
    keepalive = 0,
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
    /// The same with a high priority.
    AcquireHigh = "acquire_high",
    /// The same with a low priority.
    AcquireLow = "acquire_low",
    /// `try_acquire`.
    TryAcquire = "try_acquire",
    /// Starts a `ping`.
    Ping = "ping",
    /// Starts a `fill`.
    Fill = "fill",
    /// Starts a `clear`.
    Clear = "clear",
    /// Starts a `clear_all`.
    ClearAll = "clear_all",
    /// `recycle_all` within so many milliseconds.
    RecycleAll = "recycle_all",
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
    /// Polls any background task, woken or not.
    BackgroundAny = "background_any",
    /// The wakers of a background task poll it at once, from now on.
    InlineBackground = "inline_background",
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
    /// Starts a `shutdown` within so many milliseconds.
    Shutdown = "shutdown",
    /// Starts to wait until the pool begins to close: with an odd number, by a guard.
    Closing = "closing",
    /// `suspend`.
    Suspend = "suspend",
    /// `resume`.
    Resume = "resume",
    /// `resize`.
    Resize = "resize",
    /// `reconfigure`: the number chooses the settings and their values.
    Reconfigure = "reconfigure",
    /// Starts a `run`: with an odd number, its work sends something at once.
    Run = "run",
    /// `retain`: of all idle connections every third one goes, from the number on.
    Retain = "retain",
    /// `add`.
    Add = "add",
    /// Clones a handle, with an odd number through a weak one.
    CloneHandle = "clone_handle",
    /// Drops a handle.
    DropHandle = "drop_handle",
    /// Runs everything that can run, and checks what must hold then.
    Settle = "settle",
    /// The same, and time goes on from timer to timer for longer than a step may take. No gate is opened.
    Outlast = "outlast",
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// What is done.
    pub verb: Verb,
    /// To which of several, or for how long.
    pub number: u16,
}

impl Settings {
    /// Whether interceptors want each hand-out and each return.
    pub(crate) fn intercepts(&self) -> bool {
        matches!(self.interceptors, 1 | 2)
    }

    /// How many places are for those of high priority only.
    pub(crate) fn reserved_places(&self) -> usize {
        usize::from(self.reserved.min(self.maxsize.saturating_sub(1)))
    }

    /// So many connections may be held before only those of high priority are served.
    pub(crate) fn quota(&self) -> usize {
        match self.reserved_places() {
            0 => usize::MAX,
            reserved => usize::from(self.maxsize) - reserved,
        }
    }
}

impl Script {
    pub(crate) fn tapes(&self) -> [(&'static str, &Vec<Outcome>); 7] {
        [
            ("connect", &self.connect),
            ("check", &self.check),
            ("recycle", &self.recycle),
            ("close", &self.close),
            ("dropping", &self.dropping),
            ("on_release", &self.on_release),
            ("intercept", &self.intercept),
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
            "intercept" => Some(&mut self.intercept),
            _ => None,
        }
    }
}
