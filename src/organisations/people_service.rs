//! Use cases of people: inviting, changing, disabling, giving and ending memberships.

use chrono::NaiveDate;
use serde_json::json;

use super::model::{Language, UserStatus, role_label};
use super::people::{self, HeldMembership, NewUser, Person, UserRow};
use super::people_views::{EndMembershipBody, InviteUserBody, NewMembershipBody, UpdateUserBody, UserView};
use super::reach::Reach;
use super::store::{self, OrganisationRow};
use crate::auth::changes;
use crate::auth::policy::Role;
use crate::auth::second_factor;
use crate::auth::sessions::{self, TokenKind};
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::http::read::NoQuery;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{MembershipId, OrganisationId, UserId};
use crate::notifications::catalogue::EventKind;
use crate::notifications::recipient::Recipient;
use crate::notifications::service::{Event, Told, publish};
use crate::notifications::template::{AccountChange, MembershipEnded, MembershipGiven, Notice, OneTimeLink};

/// Invites a person: the account, its memberships and the mail with the link, all or nothing.
pub fn invite(conn: &mut Conn, ctx: &Ctx, body: InviteUserBody) -> Result<Outcome<UserView>, Error> {
    let mut fields = Fields::new();
    let email = sessions::normal_address(&body.email);
    fields.email("/email", &email);
    fields.line("/name", &body.name, 200);
    fields.optional_line("/kana", &body.kana, 200);
    fields.check(
        !body.memberships.is_empty(),
        "/memberships",
        "required",
        "所属を1件以上指定してください",
        "Give at least one membership",
    );
    fields.at_most("/memberships", body.memberships.len(), 20);
    let ids: Vec<OrganisationId> = body.memberships.iter().take(20).map(|membership| membership.organisation_id).collect();
    let organisations = store::find_many(conn, &ids)?;
    for (i, membership) in body.memberships.iter().enumerate() {
        let at = format!("/memberships/{i}");
        check_membership(&mut fields, ctx, &at, membership, &organisations);
        let earlier = body.memberships.iter().take(i);
        let twice = earlier.clone().any(|other| {
            (other.organisation_id, other.role) == (membership.organisation_id, membership.role)
                && overlap((other.valid_from, other.valid_to), (membership.valid_from, membership.valid_to))
        });
        fields.check(!twice, at, "already_member", "同じ所属が重なっています", "The same membership twice");
    }
    fields.finish()?;
    let locale = body.locale.unwrap_or(Language::Ja);
    let user = people::insert(
        conn,
        &NewUser { email: &email, name: &body.name, kana: &body.kana, locale, password_hash: None },
        ctx.now,
    )?;
    let mut memberships = Vec::new();
    for new in &body.memberships {
        memberships.push(add(conn, ctx, user.id, new, &organisations)?);
    }
    let person = Person { user, memberships };
    send_invitation(conn, ctx, &person)?;
    let audit = about(ctx, &person)
        .created(json!({"status": person.user.status, "memberships": person.memberships.iter().map(facts).collect::<Vec<_>>()}));
    let location = format!("/api/v1/users/{}", person.user.id);
    let version = person.user.version;
    Ok(Outcome::created(person.into(), version, location, audit))
}

