//! Skill frameworks: named scales of skills, each edition fixed once it is loaded. A later edition is a new framework
//! beside the old one, so that skills recorded under the old one keep their meaning.

use std::collections::BTreeSet;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::clock::UtcTime;
use crate::db::schema::{skill_frameworks, skill_items};
use crate::db::{Conn, dialect};
use crate::error::{Error, ErrorCode};
use crate::http::{Audit, Ctx, Fields, ListQuery, Outcome};
use crate::ids::{SkillFrameworkId, SkillItemId};

/// Most items of a framework.
const MOST_ITEMS: usize = 500;

/// A framework that ships with the product.
struct BuiltIn {
    code: &'static str,
    edition: &'static str,
    name: &'static str,
    source: &'static str,
    highest_level: i32,
    items: &'static [(&'static str, &'static str)],
}

const BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        code: "mic_external_talent",
        edition: "2022-09",
        name: "外部人材スキル標準",
        source: "総務省「外部人材スキル標準」（令和4年9月）の4類型。レベル1～5はこのサービスで使う目安です。",
        highest_level: 5,
        items: &[
            ("producer", "プロデューサー"),
            ("project_manager", "プロジェクトマネージャー"),
            ("service_designer", "サービスデザイナー"),
            ("engineer", "エンジニア"),
        ],
    },
    BuiltIn {
        code: "iwaki_digital",
        edition: "R6",
        name: "デジタル人材のスキル（いわき市）",
        source: "いわき市「デジタル人材育成基本方針」（令和6年度～令和9年度）の10項目。レベル1～5はこのサービスで使う目安です。",
        highest_level: 5,
        items: &[
            ("leadership", "リーダーシップ"),
            ("project_management", "プロジェクトマネジメント"),
            ("dx_basics", "DX基礎"),
            ("dx_practice", "DX応用"),
            ("data", "データ"),
            ("design", "デザイン"),
            ("security", "セキュリティ"),
            ("ai_rpa", "AI・RPA"),
            ("bpr", "BPR"),
            ("network_cloud", "ネットワーク・クラウド"),
        ],
    },
];

/// A framework in one edition.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = skill_frameworks)]
pub struct FrameworkRow {
    /// Id.
    pub id: SkillFrameworkId,
    /// Stable code over all editions.
    pub code: String,
    /// Edition, such as a year and month.
    pub edition: String,
    /// Name.
    pub name: String,
    /// Who published it and where.
    pub source: String,
    /// Highest level of its scale; the lowest is 1.
    pub highest_level: i32,
    /// Loaded.
    pub created_at: UtcTime,
}

/// An item of a framework.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = skill_items)]
pub struct ItemRow {
    /// Id.
    pub id: SkillItemId,
    /// The framework.
    pub framework_id: SkillFrameworkId,
    /// Stable code within the framework.
    pub code: String,
    /// Name.
    pub name: String,
    /// Place within the framework, from 1.
    pub position: i32,
}

/// A skill framework in one edition.
#[derive(Debug, Serialize, ToSchema)]
pub struct SkillFrameworkView {
    /// Id.
    pub id: SkillFrameworkId,
    /// Stable code over all editions.
    #[schema(max_length = 60, example = "mic_external_talent")]
    pub code: String,
    /// Edition.
    #[schema(max_length = 40, example = "2022-09")]
    pub edition: String,
    /// Name.
    #[schema(max_length = 200, example = "外部人材スキル標準")]
    pub name: String,
    /// Who published it and where.
    #[schema(max_length = 1000)]
    pub source: String,
    /// Highest level of its scale; the lowest is 1.
    #[schema(minimum = 1, maximum = 10, example = 5)]
    pub highest_level: i32,
    /// The skills in their order.
    #[schema(max_items = 500)]
    pub items: Vec<SkillItemView>,
}

/// A skill of a framework.
#[derive(Debug, Serialize, ToSchema)]
pub struct SkillItemView {
    /// Id, as experts and requests name it.
    pub id: SkillItemId,
    /// Stable code within the framework.
    #[schema(max_length = 60, example = "service_designer")]
    pub code: String,
    /// Name.
    #[schema(max_length = 200, example = "サービスデザイナー")]
    pub name: String,
}

/// A page of skill frameworks.
#[derive(Debug, Serialize, ToSchema)]
pub struct SkillFrameworkPage {
    /// The frameworks.
    #[schema(max_items = 200)]
    pub items: Vec<SkillFrameworkView>,
    /// Pass as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub next_cursor: Option<String>,
}

