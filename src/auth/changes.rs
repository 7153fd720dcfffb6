//! Telling people of changes to their own accounts, so that one who did not make them can act.

use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::ids::UserId;
use crate::notifications::catalogue::EventKind;
use crate::notifications::recipient::Recipient;
use crate::notifications::service::{Event, Told, publish};
use crate::notifications::template::{AccountChange, AccountChanged, Notice};
use crate::organisations::people::{self, UserRow};

/// Tells a person, at the address from before the change, what was changed and by whom, where that was somebody else. Who has
/// no body any more is told nothing, as nobody could see that the mail did not arrive.
///
/// # Errors
/// The database's.
pub fn tell(conn: &mut Conn, ctx: &Ctx, before: &UserRow, change: AccountChange) -> Result<(), Error> {
    let Some(home) = people::home(conn, before.id)? else { return Ok(()) };
    let to = Recipient::person(&before.email, &before.name, "", before.locale.into());
    let somebody_else = ctx.principal.user_id().is_some_and(|user| user != before.id);
    let notice = Notice::AccountChanged(AccountChanged {
        recipient: to.addressee(),
        change,
        changed_by: somebody_else.then(|| ctx.principal.name.clone()),
        changed_at: ctx.now.instant(),
        link: "/account".to_owned(),
    });
    let owner = people::outbox_of(conn, home)?;
    let event = Event::new(EventKind::AccountChanged, owner, ("user", before.id.0), format!("{change:?}:{}", ctx.now));
    publish(conn, ctx, &event, vec![Told::new(to, notice)]).map(drop)
}

/// The same for one whose facts are still to be looked up.
///
/// # Errors
/// The database's.
pub fn tell_own(conn: &mut Conn, ctx: &Ctx, user: UserId, change: AccountChange) -> Result<(), Error> {
    match people::find(conn, user)? {
        Some(row) => tell(conn, ctx, &row, change),
        None => Ok(()),
    }
}
