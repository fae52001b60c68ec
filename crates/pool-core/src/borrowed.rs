//! Who holds a connection, or wants one.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::labelled::{self, Task};
use crate::words::Rounded;

/// A connection that somebody holds; see [`Pool::borrowed`](crate::Pool::borrowed). Its `Display` is one line.
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// # use pool_core::Pool;
/// # futures_lite::future::block_on(async {
/// let pool = Pool::builder(Numbers).build().await?;
/// let conn = pool.acquire().label("checkout").await?;
///
/// let borrowed = pool.borrowed();
/// assert_eq!(borrowed.len(), 1);
/// assert_eq!(borrowed[0].label(), Some("checkout"));
/// assert_eq!(borrowed[0].place().line(), line!() - 5);
/// # drop(conn);
/// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Borrowed {
    pub(crate) id: u64,
    pub(crate) age: Duration,
    /// The age was measured, and is not only a lower bound.
    pub(crate) is_exact: bool,
    pub(crate) place: &'static Location<'static>,
    pub(crate) label: Option<Cow<'static, str>>,
}

impl Borrowed {
    /// The number of the connection: [`PooledConnection::id`](crate::PooledConnection::id).
    pub fn id(&self) -> u64 {
        self.id
    }

    /// For how long it has been held.
    ///
    /// In a pool without an [`observer`](crate::Builder::observer),
    /// [`slow_acquire_after`](crate::Builder::slow_acquire_after) and
    /// [`leak_warning_after`](crate::Builder::leak_warning_after), which does not read the clock when it hands a connection
    /// out, this is a lower bound: the time since somebody asked first, or since the arrival of a waiter that timed out.
    pub fn age(&self) -> Duration {
        self.age
    }

    /// Where the connection was acquired.
    pub fn place(&self) -> &'static Location<'static> {
        self.place
    }

    /// The label of its acquire: [`Acquire::label`](crate::Acquire::label).
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }
}

impl fmt::Display for Borrowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at_least = match self.is_exact {
            true => "",
            false => "at least ",
        };
        let place = PlaceAndLabel {
            place: self.place,
            label: self.label(),
        };
        write!(
            f,
            "connection {} for {at_least}{} by {place}",
            self.id,
            Rounded(self.age)
        )
    }
}

/// Where an acquire was called, and its label.
pub(crate) struct PlaceAndLabel<'a> {
    pub(crate) place: &'static Location<'static>,
    pub(crate) label: Option<&'a str>,
}

impl fmt::Display for PlaceAndLabel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The column says nothing to a person.
        write!(f, "{}:{}", self.place.file(), self.place.line())?;
        match self.label {
            // A label with a line break is still one line.
            Some(label) => write!(f, " ({})", label.escape_debug()),
            None => Ok(()),
        }
    }
}

/// A task that holds a connection and waits for another one, in a pool where every holder does that; see
/// [`Error::nested`](crate::Error::nested).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nested {
    pub(crate) label: String,
    pub(crate) holds: &'static Location<'static>,
    pub(crate) waits: &'static Location<'static>,
}

impl Nested {
    /// The label of the task; see [`labelled`](crate::labelled).
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Where it acquired the connection that it holds.
    pub fn holds_since(&self) -> &'static Location<'static> {
        self.holds
    }

    /// Where it waits for another one.
    pub fn waits_at(&self) -> &'static Location<'static> {
        self.waits
    }
}

/// A label. It is boxed, because hardly any acquire has one, and an acquire is small.
pub(crate) type Label = Box<LabelText>;

pub(crate) struct LabelText {
    pub(crate) text: Cow<'static, str>,
    /// The number of the task that acquires, if [`labelled`](crate::labelled) tells.
    pub(crate) task: Option<usize>,
    /// The label of that task, where the acquire has one of its own.
    label_of_task: Option<Cow<'static, str>>,
}

impl LabelText {
    /// The label of one acquire.
    pub(crate) fn own(text: Cow<'static, str>) -> Label {
        Box::new(Self {
            text,
            task: None,
            label_of_task: None,
        })
    }

    /// The label of the task that acquires.
    pub(crate) fn label_of_task(&self) -> &str {
        self.label_of_task.as_deref().unwrap_or(&self.text)
    }
}

/// Who acquires: what the ledger writes down when it hands a connection out.
pub(crate) struct Borrower {
    pub(crate) place: &'static Location<'static>,
    pub(crate) label: Option<Label>,
}

impl Borrower {
    #[inline]
    pub(crate) fn new(place: &'static Location<'static>) -> Self {
        Self { place, label: None }
    }

    /// Notes the task, whose label counts if the acquire has none of its own.
    #[inline]
    pub(crate) fn take_label_of_task(&mut self) {
        if labelled::are_used() {
            self.note_task(labelled::current());
        }
    }

    #[cold]
    fn note_task(&mut self, task: Option<Task>) {
        let Some(Task { number, label }) = task else {
            return;
        };
        let label = match self.label.take() {
            None => LabelText::own(label),
            Some(mut own) => {
                own.label_of_task = Some(label);
                own
            }
        };
        self.label.insert(label).task = Some(number);
    }
}
