//! An observer that keeps each event as the sentence that a person would read.

use std::sync::{Arc, Mutex, PoisonError};

use pool_core::{Builder, Event, Manager};

/// What a pool has told so far, without its name.
#[derive(Clone, Default)]
pub struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    /// Lets a pool tell its events.
    pub fn by<M: Manager>(builder: Builder<M>) -> (Builder<M>, Self) {
        let told = Self::default();
        let sentences = Arc::clone(&told.0);
        let builder = builder.observer(move |event: &Event<'_>| {
            let text = event.to_string();
            let prefix = format!("pool {:?}: ", event.pool());
            let sentence = text.strip_prefix(&prefix).expect("each names its pool");
            let mut sentences = sentences.lock().unwrap_or_else(PoisonError::into_inner);
            sentences.push(sentence.to_owned());
        });
        (builder, told)
    }

    /// The sentences since the last call.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Those of the sentences since the last call that contain these words.
    pub fn take_with(&self, words: &str) -> Vec<String> {
        let all = self.take().into_iter();
        all.filter(|sentence| sentence.contains(words)).collect()
    }
}
