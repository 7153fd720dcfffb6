//! Where passwords are hashed and checked: off the event loop and few at a time, since each takes 19 MiB.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::web;
use tokio::sync::Semaphore;

use super::passwords;
use super::sessions::{self, SignInRow};
use crate::clock::UtcTime;
use crate::error::{Error, ErrorCode};

/// Hashes at the same time.
const AT_ONCE: usize = 2;
/// Longest wait for a turn before the client is told to come back.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);
static IN_TRANSACTION: Mutex<()> = Mutex::new(());

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let turn = tokio::time::timeout(LONGEST_WAIT, TURNS.acquire()).await;
    let Ok(Ok(_turn)) = turn else {
        let mut busy = Error::new(ErrorCode::Unavailable).caused_by("too many sign-ins at once");
        busy.retry_after = Some(5);
        return Err(busy);
    };
    web::block(work).await.map_err(Error::internal)
}

/// Whether a password is right; see [`sessions::check_password`].
pub async fn check(row: Option<SignInRow>, password: String, now: UtcTime) -> Result<bool, Error> {
    in_turn(move || sessions::check_password(row.as_ref(), &password, now)).await
}

/// The PHC string of a new password.
pub async fn hash(password: String) -> Result<String, Error> {
    in_turn(move || passwords::hash(&password)).await?
}

/// Whether a password is right, inside a transaction and one at a time.
pub fn verify(password: &str, stored: Option<&str>) -> bool {
    let _one = IN_TRANSACTION.lock().unwrap_or_else(PoisonError::into_inner);
    passwords::verify(password, stored)
}

/// Checks the present password and hashes the new one inside a transaction, one at a time: for the rare change of the
/// own password, which must not leave the one way through a write. `None`: the present password is wrong.
pub fn exchange(present: &str, stored: Option<&str>, new: &str) -> Result<Option<String>, Error> {
    let _one = IN_TRANSACTION.lock().unwrap_or_else(PoisonError::into_inner);
    if passwords::verify(present, stored) { passwords::hash(new).map(Some) } else { Ok(None) }
}
