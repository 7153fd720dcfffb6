//! Use cases of imports: preview, apply, discard. The same check runs at the preview and again, in the transaction that
//! writes, when the file is applied: what was right then may no longer be.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::directory::Directory;
use super::experts_file::{self, ExpertsWorld, KnownSkill};
use super::ledger_file::{self, Ledger, LedgerExpert, LedgerStatus, LedgerWorld};
use super::model::{Checked, ImportKind, ImportRowError, ImportStatus, ImportVerb, Problems, at_line, refused};
use super::store::{self, ImportRow, NewImport};
use super::table::{Table, TableLimits, read_table};
use super::users_file::{self, UsersWorld};
use super::views::{CreateImportBody, ImportView, StoredPreview};
use crate::auth::policy::{ManageExperts, ManageUsers, Permission as _};
use crate::auth::secrets;
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::experts::model::{AffiliationKind, EmployerConsent, ExpertStatus};
use crate::experts::store::{self as experts, ExpertData};
use crate::experts::{frameworks, service as experts_service};
use crate::http::read::NoQuery;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{ExpertId, PoolId, ProgrammeId};
use crate::organisations::people_service;
use crate::organisations::people_views::InviteUserBody;
use crate::organisations::reach::Reach;
use crate::pools::store::{self as pools, Standing};
use crate::statistics::export;
use crate::text;

/// Problems kept and shown.
const SHOWN_ERRORS: usize = 200;
/// Rows of the preview.
const PREVIEW_ROWS: usize = 20;
/// Largest file in bytes.
const LARGEST_FILE: usize = 5 << 20;

/// Most rows of a kind: what one transaction writes in reasonable time.
fn limits(kind: ImportKind) -> TableLimits {
    let rows = match kind {
        ImportKind::Experts => 2_000,
        ImportKind::Users => 1_000,
        ImportKind::DispatchLedger => 10_000,
    };
    TableLimits { upload_bytes: LARGEST_FILE, rows, ..TableLimits::default() }
}

/// Where a file goes.
#[derive(Debug, Clone, Copy)]
enum Target {
    Experts(PoolId),
    Users,
    Ledger(ProgrammeId, PoolId),
}

/// A file after its check, whatever its kind.
enum File {
    Experts(Checked<experts_file::NewExpert>),
    Users(Checked<InviteUserBody>),
    Ledger(Ledger),
}

impl File {
    fn problems(self) -> Problems {
        match self {
            Self::Experts(checked) => checked.problems,
            Self::Users(checked) => checked.problems,
            Self::Ledger(ledger) => ledger.checked.problems,
        }
    }

    /// Rows, problems and preview to keep.
    fn found(self) -> (usize, Vec<ImportRowError>, StoredPreview) {
        let notes = match &self {
            Self::Ledger(ledger) => ledger_notes(ledger),
            Self::Users(checked) if !checked.rows.is_empty() => {
                vec![format!("{}人に招待メールを送ります。", checked.rows.len())]
            }
            Self::Experts(_) | Self::Users(_) => Vec::new(),
        };
        macro_rules! parts {
            ($checked:expr) => {{
                let checked = $checked;
                let preview = StoredPreview { ignored_columns: checked.ignored_columns, notes, rows: checked.preview };
                (checked.row_count, checked.problems.into_list(), preview)
            }};
        }
        match self {
            Self::Experts(checked) => parts!(checked),
            Self::Users(checked) => parts!(checked),
            Self::Ledger(ledger) => parts!(ledger.checked),
        }
    }
}

/// Experts and visits that a ledger brings, in words.
fn ledger_notes(ledger: &Ledger) -> Vec<String> {
    let of = |status| ledger.checked.rows.iter().filter(|(_, visit)| visit.status == status).count();
    let mut notes = vec![format!(
        "訪問{}回（実施{}回、予定{}回）を登録します。",
        ledger.checked.rows.len(),
        of(LedgerStatus::Done),
        of(LedgerStatus::Planned)
    )];
    if !ledger.new_experts.is_empty() {
        let names: Vec<&str> = ledger.new_experts.iter().take(50).map(|expert| expert.name.as_str()).collect();
        let more = if ledger.new_experts.len() > names.len() { "ほか" } else { "" };
        notes.push(format!(
            "人材プールにない専門家{}人を登録終了の専門家として登録します（{}{more}）。",
            ledger.new_experts.len(),
            names.join("、")
        ));
        let unknown = ledger.new_experts.iter().filter(|expert| expert.email.is_none()).count();
        if unknown > 0 {
            notes.push(format!("うち{unknown}人はメールアドレスが不明なため、届かない仮のアドレスを登録します。"));
        }
    }
    notes
}