/// A skill framework in a new edition.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "itss", "edition": "V3", "name": "ITスキル標準", "source": "IPA", "highest_level": 7,
    "items": [{"code": "project_management", "name": "プロジェクトマネジメント"}]}))]
pub struct CreateSkillFrameworkBody {
    /// Stable code over all editions: lower-case letters, digits and underscores.
    #[schema(min_length = 1, max_length = 60, pattern = "^[a-z][a-z0-9_]*$")]
    pub code: String,
    /// Edition, new for this code.
    #[schema(min_length = 1, max_length = 40)]
    pub edition: String,
    /// Name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Who published it and where.
    #[schema(min_length = 1, max_length = 1000)]
    pub source: String,
    /// Highest level of its scale; the lowest is 1.
    #[schema(minimum = 1, maximum = 10)]
    pub highest_level: i32,
    /// The skills in their order.
    #[schema(min_items = 1, max_items = 500)]
    pub items: Vec<SkillItemBody>,
}

/// A skill of a new framework.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SkillItemBody {
    /// Stable code, once in the framework: lower-case letters, digits and underscores.
    #[schema(min_length = 1, max_length = 60, pattern = "^[a-z][a-z0-9_]*$")]
    pub code: String,
    /// Name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
}

/// Loads the frameworks that ship with the product, as far as they are not there yet. Any number of processes may do so
/// at once.
pub fn load_built_in(conn: &mut Conn, now: UtcTime) -> Result<(), Error> {
    dialect::claim(conn, "built-in skill frameworks")?;
    let known: Vec<(String, String)> =
        skill_frameworks::table.select((skill_frameworks::code, skill_frameworks::edition)).load(conn)?;
    for framework in BUILT_IN {
        if known.iter().any(|(code, edition)| code == framework.code && edition == framework.edition) {
            continue;
        }
        let items = framework.items.iter().map(|(code, name)| (*code, *name));
        insert(conn, (framework.code, framework.edition, framework.name, framework.source, framework.highest_level), items, now)?;
    }
    Ok(())
}

fn insert<'a>(
    conn: &mut Conn,
    (code, edition, name, source, highest_level): (&str, &str, &str, &str, i32),
    items: impl Iterator<Item = (&'a str, &'a str)>,
    now: UtcTime,
) -> Result<(FrameworkRow, Vec<ItemRow>), Error> {
    let row: FrameworkRow = diesel::insert_into(skill_frameworks::table)
        .values((
            skill_frameworks::code.eq(code),
            skill_frameworks::edition.eq(edition),
            skill_frameworks::name.eq(name),
            skill_frameworks::source.eq(source),
            skill_frameworks::highest_level.eq(highest_level),
            skill_frameworks::created_at.eq(now),
        ))
        .returning(skill_frameworks::all_columns)
        .get_result(conn)?;
    let mut rows = Vec::new();
    for (position, (code, name)) in (1_i32..).zip(items) {
        rows.push(
            diesel::insert_into(skill_items::table)
                .values((
                    skill_items::framework_id.eq(row.id),
                    skill_items::code.eq(code),
                    skill_items::name.eq(name),
                    skill_items::position.eq(position),
                ))
                .returning(skill_items::all_columns)
                .get_result(conn)?,
        );
    }
    Ok((row, rows))
}

/// A framework with its items, or 404.
pub fn find(conn: &mut Conn, id: SkillFrameworkId) -> Result<SkillFrameworkView, Error> {
    let row = skill_frameworks::table.find(id).select(FrameworkRow::as_select()).first(conn)?;
    let items = items_of(conn, &[id])?;
    Ok(view(row, &items))
}

/// A page of frameworks by code and id, each with its items; `code` narrows to the editions of one.
pub fn list(conn: &mut Conn, code: Option<&str>, list: &ListQuery) -> Result<SkillFrameworkPage, Error> {
    let mut query = skill_frameworks::table
        .order((skill_frameworks::code, skill_frameworks::id))
        .limit(list.fetch())
        .select(FrameworkRow::as_select())
        .into_boxed();
    if let Some(code) = code {
        query = query.filter(skill_frameworks::code.eq(code.to_owned()));
    }
    if let Some((key, id)) = list.after() {
        let (key, id) = (key.to_owned(), SkillFrameworkId(id));
        query = query
            .filter(skill_frameworks::code.gt(key.clone()).or(skill_frameworks::code.eq(key).and(skill_frameworks::id.gt(id))));
    }
    let page = list.page(query.load::<FrameworkRow>(conn)?, |row| (row.code.clone(), row.id.0));
    let ids: Vec<SkillFrameworkId> = page.items.iter().map(|row| row.id).collect();
    let items = items_of(conn, &ids)?;
    Ok(SkillFrameworkPage { items: page.items.into_iter().map(|row| view(row, &items)).collect(), next_cursor: page.next_cursor })
}