/// Makes somebody a system administrator from the command line and returns the address under which a password is
/// chosen: for the first administrator of an installation, or to regain access. An account with the address is used if
/// there is one.
pub fn create_admin(conn: &mut Conn, ctx: &Ctx, email: &str, name: &str, organisation: OrganisationId) -> Result<String, Error> {
    let mut fields = Fields::new();
    let email = sessions::normal_address(email);
    fields.email("email", &email);
    fields.line("name", name, 200);
    fields.finish()?;
    let user = match people::find_by_email(conn, &email)? {
        Some(user) if user.status == UserStatus::Disabled => {
            return Err(Error::transition(user.status.as_str(), user.status.allowed().to_vec()));
        }
        Some(user) => user,
        None => {
            people::insert(conn, &NewUser { email: &email, name, kana: "", locale: Language::Ja, password_hash: None }, ctx.now)?
        }
    };
    let today = ctx.today();
    let held = people::memberships_of(conn, &[user.id])?;
    let is_admin = held
        .iter()
        .any(|membership| membership.role == Role::SystemAdmin && membership.valid_from <= today && membership.is_open(today));
    if !is_admin {
        people::insert_membership(conn, user.id, organisation, Role::SystemAdmin, today, None, ctx.now)?;
    }
    let (kind, page) = match user.status {
        UserStatus::Invited => (TokenKind::Invitation, "invitations"),
        UserStatus::Active | UserStatus::Disabled => (TokenKind::PasswordReset, "password-reset"),
    };
    let (secret, _) = sessions::issue_token(conn, user.id, kind, ctx.now)?;
    let audit = Audit::new("user", user.id.0, organisation).created(json!({"role": Role::SystemAdmin, "status": user.status}));
    crate::audit::service::record(conn, ctx, "user create-admin", &audit)?;
    Ok(format!("{}/{page}?token={secret}", ctx.app.config.base_url.trim_end_matches('/')))
}

fn add(
    conn: &mut Conn,
    ctx: &Ctx,
    user: UserId,
    new: &NewMembershipBody,
    organisations: &[OrganisationRow],
) -> Result<HeldMembership, Error> {
    let body = organisations.iter().find(|row| row.id == new.organisation_id).ok_or_else(Error::not_found)?;
    let id = people::insert_membership(conn, user, body.id, new.role, new.valid_from, new.valid_to, ctx.now)?;
    Ok(HeldMembership {
        id,
        user_id: user,
        organisation_id: body.id,
        organisation_name: body.name.clone(),
        organisation_kind: body.kind,
        parent_id: body.parent_id,
        prefecture_id: body.prefecture_id,
        role: new.role,
        valid_from: new.valid_from,
        valid_to: new.valid_to,
    })
}

/// Whether a membership may be given: within reach, a role for that kind of organisation, and nobody but a system
/// administrator makes another.
fn check_membership(fields: &mut Fields, ctx: &Ctx, at: &str, new: &NewMembershipBody, organisations: &[OrganisationRow]) {
    let reach = Reach::of(&ctx.principal);
    let body = organisations.iter().find(|row| row.id == new.organisation_id && reach.covers(row.place()));
    match body {
        None => fields.wrong(
            format!("{at}/organisation_id"),
            "not_yours",
            "管理できる団体を指定してください",
            "Must be an organisation within your reach",
        ),
        Some(body) => {
            fields.check(
                body.valid_to.is_none_or(|to| to > new.valid_from),
                format!("{at}/organisation_id"),
                "closed",
                "この日には存在しない団体です",
                "The organisation no longer exists on that day",
            );
            fields.check(
                body.kind.admits(new.role),
                format!("{at}/role"),
                "role_not_for_kind",
                "この種類の団体にはない役割です",
                "There is no such role in this kind of organisation",
            );
        }
    }
    fields.check(
        new.role != Role::SystemAdmin || reach == Reach::All,
        format!("{at}/role"),
        "not_grantable",
        "システム管理者の役割はシステム管理者だけが与えられます",
        "Only system administrators make system administrators",
    );
    fields.validity(&format!("{at}/valid_to"), new.valid_from, new.valid_to);
}

/// Whether two validities (end exclusive) share a day.
fn overlap(a: (NaiveDate, Option<NaiveDate>), b: (NaiveDate, Option<NaiveDate>)) -> bool {
    a.1.is_none_or(|to| to > b.0) && b.1.is_none_or(|to| to > a.0)
}

fn facts(membership: &HeldMembership) -> serde_json::Value {
    json!({
        "id": membership.id, "organisation_id": membership.organisation_id, "role": membership.role,
        "valid_from": membership.valid_from, "valid_to": membership.valid_to,
    })
}

