//! SQL of people and their memberships, and who gets the mails of an organisation.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::model::{Language, OrganisationKind, UserStatus};
use super::reach::{Place, Reach, SELF_ADMINISTERED};
use crate::auth::policy::Role;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::{memberships, organisations, users};
use crate::error::{Error, ErrorCode};
use crate::http::{Ctx, ListQuery, Versioned};
use crate::ids::{MembershipId, OrganisationId, UserId};
use crate::notifications::recipient::Recipient;
use crate::text;

mod sql {
    use diesel::sql_types::Text;
    diesel::define_sql_function! { fn lower(text: Text) -> Text; }
}

/// A person who signs in.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct UserRow {
    /// Id.
    pub id: UserId,
    /// Mail address in lower case; also the name for sign-in.
    pub email: String,
    /// Name as typed.
    pub name: String,
    /// Reading.
    pub kana: String,
    /// Language of mails.
    pub locale: Language,
    /// How far the account is.
    pub status: UserStatus,
    /// Version.
    pub version: i64,
    /// Created.
    pub created_at: UtcTime,
    /// Changed.
    pub updated_at: UtcTime,
}

/// A membership with what is needed of its organisation.
#[derive(Debug, Clone, Queryable)]
pub struct HeldMembership {
    /// Id.
    pub id: MembershipId,
    /// Whose.
    pub user_id: UserId,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// Its name.
    pub organisation_name: String,
    /// Its kind.
    pub organisation_kind: OrganisationKind,
    /// The body it belongs to.
    pub parent_id: Option<OrganisationId>,
    /// The prefecture it lies in.
    pub prefecture_id: Option<OrganisationId>,
    /// The role.
    pub role: Role,
    /// First day.
    pub valid_from: NaiveDate,
    /// First day on which it no longer counts.
    pub valid_to: Option<NaiveDate>,
}

impl HeldMembership {
    /// What decides whether it is within somebody's reach.
    pub fn place(&self) -> Place {
        Place { id: self.organisation_id, kind: self.organisation_kind, parent: self.parent_id, prefecture: self.prefecture_id }
    }

    /// Whether it counts on a day or will count later.
    pub fn is_open(&self, day: NaiveDate) -> bool {
        self.valid_to.is_none_or(|to| to > day)
    }
}

/// A person with the memberships that the asking party may see.
#[derive(Debug, Clone)]
pub struct Person {
    /// The person.
    pub user: UserRow,
    /// Memberships, past and future included.
    pub memberships: Vec<HeldMembership>,
}

impl Versioned for Person {
    fn version(&self) -> i64 {
        self.user.version
    }
}

/// The person with an id.
pub fn find(conn: &mut Conn, id: UserId) -> Result<Option<UserRow>, Error> {
    Ok(users::table.find(id).select(UserRow::as_select()).first(conn).optional()?)
}

/// The person with an address, whatever its case.
pub fn find_by_email(conn: &mut Conn, address: &str) -> Result<Option<UserRow>, Error> {
    Ok(users::table
        .filter(users::email.eq(crate::auth::sessions::normal_address(address)))
        .select(UserRow::as_select())
        .first(conn)
        .optional()?)
}

/// The memberships of people, oldest first.
pub fn memberships_of(conn: &mut Conn, ids: &[UserId]) -> Result<Vec<HeldMembership>, Error> {
    Ok(memberships::table
        .inner_join(organisations::table)
        .filter(memberships::user_id.eq_any(ids))
        .order((memberships::user_id, memberships::id))
        .select((
            memberships::id,
            memberships::user_id,
            organisations::id,
            organisations::name,
            organisations::kind,
            organisations::parent_id,
            organisations::prefecture_id,
            memberships::role,
            memberships::valid_from,
            memberships::valid_to,
        ))
        .load(conn)?)
}

/// A person of whom at least one membership, past ones included, is within reach, or 404. Memberships elsewhere are
/// left out.
pub fn visible(conn: &mut Conn, ctx: &Ctx, id: UserId) -> Result<Person, Error> {
    let mut person = load(conn, id)?;
    narrow(&mut person.memberships, &Reach::of(&ctx.principal));
    if person.memberships.is_empty() && Reach::of(&ctx.principal) != Reach::All {
        return Err(Error::not_found());
    }
    Ok(person)
}

/// A person whose account the principal may change: 404 when not visible; 403 when a membership that still counts
/// lies beyond reach (somebody else's colleague too), or makes the person a system administrator.
pub fn administered(conn: &mut Conn, ctx: &Ctx, id: UserId) -> Result<Person, Error> {
    let mut person = load(conn, id)?;
    let reach = Reach::of(&ctx.principal);
    if reach == Reach::All {
        return Ok(person);
    }
    let visible = person.memberships.iter().any(|membership| reach.covers(membership.place()));
    if !visible {
        return Err(Error::not_found());
    }
    let today = ctx.today();
    let foreign = person
        .memberships
        .iter()
        .filter(|membership| membership.is_open(today))
        .any(|membership| !reach.covers(membership.place()) || membership.role == Role::SystemAdmin);
    if foreign {
        return Err(Error::new(ErrorCode::Forbidden)
            .detail("権限の及ばない所属を持つ利用者です", "The person has a membership beyond your reach"));
    }
    narrow(&mut person.memberships, &reach);
    Ok(person)
}