fn items_of(conn: &mut Conn, ids: &[SkillFrameworkId]) -> Result<Vec<ItemRow>, Error> {
    Ok(skill_items::table
        .filter(skill_items::framework_id.eq_any(ids))
        .order((skill_items::framework_id, skill_items::position))
        .select(ItemRow::as_select())
        .load(conn)?)
}

fn view(row: FrameworkRow, items: &[ItemRow]) -> SkillFrameworkView {
    let items = items
        .iter()
        .filter(|item| item.framework_id == row.id)
        .map(|item| SkillItemView { id: item.id, code: item.code.clone(), name: item.name.clone() })
        .collect();
    SkillFrameworkView {
        id: row.id,
        code: row.code,
        edition: row.edition,
        name: row.name,
        source: row.source,
        highest_level: row.highest_level,
        items,
    }
}

/// Loads a framework, or a new edition of one. Once loaded it does not change.
pub fn create(conn: &mut Conn, ctx: &Ctx, body: CreateSkillFrameworkBody) -> Result<Outcome<SkillFrameworkView>, Error> {
    let mut fields = Fields::new();
    check_code("/code", &body.code, &mut fields);
    fields.line("/edition", &body.edition, 40);
    fields.line("/name", &body.name, 200);
    fields.line("/source", &body.source, 1000);
    fields.within("/highest_level", i64::from(body.highest_level), 1, 10);
    fields.check(!body.items.is_empty(), "/items", "required", "1つ以上必要です", "At least one is needed");
    fields.at_most("/items", body.items.len(), MOST_ITEMS);
    let mut seen = BTreeSet::new();
    for (i, item) in body.items.iter().enumerate().take(MOST_ITEMS) {
        let pointer = format!("/items/{i}/code");
        check_code(&pointer, &item.code, &mut fields);
        fields.check(seen.insert(item.code.as_str()), pointer, "duplicate", "コードが重なっています", "The code is used twice");
        fields.line(&format!("/items/{i}/name"), &item.name, 200);
    }
    fields.finish()?;
    dialect::claim(conn, &format!("skill framework {} {}", body.code, body.edition))?;
    let taken: i64 = skill_frameworks::table
        .filter(skill_frameworks::code.eq(&body.code))
        .filter(skill_frameworks::edition.eq(&body.edition))
        .count()
        .get_result(conn)?;
    if taken > 0 {
        return Err(Error::new(ErrorCode::Duplicate).field(
            "/edition",
            "duplicate",
            "この版はすでに登録されています",
            "This edition is already loaded",
        ));
    }
    let items = body.items.iter().map(|item| (item.code.as_str(), item.name.as_str()));
    let (row, items) = insert(conn, (&body.code, &body.edition, &body.name, &body.source, body.highest_level), items, ctx.now)?;
    let audit = Audit::new("skill_framework", row.id.0, ctx.organisation())
        .created(json!({"code": row.code, "edition": row.edition, "items": items.len()}));
    let location = format!("/api/v1/skill-frameworks/{}", row.id);
    Ok(Outcome::created(view(row, &items), 1, location, audit))
}

fn check_code(pointer: &str, code: &str, fields: &mut Fields) {
    let right = code.len() <= 60
        && code.starts_with(|c: char| c.is_ascii_lowercase())
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    fields.check(
        right,
        pointer,
        "malformed",
        "英小文字で始まる英数字と_で60文字以内にしてください",
        "Use lower-case letters, digits and _, at most 60",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_keeps_the_rules_of_what_is_entered() {
        for framework in BUILT_IN {
            let mut fields = Fields::new();
            check_code("/code", framework.code, &mut fields);
            fields.line("/source", framework.source, 1000);
            let mut seen = BTreeSet::new();
            for (code, name) in framework.items {
                check_code("/items", code, &mut fields);
                fields.line("/items", name, 200);
                assert!(seen.insert(code), "{code}");
            }
            assert!(fields.is_right(), "{}", framework.code);
        }
        let sizes: Vec<usize> = BUILT_IN.iter().map(|framework| framework.items.len()).collect();
        assert_eq!(sizes, [4, 10]);
    }
}