/// Where a person's account is recorded: the newest membership in view.
fn home(ctx: &Ctx, person: &Person) -> OrganisationId {
    person.memberships.last().map_or(ctx.organisation(), |membership| membership.organisation_id)
}

fn about(ctx: &Ctx, person: &Person) -> Audit {
    let home = home(ctx, person);
    Audit::new("user", person.user.id.0, home).for_body(home, ctx.organisation())
}

fn send_invitation(conn: &mut Conn, ctx: &Ctx, person: &Person) -> Result<(), Error> {
    let Person { user, memberships } = person;
    let (secret, expires_at) = sessions::issue_token(conn, user.id, TokenKind::Invitation, ctx.now)?;
    let membership = memberships.last();
    let organisation = membership.map(|membership| membership.organisation_name.clone()).unwrap_or_default();
    let to = Recipient::person(&user.email, &user.name, organisation.clone(), user.locale.into());
    let notice = Notice::Invitation {
        recipient: to.addressee(),
        organisation,
        role: membership.map(|membership| role_label(membership.role, user.locale).to_owned()),
        invited_by: Some(ctx.principal.name.clone()),
        link: OneTimeLink::new(format!("/invitations?token={secret}")),
        expires_at: expires_at.instant(),
    };
    let mark: String = crate::auth::secrets::sha256(secret.as_bytes()).chars().take(16).collect();
    let owner = people::outbox_of(conn, home(ctx, person))?;
    let event = Event::new(EventKind::AccountInvited, owner, ("user", user.id.0), mark);
    publish(conn, ctx, &event, vec![Told::new(to, notice)]).map(drop)
}

/// Changes a person's own fields.
pub fn update(conn: &mut Conn, ctx: &Ctx, person: Person, body: UpdateUserBody) -> Result<Outcome<UserView>, Error> {
    let mut fields = Fields::new();
    let mut person = person;
    let before = person.user.clone();
    let user = &mut person.user;
    if let Some(email) = body.email {
        user.email = sessions::normal_address(&email);
        fields.email("/email", &user.email);
    }
    if let Some(name) = body.name {
        fields.line("/name", &name, 200);
        user.name = name;
    }
    if let Some(kana) = body.kana {
        fields.optional_line("/kana", &kana, 200);
        user.kana = kana;
    }
    user.locale = body.locale.unwrap_or(user.locale);
    fields.finish()?;
    let mut changed: Vec<&str> = Vec::new();
    for (name, differs) in [
        ("email", user.email != before.email),
        ("name", user.name != before.name),
        ("kana", user.kana != before.kana),
        ("locale", user.locale != before.locale),
    ] {
        if differs {
            changed.push(name);
        }
    }
    if user.email != before.email {
        sessions::void_tokens(conn, user.id, ctx.now)?;
        if before.status == UserStatus::Active {
            changes::tell(conn, ctx, &before, AccountChange::Email)?;
        }
    }
    // Names and addresses are personal data and stay out of the audit trail; that they changed does not.
    let audit = about(ctx, &person)
        .change(json!({"version": before.version}), json!({"version": before.version + 1, "changed": changed}));
    write(conn, ctx, person, audit)
}

/// Writes the person and shows it.
fn write(conn: &mut Conn, ctx: &Ctx, mut person: Person, audit: Audit) -> Result<Outcome<UserView>, Error> {
    person.user.version = people::update(conn, &person.user, ctx.now)?;
    person.user.updated_at = ctx.now;
    let version = person.user.version;
    Ok(Outcome::changed(person.into(), version, audit))
}

fn require(user: &UserRow, verb: &'static str) -> Result<(), Error> {
    let allowed = user.status.allowed();
    if allowed.contains(&verb) { Ok(()) } else { Err(Error::transition(user.status.as_str(), allowed.to_vec())) }
}

