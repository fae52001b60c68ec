//! The faults that the manager for the server in memory can have.

/// One way to get the manager wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    ConnectGivesADeadOne,
    ConnectIgnoresErrors,
    /// It gives a session that somebody has, if there is one.
    ConnectSharesASession,
    /// It does so only if there are three.
    ConnectSharesInACrowd,
    CheckAlwaysSaysOk,
    CheckTrustsASilentServer,
    CheckBlocksOnASilentServer,
    CheckRefusesEverything,
    RecycleCleansNothing,
    RecycleForgetsToCleanNowAndThen,
    RecycleLeaksNowAndThen,
    RecycleHangsOnBroken,
    RecycleIgnoresErrors,
    ReleaseReusesDirty,
    ReleaseReusesLost,
    ReleaseWaits,
    CloseLeaksTheSession,
    CloseBlocksOnBroken,
    /// If the close of a used connection is dropped half-way, its session stays.
    DroppedCloseLeavesUsed,
    /// If the close of a used connection is dropped half-way, the manager never connects again.
    DroppedCloseBlocksConnects,
    DropLeaksTheSession,
    /// It does so while its thread unwinds.
    DropLeaksInAPanic,
    /// It does so if the connection was aborted while no command was under way.
    DropLeaksIfAborted,
    AbortDoesNothing,
    AbortWaits,
    /// It panics and does nothing else.
    AbortPanicsAtFirst,
    /// It panics after it has aborted the connection.
    AbortPanicsAtLast,
    IdleLimitIsZero,
    NeverSaysThatItWasUsed,
    ClassifySaysFatal,
    ValidateRefuses,
    EchoBreaksConnections,
    /// If the step is dropped half-way, its session stays.
    DroppedHalfWayLeaves(Step),
    /// The step wakes the task that polled it first, also if another one polls it by then.
    WakesTheFirstTask(Step),
    /// While the server is silent, the step blocks its thread for longer than its deadline.
    BlocksForAWhile(Step),
    /// The method panics when the server is not as it should be, and the small ones at each call.
    Panics(Method),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Connect,
    Check,
    Recycle,
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Connect,
    Check,
    Recycle,
    OnRelease,
    Close,
    AbortHandle,
    IdleLimit,
    Classify,
    Validate,
    SetEcho,
}
