//! Filters of lists that people keep under a name: the list of requests as one wants to see it every Monday.

use actix_web::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::filter_store::{self as store, SavedFilterRow};
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::http::read::NoQuery;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{SavedFilterId, UserId};
use crate::web::shape::SHAPE;

/// Most filters of a person.
const MOST: usize = 100;
/// Parameters of a list that are no conditions: where a page begins, how long it is, as which file it comes.
const NO_CONDITIONS: &[&str] = &["cursor", "limit", "format", "total"];

/// A filter of a list, kept under a name.
#[derive(Debug, Serialize, ToSchema)]
pub struct SavedFilterView {
    /// Id.
    pub id: SavedFilterId,
    /// The list: its address without `/api/v1`.
    #[schema(max_length = 100, example = "/requests")]
    pub page: String,
    /// Name.
    #[schema(max_length = 60, example = "東部の審査待ち")]
    pub name: String,
    /// The conditions, as the list takes them in its address.
    #[schema(max_length = 2000, example = "stage=submitted&fiscal_year=2026")]
    pub query: String,
    /// Kept since.
    pub created_at: UtcTime,
}

impl From<SavedFilterRow> for SavedFilterView {
    fn from(row: SavedFilterRow) -> Self {
        Self { id: row.id, page: row.page, name: row.name, query: row.query, created_at: row.created_at }
    }
}

/// A person's filters.
#[derive(Debug, Serialize, ToSchema)]
pub struct SavedFilterList {
    /// By list and name.
    #[schema(max_items = 100)]
    pub items: Vec<SavedFilterView>,
}

/// A filter to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"page": "/requests", "name": "東部の審査待ち", "query": "stage=submitted"}))]
pub struct SaveFilterBody {
    /// The list: its address without `/api/v1`.
    #[schema(min_length = 2, max_length = 100)]
    pub page: String,
    /// Name. Under a name that the list has already, the conditions are replaced.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// The conditions, as the list takes them in its address: at least one.
    #[schema(min_length = 1, max_length = 2000)]
    pub query: String,
}

/// The person who asks; a program keeps no filters.
pub(super) fn me(ctx: &Ctx) -> Result<UserId, Error> {
    ctx.principal.user_id().ok_or_else(|| Error::new(ErrorCode::Forbidden))
}

/// The conditions in a query string, in the order in which they came: what is empty or turns pages is left out.
pub fn conditions(query: &str) -> String {
    let kept = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, value)| !value.is_empty() && name != "done" && !NO_CONDITIONS.contains(&&**name));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish()
}

/// Checks that the page is a list and knows the conditions; these as they are kept.
fn checked(body: &SaveFilterBody) -> Result<String, Error> {
    let mut fields = Fields::new();
    fields.line("/name", &body.name, 60);
    let query = conditions(&body.query);
    let list = SHAPE.at(&Method::GET, &body.page).filter(|operation| operation.path == body.page && !operation.query.is_empty());
    match list {
        None => fields.wrong(
            "/page",
            "not_a_list",
            "絞り込みのできる一覧を指定してください（例: /requests）",
            "Must be a list that can be filtered, such as /requests",
        ),
        Some(list) => {
            let unknown: Vec<String> = form_urlencoded::parse(query.as_bytes())
                .map(|(name, _)| name.into_owned())
                .filter(|name| !list.query.iter().any(|(known, _)| known == name))
                .collect();
            if !unknown.is_empty() {
                let unknown = unknown.join(", ");
                let (ja, en) = (format!("この一覧にない条件です: {unknown}"), format!("The list does not know: {unknown}"));
                fields.wrong("/query", "unknown_condition", ja, en);
            }
        }
    }
    fields.check(!query.is_empty(), "/query", "required", "条件を一つ以上指定してください", "Must hold at least one condition");
    fields.check(query.len() <= 2000, "/query", "too_long", "条件が長すぎます", "The conditions are too long");
    fields.finish()?;
    Ok(query)
}

/// Keeps a filter; under a name that the list has already, its conditions are replaced.
pub(super) fn save(conn: &mut Conn, ctx: &Ctx, body: SaveFilterBody) -> Result<Outcome<SavedFilterView>, Error> {
    let user = me(ctx)?;
    let query = checked(&body)?;
    let known = store::list(conn, user, None)?;
    let about = |id: SavedFilterId| Audit::new("saved_filter", id.0, ctx.organisation());
    let facts = |query: &str| json!({"page": body.page, "name": body.name, "query": query});
    if let Some(row) = known.iter().find(|row| row.page == body.page && row.name == body.name) {
        store::set_query(conn, row.id, &query)?;
        let audit = about(row.id).change(facts(&row.query), facts(&query));
        return Ok(Outcome::done(SavedFilterRow { query, ..row.clone() }.into(), audit));
    }
    if known.len() >= MOST {
        return Err(Error::new(ErrorCode::ValidationFailed).field(
            "/name",
            "too_many",
            "残せる条件は100件までです。使わないものを消してください",
            "At most 100 filters can be kept; remove one first",
        ));
    }
    let row = store::insert(conn, user, (&body.page, &body.name, &query), ctx.now)?;
    let audit = about(row.id).change(json!({}), facts(&query));
    Ok(Outcome::done(row.into(), audit))
}

/// Removes a filter.
pub(super) fn remove(conn: &mut Conn, ctx: &Ctx, row: SavedFilterRow, _: NoQuery) -> Result<Outcome<SavedFilterView>, Error> {
    store::delete(conn, row.id)?;
    let facts = json!({"page": row.page, "name": row.name, "query": row.query});
    let audit = Audit::new("saved_filter", row.id.0, ctx.organisation()).change(facts, json!({}));
    Ok(Outcome::done(row.into(), audit))
}
