//! What the programme's rules say of a request, rule by rule, for the person who reviews it. The same evaluation as when
//! it is submitted and accepted; a page only asks, it refuses nothing.

use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::pools::store::YearRow;
use crate::requests::facts;
use crate::requests::rules::{Case, ON_SUBMIT};
use crate::requests::store::RequestRow;
use crate::settlements::budget;
use crate::web::tongue::Tongue;

/// What one rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Whether the request keeps it.
    pub kept: bool,
    /// What the rule is about.
    pub name: String,
    /// What it says of this request.
    pub sentence: String,
}

/// What the rules of [`ON_SUBMIT`] are about, in their order.
const NAMES: [(&str, &str); 7] = [
    ("申請できる団体", "Applicants"),
    ("人材プールの会員", "Membership"),
    ("活動の種類", "Kind of activity"),
    ("受付期間", "Intake"),
    ("希望期間", "Period"),
    ("1件の上限", "Limits of a request"),
    ("年度の上限", "Limits of the year"),
];

/// What to say of the rules, in the same order, when the request keeps them.
fn kept_sentences(t: Tongue, case: &Case<'_>) -> [String; 7] {
    let kind = case.applicant_kind;
    let activity = case.activity_kind;
    let period = t.period(case.period_from, case.period_to);
    let (visits, longest, others) = (case.mix.visits, t.minutes(case.mix.longest), case.others.len());
    if t.english() {
        return [
            format!("Bodies of the kind {kind} may apply."),
            "A member of the pool, or belongs to one.".to_owned(),
            format!("The programme offers {activity}."),
            format!("Arrived on {}.", t.instant(case.arrives_at)),
            format!("{period}, in one fiscal year."),
            format!("{visits} visit(s) of {longest}, within the limits."),
            if others == 0 {
                "Within the limits of the year.".to_owned()
            } else {
                format!("{others} other request(s) in the year.")
            },
        ];
    }
    [
        format!("申請団体の種類は「{}」です。", kind.label_ja()),
        "人材プールの会員（または会員に属する団体）です。".to_owned(),
        format!("「{}」はこの事業の対象です。", activity.label_ja()),
        format!("{}に届きました。", t.instant(case.arrives_at)),
        format!("{period}。一つの年度に収まっています。"),
        format!("{visits}回・1回{longest}。上限以内です。"),
        if others == 0 {
            "年度の上限以内です。".to_owned()
        } else {
            format!("年度内のほかの申請は{others}件。上限以内です。")
        },
    ]
}

/// Every rule with what it says of the request.
///
/// # Errors
/// The database's.
pub fn checks(conn: &mut Conn, ctx: &Ctx, t: Tongue, row: &RequestRow) -> Result<Vec<Check>, Error> {
    let facts = match facts::load(conn, ctx, row) {
        Ok(facts) => facts,
        Err(error) if !error.fields.is_empty() => {
            return Ok(vec![broken(t.t("事業の規則", "Rules"), &sentences(t, &error))]);
        }
        Err(error) => return Err(error),
    };
    let case = facts.case(ctx, row, facts::asked(row), row.submitted_at.unwrap_or(ctx.now));
    let mut found: Vec<Check> = ON_SUBMIT
        .iter()
        .zip(NAMES)
        .zip(kept_sentences(t, &case))
        .map(|((policy, (ja, en)), sentence)| {
            let refusals: Vec<String> =
                policy(&case).into_iter().map(|refusal| if t.english() { refusal.en } else { refusal.ja }).collect();
            if refusals.is_empty() { kept(t.t(ja, en), &sentence) } else { broken(t.t(ja, en), &refusals.join(t.t("。", "; "))) }
        })
        .collect();
    if facts.participants.len() > 1 {
        let name = t.t("参加団体の同意", "Consents");
        found.push(match facts.require_consents(row) {
            Ok(()) => kept(name, t.t("すべての参加団体が同意しています。", "Every body has agreed.")),
            Err(error) => broken(name, &sentences(t, &error)),
        });
    }
    let name = t.t("受理の順", "Order");
    found.push(match budget::check_order(conn, row, &facts.year.rules) {
        Ok(()) => kept(name, t.t("先に審査すべき申請はありません。", "No earlier request waits.")),
        Err(error) => broken(name, &sentences(t, &error)),
    });
    found.extend(money(conn, t, row, &facts.year)?);
    Ok(found)
}

/// Whether the money of the year reaches.
fn money(conn: &mut Conn, t: Tongue, row: &RequestRow, year: &YearRow) -> Result<Option<Check>, Error> {
    let Some(limit) = year.rules.budget_yen else { return Ok(None) };
    let wanted = budget::expected_of(&year.rules, row)?.get();
    let left = i64::try_from(budget::left(conn, year, limit, None)?).unwrap_or(i64::MAX);
    let name = t.t("予算", "Budget");
    let sentence = if t.english() {
        format!("Presumably {} of {} that are left.", t.yen(wanted), t.yen(left))
    } else {
        format!("見込み{}、予算の残り{}です。", t.yen(wanted), t.yen(left))
    };
    Ok(Some(if wanted <= left { kept(name, &sentence) } else { broken(name, &sentence) }))
}

fn kept(name: &str, sentence: &str) -> Check {
    Check { kept: true, name: name.to_owned(), sentence: sentence.to_owned() }
}

fn broken(name: &str, sentence: &str) -> Check {
    Check { kept: false, name: name.to_owned(), sentence: sentence.to_owned() }
}

fn sentences(t: Tongue, error: &Error) -> String {
    let fields: Vec<&str> = error.fields.iter().map(|field| t.words(&field.detail)).collect();
    match &error.detail {
        _ if !fields.is_empty() => fields.join(t.t("。", "; ")),
        Some(detail) => t.words(detail).to_owned(),
        None => t.words(&error.code.title()).to_owned(),
    }
}