/// 403 unless the caller may also do by hand what the file does.
fn require(ctx: &Ctx, kind: ImportKind) -> Result<(), Error> {
    match kind {
        ImportKind::Experts => ctx.principal.require(&ManageExperts::INFO),
        ImportKind::Users => ctx.principal.require(&ManageUsers::INFO),
        ImportKind::DispatchLedger => Ok(()),
    }
}

/// Reads and checks a file and keeps it with what was found. A file that cannot be read as a table is refused; one
/// whose rows have problems is kept, so that they can be looked at.
pub fn create(conn: &mut Conn, ctx: &Ctx, body: CreateImportBody) -> Result<Outcome<ImportView>, Error> {
    require(ctx, body.kind)?;
    let mut fields = Fields::new();
    fields.line("/file_name", &body.file_name, 255);
    let target = target(conn, ctx, body.kind, body.pool_id, body.programme_id, &mut fields)?;
    let bytes = STANDARD.decode(&body.content_base64).unwrap_or_default();
    fields.check(
        !bytes.is_empty(),
        "/content_base64",
        "not_base64",
        "ファイルの内容をBase64で指定してください",
        "Must be the file in Base64",
    );
    let table = match read_table(&bytes, &body.file_name, &limits(body.kind)) {
        Ok(table) => Some(table),
        Err(_) if bytes.is_empty() => None,
        Err(problem) => {
            fields.wrong("/content_base64", problem.code(), problem.message_ja(), problem.message_en());
            None
        }
    };
    fields.finish()?;
    let (Some(target), Some(table)) = (target, table) else { return Err(Error::internal("an unnoticed problem of an import")) };
    let (row_count, problems, preview) = check(conn, ctx, target, &table)?.found();
    let error_count = problems.len();
    let shown: Vec<&ImportRowError> = problems.iter().take(SHOWN_ERRORS).collect();
    let row = store::insert(
        conn,
        ctx,
        &NewImport {
            kind: body.kind,
            pool_id: body.pool_id,
            programme_id: body.programme_id,
            file_name: &body.file_name,
            sha256: &secrets::sha256(&bytes),
            content: &bytes,
            row_count: i32::try_from(row_count).unwrap_or(i32::MAX),
            error_count: i32::try_from(error_count).unwrap_or(i32::MAX),
            errors: &serde_json::to_string(&shown).map_err(Error::internal)?,
            preview: &serde_json::to_string(&preview).map_err(Error::internal)?,
        },
    )?;
    let audit = Audit::new("import", row.id.0, row.owner_organisation_id)
        .created(json!({"kind": row.kind, "sha256": row.sha256, "rows": row.row_count, "errors": row.error_count}));
    let (id, version) = (row.id, row.version);
    Ok(Outcome::created(ImportView::of(row)?, version, format!("/api/v1/imports/{id}"), audit))
}

/// Where the file goes; what is missing, too much or not the own organisation's is noted.
fn target(
    conn: &mut Conn,
    ctx: &Ctx,
    kind: ImportKind,
    pool: Option<PoolId>,
    programme: Option<ProgrammeId>,
    fields: &mut Fields,
) -> Result<Option<Target>, Error> {
    let needless = |fields: &mut Fields, pointer: &str, given: bool| {
        fields.check(!given, pointer, "not_for_kind", "この種類の取込みでは指定できません", "Not for this kind of import");
    };
    let not_yours = |fields: &mut Fields, pointer: &str| {
        fields.wrong(pointer, "not_yours", "自団体の人材プール・事業を指定してください", "Must belong to the own organisation");
    };
    match kind {
        ImportKind::Users => {
            needless(fields, "/pool_id", pool.is_some());
            needless(fields, "/programme_id", programme.is_some());
            Ok(Some(Target::Users))
        }
        ImportKind::Experts => {
            needless(fields, "/programme_id", programme.is_some());
            let owned = match pool {
                Some(pool) => pools::standing(conn, ctx, pool)? == Some(Standing::Owner),
                None => false,
            };
            if !owned {
                not_yours(fields, "/pool_id");
            }
            Ok(pool.filter(|_| owned).map(Target::Experts))
        }
        ImportKind::DispatchLedger => {
            needless(fields, "/pool_id", pool.is_some());
            let owned = match programme {
                Some(programme) => match pools::owned_programme(conn, ctx, programme) {
                    Ok(row) => Some(row),
                    Err(error) if matches!(error.code, ErrorCode::NotFound | ErrorCode::Forbidden) => None,
                    Err(error) => return Err(error),
                },
                None => None,
            };
            if owned.is_none() {
                not_yours(fields, "/programme_id");
            }
            Ok(owned.map(|row| Target::Ledger(row.id, row.pool_id)))
        }
    }
}

