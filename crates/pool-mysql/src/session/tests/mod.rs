//! Every purpose of a command, every kind of result: what becomes of the session.

mod model;
pub(super) mod panics;

use mysql_async::consts::StatusFlags;
use mysql_async::{Error, ServerError};

use self::model::{Booleans, ENDS, End, Model, purposes};
use crate::error::closed_because::ClosedBecause;
use crate::session::command::Purpose;
use crate::session::state::SessionState;
use crate::statement::text::StatementTraits;

/// Compares all that can be seen of a session with the model.
fn assert_same(state: &SessionState, model: &Model, story: &[String]) {
    let marker = Some(StatusFlags::SERVER_STATUS_METADATA_CHANGED);
    let flags = match model.no_ok_packet {
        true => model.before_prepare,
        false => marker,
    };
    let undone = model.conflict.filter(|_| model.undone);
    let why_not_commit = match state.why_not_commit() {
        Some(Error::Server(error)) => Some(error.code),
        Some(other) => panic!("{other:?}"),
        None => None,
    };
    let seen = (
        (state.is_busy(), state.is_used(), state.is_dirty()),
        (state.may_be_in_other_database(), state.owes_rollback()),
        (state.has_unended_work(), state.has_unread_rows()),
        (state.has_ok_packet(), state.status_flags(|| marker)),
        (state.form(), why_not_commit, state.may_repeat_transaction()),
    );
    let expected = (
        (model.busy, model.used, model.dirty),
        (model.elsewhere, model.rollback),
        (model.unended, model.streams),
        (!model.no_ok_packet, flags),
        (
            model.form,
            undone,
            (model.lost || model.undone) && !model.committed,
        ),
    );
    assert_eq!(seen, expected, "after {story:#?}");
}

/// Runs one command against both.
fn command(
    state: &mut SessionState,
    model: &mut Model,
    (purpose, booleans): (Purpose, Booleans),
    [rollback, end]: [End; 2],
    mut flags: Option<StatusFlags>,
) {
    let is_first = state.before(purpose, flags);
    assert_eq!(is_first, model.before(booleans, flags), "{purpose:?}");
    if is_first {
        match rollback.result() {
            Some(Ok(())) => {
                state.rolled_back();
                model.dirty = true;
                flags = Some(StatusFlags::SERVER_STATUS_AUTOCOMMIT);
            }
            Some(Err(error)) => {
                state.rollback_failed(&error);
                model.rollback = true;
                model.busy = !matches!(rollback, End::Refused(_));
                return;
            }
            None => return,
        }
    }
    if let Some(result) = end.result() {
        state.after(purpose, &result, flags);
        model.after(booleans, end, flags);
    }
}

/// A small generator of numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

const FLAGS: [Option<StatusFlags>; 3] = [
    None,
    Some(StatusFlags::SERVER_STATUS_AUTOCOMMIT),
    Some(StatusFlags::SERVER_STATUS_IN_TRANS),
];

#[test]
fn each_purpose_answers_as_its_booleans_did() {
    for (purpose, booleans) in purposes() {
        assert_eq!(Booleans::of(purpose), booleans, "{purpose:?}");
        assert_eq!(
            purpose.runs_something(),
            !(booleans.passive || booleans.is_prepare),
            "{purpose:?}"
        );
        assert_eq!(
            purpose.answer_has_no_flags(),
            booleans.is_prepare || booleans.is_answerless,
            "{purpose:?}"
        );
    }
}