fn load(conn: &mut Conn, id: UserId) -> Result<Person, Error> {
    let user = find(conn, id)?.ok_or_else(Error::not_found)?;
    let memberships = memberships_of(conn, &[id])?;
    Ok(Person { user, memberships })
}

fn narrow(memberships: &mut Vec<HeldMembership>, reach: &Reach) {
    memberships.retain(|membership| reach.covers(membership.place()));
}

/// Filters of the list.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// With a membership, past ones included, in this organisation.
    pub organisation_id: Option<OrganisationId>,
    /// Part of name, reading or address.
    pub text: Option<String>,
    /// In this state.
    pub status: Option<UserStatus>,
}

/// A page of the people within reach, by name, with their memberships there: two queries.
pub fn list(conn: &mut Conn, reach: &Reach, filter: &UserFilter, list: &ListQuery) -> Result<Vec<Person>, Error> {
    let mut query = users::table.order((users::name, users::id)).limit(list.fetch()).select(UserRow::as_select()).into_boxed();
    if let Reach::Within { own, run_by, prefecture } = *reach {
        let within = memberships::table.inner_join(organisations::table).filter(
            organisations::parent_id
                .eq(run_by)
                .or(organisations::id.eq(own))
                .or(organisations::prefecture_id.eq(prefecture).and(organisations::kind.ne_all(SELF_ADMINISTERED))),
        );
        query = match filter.organisation_id {
            Some(id) => query.filter(users::id.eq_any(within.filter(organisations::id.eq(id)).select(memberships::user_id))),
            None => query.filter(users::id.eq_any(within.select(memberships::user_id))),
        };
    } else if let Some(id) = filter.organisation_id {
        let members = memberships::table.filter(memberships::organisation_id.eq(id)).select(memberships::user_id);
        query = query.filter(users::id.eq_any(members));
    }
    if let Some(typed) = &filter.text {
        let pattern = |text: &str| format!("%{}%", text::like_pattern(&text.to_lowercase()));
        query = query.filter(
            sql::lower(users::name)
                .like(pattern(typed))
                .escape('\\')
                .or(users::kana.like(pattern(&text::to_katakana(typed))).escape('\\'))
                .or(users::kana.like(pattern(&text::fold(typed))).escape('\\'))
                .or(users::email.like(pattern(typed)).escape('\\')),
        );
    }
    if let Some(status) = filter.status {
        query = query.filter(users::status.eq(status));
    }
    if let Some((name, id)) = list.after() {
        let name = name.to_owned();
        query = query.filter(users::name.gt(name.clone()).or(users::name.eq(name).and(users::id.gt(UserId(id)))));
    }
    let rows: Vec<UserRow> = query.load(conn)?;
    let ids: Vec<UserId> = rows.iter().map(|row| row.id).collect();
    let mut held = memberships_of(conn, &ids)?;
    narrow(&mut held, reach);
    let mut people: Vec<Person> = rows.into_iter().map(|user| Person { user, memberships: Vec::new() }).collect();
    for membership in held {
        if let Some(person) = people.iter_mut().find(|person| person.user.id == membership.user_id) {
            person.memberships.push(membership);
        }
    }
    Ok(people)
}

/// A person to add.
#[derive(Debug, Clone)]
pub struct NewUser<'a> {
    /// Mail address.
    pub email: &'a str,
    /// Name as typed.
    pub name: &'a str,
    /// Reading.
    pub kana: &'a str,
    /// Language of mails.
    pub locale: Language,
    /// PHC string; without it the person is invited and cannot sign in yet.
    pub password_hash: Option<&'a str>,
}