/// Checks a table against what is on record now.
fn check(conn: &mut Conn, ctx: &Ctx, target: Target, table: &Table) -> Result<File, Error> {
    let prefecture = ctx.principal.prefecture_id;
    match target {
        Target::Experts(pool) => {
            let directory = Directory::load(conn, prefecture, &[])?;
            let skills = known_skills(conn)?;
            let taken: HashSet<String> =
                store::roster(conn, pool)?.into_iter().filter(|expert| !expert.retired).map(|expert| expert.email).collect();
            let world = ExpertsWorld { pool, directory: &directory, skills: &skills, taken: &taken, preview_rows: PREVIEW_ROWS };
            Ok(File::Experts(experts_file::check(table, &world)))
        }
        Target::Users => {
            let directory = Directory::load(conn, prefecture, &[])?;
            let taken = store::taken_addresses(conn, &users_file::addresses(table))?;
            let reach = Reach::of(&ctx.principal);
            Ok(File::Users(users_file::check(
                table,
                &UsersWorld { directory: &directory, reach, taken: &taken, preview_rows: PREVIEW_ROWS },
            )))
        }
        Target::Ledger(programme, pool) => {
            let members: Vec<_> = pools::members(conn, pool)?.into_iter().map(|member| member.organisation_id).collect();
            let directory = Directory::load(conn, prefecture, &members)?;
            let roster = store::roster(conn, pool)?;
            let world = LedgerWorld {
                programme,
                directory: &directory,
                experts: &roster,
                today: ctx.today(),
                preview_rows: PREVIEW_ROWS,
            };
            let mut ledger = ledger_file::check(table, &world);
            let days = || ledger.checked.rows.iter().map(|(_, visit)| visit.day);
            if let (Some(first), Some(last)) = (days().min(), days().max()) {
                let keys: Vec<String> = ledger.checked.rows.iter().map(|(_, visit)| visit.key.clone()).collect();
                let known = store::known_keys(conn, &keys)?;
                let recorded = store::recorded(conn, programme, first, last)?;
                ledger_file::refuse_recorded(&mut ledger, &known, &recorded);
            }
            Ok(File::Ledger(ledger))
        }
    }
}

/// All skill items, by framework and edition.
fn known_skills(conn: &mut Conn) -> Result<Vec<KnownSkill>, Error> {
    let page = frameworks::list(conn, None, &export::whole_list(&"skills")?)?;
    Ok(page
        .items
        .into_iter()
        .flat_map(|framework| {
            let (code, highest_level) = (framework.code, framework.highest_level);
            framework.items.into_iter().map(move |item| KnownSkill {
                id: item.id,
                framework: code.clone(),
                code: item.code,
                name: item.name,
                highest_level,
            })
        })
        .collect())
}

/// Writes all of a file or nothing.
pub fn apply(conn: &mut Conn, ctx: &Ctx, import: ImportRow, _: NoQuery) -> Result<Outcome<ImportView>, Error> {
    require(ctx, import.kind)?;
    let status = import.status.after(ImportVerb::Apply, import.error_count)?;
    // First of all, so that of two who apply the same file one waits here and then finds it applied.
    let row = store::set_status(conn, &import, status, ctx.now)?;
    let mut fields = Fields::new();
    let target = target(conn, ctx, import.kind, import.pool_id, import.programme_id, &mut fields)?;
    fields.finish()?;
    let target = target.ok_or_else(|| Error::internal("an import without a target"))?;
    let bytes = store::content(conn, import.id)?;
    let table = read_table(&bytes, &import.file_name, &limits(import.kind)).map_err(Error::internal)?;
    let file = check(conn, ctx, target, &table)?;
    let written = match file {
        File::Experts(checked) if checked.problems.is_empty() => apply_experts(conn, ctx, checked)?,
        File::Users(checked) if checked.problems.is_empty() => apply_users(conn, ctx, checked)?,
        File::Ledger(ledger) if ledger.checked.problems.is_empty() => apply_ledger(conn, ctx, target, ledger)?,
        wrong => return Err(refused(wrong.problems(), SHOWN_ERRORS)),
    };
    let audit = Audit::new("import", row.id.0, row.owner_organisation_id).change(
        json!({"status": import.status}),
        json!({"status": row.status, "kind": row.kind, "sha256": row.sha256, "written": written}),
    );
    let version = row.version;
    Ok(Outcome::changed(ImportView::of(row)?, version, audit))
}