#[test]
fn each_purpose_with_each_end_changes_a_session_as_its_booleans_did() {
    for pair in purposes() {
        for flags in FLAGS {
            for end in ENDS {
                for rollback in ENDS {
                    for owes_rollback in [false, true] {
                        let (mut state, mut model) = (SessionState::default(), Model::default());
                        state.transaction_begun();
                        model.set_transaction(true);
                        if owes_rollback {
                            state.transaction_dropped();
                            model.set_transaction(false);
                            model.rollback = true;
                        }
                        command(&mut state, &mut model, pair, [rollback, end], flags);
                        let story = [format!("{pair:?} {end:?} {rollback:?} {flags:?}")];
                        assert_same(&state, &model, &story);
                        assert_eq!(state.examine_answer(), model.unseen, "{story:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn long_sequences_change_a_session_as_the_booleans_did() {
    let purposes = purposes();
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    for _ in 0..4000 {
        let (mut state, mut model) = (SessionState::default(), Model::default());
        let mut story = Vec::new();
        for _ in 0..12 {
            let step = numbers.below(18);
            let end = ENDS[numbers.below(ENDS.len())];
            let flags = FLAGS[numbers.below(FLAGS.len())];
            let more = numbers.below(2) == 0;
            story.push(format!("{step} {end:?} {flags:?} {more}"));
            match step {
                0 => {
                    state.transaction_begun();
                    model.set_transaction(true);
                }
                1 => {
                    state.transaction_ending();
                    model.set_transaction(false);
                }
                2 => {
                    state.transaction_dropped();
                    model.set_transaction(false);
                    model.rollback = true;
                }
                3 => {
                    state.rollback_taken_over();
                    model.rollback = false;
                }
                4 => {
                    state.rows_begun(more);
                    model.streams = more;
                }
                5 => {
                    assert_eq!(state.before_rows(), model.form);
                    state.after_rows(end.result().as_ref(), more);
                    model.busy = matches!(end, End::Lost | End::Never);
                    model.streams = more;
                    model.failed(end);
                }
                6 => {
                    let left = std::mem::take(&mut model.streams);
                    assert_eq!(state.rows_left_behind(), left);
                }
                7 => {
                    let unseen = std::mem::take(&mut model.unseen);
                    assert_eq!(state.examine_answer(), unseen);
                    if unseen && more {
                        state.traces_found();
                        model.dirty = true;
                    }
                }
                8 => {
                    state.passed_on();
                    model.used = false;
                }
                9 => {
                    state.cleaned();
                    model.clean();
                }
                10 => {
                    state.look_at_transaction(flags);
                    model.look_at(flags);
                }
                _ => {
                    let pair = purposes[numbers.below(purposes.len())];
                    let rollback = ENDS[numbers.below(ENDS.len())];
                    story.push(format!("{pair:?} {rollback:?}"));
                    command(&mut state, &mut model, pair, [rollback, end], flags);
                }
            }
            assert_same(&state, &model, &story);
        }
    }
}

#[test]
fn a_command_without_an_end_keeps_the_session_busy() {
    for (purpose, _) in purposes() {
        let mut state = SessionState::default();
        assert!(!state.is_busy());
        let _ = state.before(purpose, None);
        assert!(state.is_busy(), "{purpose:?}");
    }
}

#[test]
fn an_answer_that_ends_the_session_keeps_it_busy_and_says_that_the_server_closed_it() {
    let error = |code| ServerError {
        code,
        message: "the server ends it".into(),
        state: "08S01".into(),
    };
    let answer = |code| Err::<(), _>(Error::Server(error(code)));
    let ended = |state: &SessionState| {
        state.is_busy() && state.ended_by() == Some(ClosedBecause::ServerClosed)
    };
    for code in [
        1053, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 2055, 3032, 3169, 4031,
    ] {
        for (purpose, _) in purposes() {
            let mut state = SessionState::default();
            let _ = state.before(purpose, None);
            state.after(purpose, &answer(code), None);
            assert!(ended(&state), "{code} {purpose:?}");
        }
        let mut state = SessionState::default();
        let _ = state.before_rows();
        state.after_rows(Some(&answer(code)), false);
        assert!(ended(&state), "{code} in the middle of rows");
        let mut state = SessionState::default();
        state.failed_later(&error(code));
        assert!(ended(&state), "{code} behind other results");
        let mut state = SessionState::default();
        state.transaction_dropped();
        let _ = state.before(Purpose::Ping, None);
        state.rollback_failed(&Error::Server(error(code)));
        assert!(ended(&state), "{code} for a rollback");
    }
    let mut state = SessionState::default();
    let _ = state.before(Purpose::Ping, None);
    state.after(Purpose::Ping, &answer(1064), None);
    assert!(!state.is_busy() && state.ended_by().is_none());
}

#[test]
fn a_rest_that_is_given_up_keeps_the_session_busy() {
    let mut state = SessionState::default();
    state.rows_begun(true);
    assert!(state.rows_left_behind());
    let _ = state.before_rows();
    state.after_rows(Some(&Ok(())), false);
    assert!(!state.is_busy());
    state.rows_given_up();
    assert!(state.is_busy());
}

#[test]
fn prepared_statements_are_forgotten_when_they_are_closed_and_when_the_session_is_cleaned() {
    let known = StatementTraits::of(b"SELECT 1", true);
    assert_ne!(known, StatementTraits::UNKNOWN);
    let mut state = SessionState::default();
    state.statement_prepared(1, known);
    state.statement_prepared(2, known);
    assert_eq!(state.prepared_traits(1), known);
    state.statement_closed(1);
    assert_eq!(state.prepared_traits(1), StatementTraits::UNKNOWN);
    assert_eq!(state.prepared_traits(2), known);
    state.cleaned();
    assert_eq!(state.prepared_traits(2), StatementTraits::UNKNOWN);
}
