//! Counts the statements that a request sends to the database.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

/// What was asked of each watched database, by its address.
static WATCHED: Mutex<Option<HashMap<String, Vec<String>>>> = Mutex::new(None);

/// How many databases are watched: nearly always none.
static WATCHERS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this thread asks on its own behalf.
    static UNHEARD: Cell<bool> = const { Cell::new(false) };
}

/// Asks on this thread what is not counted.
pub fn unheard<T>(act: impl FnOnce() -> T) -> T {
    UNHEARD.set(true);
    let done = act();
    UNHEARD.set(false);
    done
}

/// Notes the statements of one connection when its database is watched.
#[derive(Default)]
struct Listener {
    address: String,
}

impl Instrumentation for Listener {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => url.clone_into(&mut self.address),
            InstrumentationEvent::StartQuery { query, .. } if WATCHERS.load(Ordering::Acquire) > 0 && !UNHEARD.get() => {
                let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(asked) = watched.as_mut().and_then(|watched| watched.get_mut(&self.address)) {
                    let text = query.to_string();
                    if !["BEGIN", "COMMIT", "ROLLBACK", "SET ", "PRAGMA"].iter().any(|word| text.starts_with(word)) {
                        asked.push(text);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Has every connection that is opened from now on listened to.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_default_instrumentation(|| Some(Box::new(Listener::default()))).unwrap());
}

/// What `act` asks of the database at this address (as in the configuration), and what it answers.
pub fn asked<T>(address: &str, act: impl FnOnce() -> T) -> (T, Vec<String>) {
    let address = address.strip_prefix("sqlite:").unwrap_or(address);
    let with = |change: &mut dyn FnMut(&mut HashMap<String, Vec<String>>)| {
        change(WATCHED.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default());
    };
    with(&mut |watched| drop(watched.insert(address.to_owned(), Vec::new())));
    WATCHERS.fetch_add(1, Ordering::AcqRel);
    let answer = act();
    WATCHERS.fetch_sub(1, Ordering::AcqRel);
    let mut asked = Vec::new();
    with(&mut |watched| asked = watched.remove(address).unwrap());
    (answer, asked)
}