fn apply_experts(conn: &mut Conn, ctx: &Ctx, checked: Checked<experts_file::NewExpert>) -> Result<serde_json::Value, Error> {
    let count = checked.rows.len();
    for (line, expert) in checked.rows {
        let created = experts_service::create_expert(conn, ctx, expert.body).map_err(|error| at_line(line, error))?;
        let skills: Vec<_> = expert.skills.iter().map(|(item, level)| (*item, *level, false)).collect();
        if !skills.is_empty() {
            experts::replace_skills(conn, created.view.id, &skills)?;
        }
    }
    Ok(json!({"experts": count}))
}

fn apply_users(conn: &mut Conn, ctx: &Ctx, checked: Checked<InviteUserBody>) -> Result<serde_json::Value, Error> {
    let count = checked.rows.len();
    for (line, person) in checked.rows {
        people_service::invite(conn, ctx, person).map_err(|error| at_line(line, error))?;
    }
    Ok(json!({"users": count}))
}

fn apply_ledger(conn: &mut Conn, ctx: &Ctx, target: Target, ledger: Ledger) -> Result<serde_json::Value, Error> {
    let Target::Ledger(programme, pool) = target else { return Err(Error::internal("a ledger without a programme")) };
    let owner = pools::pool(conn, pool)?.owner_organisation_id;
    let mut created: Vec<ExpertId> = Vec::new();
    for new in &ledger.new_experts {
        created.push(retired_expert(conn, ctx, pool, new)?);
    }
    for (line, visit) in &ledger.checked.rows {
        let expert = match visit.expert {
            LedgerExpert::Known(id) => id,
            LedgerExpert::New(position) => {
                *created.get(position).ok_or_else(|| Error::internal("an expert of the ledger is missing"))?
            }
        };
        store::insert_visit(conn, (programme, owner), expert, visit, ctx.now).map_err(|error| at_line(*line, error))?;
    }
    Ok(json!({"visits": ledger.checked.rows.len(), "experts": created}))
}

/// Registers an expert whom only the ledger knows, retired at once. Standing and mode are not known of the past and
/// decide nothing any more.
fn retired_expert(conn: &mut Conn, ctx: &Ctx, pool: PoolId, new: &ledger_file::NewExpert) -> Result<ExpertId, Error> {
    let mut data = ExpertData {
        pool_id: pool,
        user_id: None,
        name: new.name.clone(),
        kana: String::new(),
        alternative_name: String::new(),
        search_key: text::fold(&new.name),
        affiliation_kind: AffiliationKind::Individual,
        affiliation: String::new(),
        profile: String::new(),
        email: new.address(),
        phone: String::new(),
        onsite: true,
        online: true,
        base_organisation_id: None,
        base_place: String::new(),
        languages: "ja".to_owned(),
        appointed_from: new.first_day,
        appointed_to: new.last_day.succ_opt(),
        capacity_simultaneous: None,
        capacity_minutes_month: None,
        capacity_minutes_year: None,
        capacity_days_year: None,
        serves_islands: true,
        capacity_minutes_week: None,
        employer_consent: EmployerConsent::NotNeeded,
        employer_consent_until: None,
    };
    data.refresh_search_key();
    let row = experts::insert(conn, &data, ctx.now)?;
    Ok(experts::set_status(conn, &row, ExpertStatus::Retired, ctx.now)?.id)
}

/// Gives a file up. What it held is forgotten; that it was there is not.
pub fn discard(conn: &mut Conn, ctx: &Ctx, import: ImportRow, _: NoQuery) -> Result<Outcome<ImportView>, Error> {
    let status = import.status.after(ImportVerb::Discard, import.error_count)?;
    let row = store::set_status(conn, &import, status, ctx.now)?;
    debug_assert_eq!(row.status, ImportStatus::Discarded);
    let audit = Audit::new("import", row.id.0, row.owner_organisation_id)
        .change(json!({"status": import.status}), json!({"status": row.status}));
    let version = row.version;
    Ok(Outcome::changed(ImportView::of(row)?, version, audit))
}