fn set_status(conn: &mut Conn, ctx: &Ctx, mut person: Person, status: UserStatus) -> Result<Outcome<UserView>, Error> {
    let audit = about(ctx, &person).change(json!({"status": person.user.status}), json!({"status": status}));
    person.user.status = status;
    write(conn, ctx, person, audit)
}

/// Takes the second factor away from somebody who has lost authenticator and recovery codes; every session ends.
pub fn reset_second_factor(conn: &mut Conn, ctx: &Ctx, person: Person, _: NoQuery) -> Result<Outcome<UserView>, Error> {
    let had = second_factor::is_set_up(conn, person.user.id)?;
    second_factor::forget(conn, person.user.id)?;
    sessions::end_all(conn, person.user.id, "second_factor_reset", ctx.now)?;
    if had {
        changes::tell(conn, ctx, &person.user, AccountChange::SecondFactorReset)?;
    }
    let audit = about(ctx, &person).change(json!({"second_factor": had}), json!({"second_factor": false}));
    write(conn, ctx, person, audit)
}

/// Stops a person from signing in and ends all sessions. Nobody locks themselves out.
pub fn disable(conn: &mut Conn, ctx: &Ctx, person: Person, _: NoQuery) -> Result<Outcome<UserView>, Error> {
    require(&person.user, "disable")?;
    if ctx.principal.user_id() == Some(person.user.id) {
        return Err(
            Error::new(ErrorCode::Forbidden).detail("自分のアカウントは停止できません", "You cannot disable your own account")
        );
    }
    sessions::end_all(conn, person.user.id, "account_disabled", ctx.now)?;
    sessions::void_tokens(conn, person.user.id, ctx.now)?;
    set_status(conn, ctx, person, UserStatus::Disabled)
}

/// Lets a person sign in again; one who never chose a password is invited anew.
pub fn enable(conn: &mut Conn, ctx: &Ctx, person: Person, _: NoQuery) -> Result<Outcome<UserView>, Error> {
    require(&person.user, "enable")?;
    if people::has_password(conn, person.user.id)? {
        return set_status(conn, ctx, person, UserStatus::Active);
    }
    send_invitation(conn, ctx, &person)?;
    set_status(conn, ctx, person, UserStatus::Invited)
}

/// Mails a new link; the one before stops working.
pub fn resend_invitation(conn: &mut Conn, ctx: &Ctx, person: Person, _: NoQuery) -> Result<Outcome<UserView>, Error> {
    require(&person.user, "resend-invitation")?;
    send_invitation(conn, ctx, &person)?;
    let audit = about(ctx, &person).created(json!({"invitation": "sent_again"}));
    write(conn, ctx, person, audit)
}

/// Gives a person another membership.
pub fn add_membership(conn: &mut Conn, ctx: &Ctx, person: Person, body: NewMembershipBody) -> Result<Outcome<UserView>, Error> {
    let mut fields = Fields::new();
    let organisations = store::find_many(conn, &[body.organisation_id])?;
    check_membership(&mut fields, ctx, "", &body, &organisations);
    let twice = person.memberships.iter().any(|held| {
        (held.organisation_id, held.role) == (body.organisation_id, body.role)
            && overlap((held.valid_from, held.valid_to), (body.valid_from, body.valid_to))
    });
    fields.check(
        !twice,
        "/valid_from",
        "already_member",
        "この期間はすでに同じ所属があります",
        "The person already has this membership then",
    );
    fields.finish()?;
    let mut person = person;
    let membership = add(conn, ctx, person.user.id, &body, &organisations)?;
    let audit = Audit::new("user", person.user.id.0, body.organisation_id)
        .created(json!({"membership": facts(&membership)}))
        .for_body(body.organisation_id, ctx.organisation());
    tell_membership(conn, ctx, &person, &membership, true)?;
    person.memberships.push(membership);
    write(conn, ctx, person, audit)
}