/// Adds a person.
pub fn insert(conn: &mut Conn, new: &NewUser<'_>, now: UtcTime) -> Result<UserRow, Error> {
    let status = if new.password_hash.is_some() { UserStatus::Active } else { UserStatus::Invited };
    let email = crate::auth::sessions::normal_address(new.email);
    let id: UserId = diesel::insert_into(users::table)
        .values((
            users::email.eq(&email),
            users::name.eq(new.name),
            users::kana.eq(new.kana),
            users::locale.eq(new.locale),
            users::status.eq(status),
            users::password_hash.eq(new.password_hash),
            users::created_at.eq(now),
            users::updated_at.eq(now),
        ))
        .returning(users::id)
        .get_result(conn)?;
    Ok(UserRow {
        id,
        email,
        name: new.name.to_owned(),
        kana: new.kana.to_owned(),
        locale: new.locale,
        status,
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

/// Adds a membership.
pub fn insert_membership(
    conn: &mut Conn,
    user: UserId,
    organisation: OrganisationId,
    role: Role,
    from: NaiveDate,
    to: Option<NaiveDate>,
    now: UtcTime,
) -> Result<MembershipId, Error> {
    Ok(diesel::insert_into(memberships::table)
        .values((
            memberships::user_id.eq(user),
            memberships::organisation_id.eq(organisation),
            memberships::role.eq(role),
            memberships::valid_from.eq(from),
            memberships::valid_to.eq(to),
            memberships::created_at.eq(now),
            memberships::updated_at.eq(now),
        ))
        .returning(memberships::id)
        .get_result(conn)?)
}

/// Sets or clears the end of a membership.
pub fn end_membership(conn: &mut Conn, id: MembershipId, to: Option<NaiveDate>, now: UtcTime) -> Result<(), Error> {
    diesel::update(memberships::table.find(id))
        .set((memberships::valid_to.eq(to), memberships::version.eq(memberships::version + 1), memberships::updated_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// Writes a person's own fields and state; the version rises.
pub fn update(conn: &mut Conn, row: &UserRow, now: UtcTime) -> Result<i64, Error> {
    Ok(diesel::update(users::table.find(row.id))
        .set((
            users::email.eq(&row.email),
            users::name.eq(&row.name),
            users::kana.eq(&row.kana),
            users::locale.eq(row.locale),
            users::status.eq(row.status),
            users::version.eq(users::version + 1),
            users::updated_at.eq(now),
        ))
        .returning(users::version)
        .get_result(conn)?)
}

/// Whether a person has chosen a password.
pub fn has_password(conn: &mut Conn, id: UserId) -> Result<bool, Error> {
    Ok(users::table.find(id).select(users::password_hash.is_not_null()).first(conn)?)
}

/// The organisation under which a person's account is recorded: the newest membership's. `None` for somebody who
/// never had one and so could never sign in.
pub fn home(conn: &mut Conn, id: UserId) -> Result<Option<OrganisationId>, Error> {
    Ok(memberships::table
        .filter(memberships::user_id.eq(id))
        .order((memberships::valid_from.desc(), memberships::id.desc()))
        .select(memberships::organisation_id)
        .first(conn)
        .optional()?)
}

/// In whose outbox mails about a person's account stand: the home's own where it can have coordinators, else its
/// prefecture's, since nobody else could see that such a mail did not arrive.
pub fn outbox_of(conn: &mut Conn, home: OrganisationId) -> Result<OrganisationId, Error> {
    let (kind, prefecture): (OrganisationKind, Option<OrganisationId>) =
        organisations::table.find(home).select((organisations::kind, organisations::prefecture_id)).first(conn)?;
    Ok(if kind.admits(Role::PrefecturalCoordinator) { home } else { prefecture.unwrap_or(home) })
}

/// The coordinators of the body that owns a pool, and its section mailbox.
pub fn coordinators_of(conn: &mut Conn, owner: OrganisationId, day: NaiveDate) -> Result<Vec<Recipient>, Error> {
    recipients(conn, owner, &[Role::PrefecturalCoordinator], day)
}

/// Those who file an organisation's requests, and its section mailbox; its approvers where it has no staff, and a
/// prefecture's coordinators.
pub fn staff_of(conn: &mut Conn, organisation: OrganisationId, day: NaiveDate) -> Result<Vec<Recipient>, Error> {
    recipients(conn, organisation, &[Role::MunicipalStaff, Role::MunicipalApprover, Role::PrefecturalCoordinator], day)
}

/// Those who approve an organisation's requests, and its section mailbox.
pub fn approvers_of(conn: &mut Conn, organisation: OrganisationId, day: NaiveDate) -> Result<Vec<Recipient>, Error> {
    recipients(conn, organisation, &[Role::MunicipalApprover], day)
}

/// The active people who have the first of `roles` that anybody has on the day, then the section mailbox; no address
/// twice.
fn recipients(conn: &mut Conn, organisation: OrganisationId, roles: &[Role], day: NaiveDate) -> Result<Vec<Recipient>, Error> {
    let body: Option<(String, Option<String>)> = organisations::table
        .find(organisation)
        .select((organisations::name, organisations::contact_email))
        .first(conn)
        .optional()?;
    let Some((body_name, mailbox)) = body else { return Ok(Vec::new()) };
    let people: Vec<(Role, UserId, String, String, Language)> = memberships::table
        .inner_join(users::table)
        .filter(memberships::organisation_id.eq(organisation))
        .filter(memberships::role.eq_any(roles))
        .filter(memberships::valid_from.le(day))
        .filter(memberships::valid_to.is_null().or(memberships::valid_to.gt(day)))
        .filter(users::status.eq(UserStatus::Active))
        .order(users::id)
        .select((memberships::role, users::id, users::email, users::name, users::locale))
        .load(conn)?;
    let first = roles.iter().find(|role| people.iter().any(|(has, ..)| has == *role));
    let mut found: Vec<Recipient> = Vec::new();
    for (role, user, email, name, locale) in people {
        if Some(&role) == first && !found.iter().any(|known| known.address == email) {
            found.push(Recipient::person(email, name, body_name.clone(), locale.into()).with_account(user).of_body(organisation));
        }
    }
    if let Some(mailbox) = mailbox.filter(|mailbox| !found.iter().any(|known| known.address.eq_ignore_ascii_case(mailbox))) {
        found.push(Recipient::section(mailbox, body_name).of_body(organisation));
    }
    Ok(found)
}