/// Tells a person of a membership that was given, or that ends. Who has never signed in is told by the invitation.
/// Tells somebody of a membership that was given or ends.
pub(super) fn tell_membership(
    conn: &mut Conn,
    ctx: &Ctx,
    person: &Person,
    held: &HeldMembership,
    new: bool,
) -> Result<(), Error> {
    let user = &person.user;
    if user.status != UserStatus::Active {
        return Ok(());
    }
    let to = Recipient::person(&user.email, &user.name, "", user.locale.into()).with_account(user.id);
    let (organisation, role) = (held.organisation_name.clone(), role_label(held.role, user.locale).to_owned());
    let last_day = held.valid_to.and_then(|day| day.pred_opt());
    let by = Some(ctx.principal.name.clone());
    let (kind, notice) = match last_day {
        Some(last_day) if !new => (
            EventKind::MembershipEnded,
            Notice::MembershipEnded(MembershipEnded {
                recipient: to.addressee(),
                organisation,
                role,
                last_day,
                ended_by: by,
                link: "/".to_owned(),
            }),
        ),
        last_day => (
            EventKind::MembershipGiven,
            Notice::MembershipGiven(MembershipGiven {
                recipient: to.addressee(),
                organisation,
                role,
                from: Some(held.valid_from),
                last_day,
                given_by: by,
                link: "/".to_owned(),
            }),
        ),
    };
    let owner = people::outbox_of(conn, held.organisation_id)?;
    let event = Event::new(kind, owner, ("membership", held.id.0), format!("{}:{:?}", user.version, held.valid_to))
        .concerning([held.organisation_id]);
    publish(conn, ctx, &event, vec![Told::new(to, notice)]).map(drop)
}

/// Sets or clears the end of a membership within reach. Sessions in which it is active stop with it.
pub fn end_membership(
    conn: &mut Conn,
    ctx: &Ctx,
    person: Person,
    membership: MembershipId,
    body: EndMembershipBody,
) -> Result<Outcome<UserView>, Error> {
    let mut person = person;
    let others = person.memberships.clone();
    let held = person.memberships.iter_mut().find(|held| held.id == membership).ok_or_else(Error::not_found)?;
    if held.role == Role::SystemAdmin && Reach::of(&ctx.principal) != Reach::All {
        return Err(Error::new(ErrorCode::Forbidden));
    }
    let mut fields = Fields::new();
    fields.validity("/valid_to", held.valid_from, body.valid_to);
    let collides = others.iter().any(|other| {
        other.id != held.id
            && (other.organisation_id, other.role) == (held.organisation_id, held.role)
            && overlap((other.valid_from, other.valid_to), (held.valid_from, body.valid_to))
    });
    fields.check(
        !collides,
        "/valid_to",
        "already_member",
        "同じ所属の期間と重なります",
        "Overlaps the same membership in another period",
    );
    fields.finish()?;
    let old = facts(held);
    people::end_membership(conn, held.id, body.valid_to, ctx.now)?;
    held.valid_to = body.valid_to;
    let owner = held.organisation_id;
    let audit = Audit::new("user", person.user.id.0, owner)
        .change(json!({"membership": old}), json!({"membership": facts(held)}))
        .for_body(owner, ctx.organisation());
    let ended = held.clone();
    if ended.valid_to.is_some() {
        tell_membership(conn, ctx, &person, &ended, false)?;
    }
    write(conn, ctx, person, audit)
}

#[cfg(test)]
mod tests {
    use super::overlap;
    use chrono::NaiveDate;

    #[test]
    fn validities_that_follow_each_other_do_not_overlap() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 4, d).unwrap();
        assert!(!overlap((day(1), Some(day(10))), (day(10), None)));
        assert!(overlap((day(1), Some(day(11))), (day(10), None)));
        assert!(overlap((day(1), None), (day(20), None)));
        assert!(!overlap((day(20), None), (day(1), Some(day(20)))));
    }
}
