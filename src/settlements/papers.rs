//! What each kind of paper says.

use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike, NaiveDate};

use super::agreement_store;
use super::document_store::DocumentKind;
use super::model;
use super::parties::Parties;
use super::settlement_store::{self, ClaimKind, ClaimRow, ExpertPaymentRow};
use super::store::{self, CostItemRow, CostShareRow};
use crate::calendar::{FiscalYear, wareki};
use crate::costs::{Component, Payer, Yen};
use crate::db::Conn;
use crate::dispatches::model::VisitStatus;
use crate::dispatches::store::DispatchRow;
use crate::dispatches::{records, visit_store};
use crate::error::{Error, ErrorCode};
use crate::experts::model::AffiliationKind;
use crate::http::Ctx;
use crate::ids::{CostItemId, ExpertId, OrganisationId};
use crate::pools::rules::ProgrammeRules;
use crate::pools::store::{ProgrammeRow, YearRow};
use crate::requests::store::RequestRow;
use crate::web::paper::{Paper, PaperCell, PaperTable};

/// Above how many yen a year payments to one payee go to the tax office (所得税法225条, lecture fees and the like).
const RECORD_ABOVE: i64 = 50_000;

/// What a paper is about.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A request.
    Request(Box<RequestRow>),
    /// A dispatch.
    Dispatch(Box<DispatchRow>),
    /// A claim.
    Claim(Box<ClaimRow>),
    /// A payment to an expert.
    Payment(Box<ExpertPaymentRow>),
    /// A calendar year of the own office.
    CalendarYear(i32),
    /// A programme's year, and a body in it.
    Year(Box<ProgrammeRow>, Box<YearRow>, Option<OrganisationId>),
}

/// A paper on its way to be issued.
#[derive(Debug, Clone, Default)]
pub struct Made {
    /// The paper; number, date, sender and title follow where they are empty.
    pub paper: Paper,
    /// To which body.
    pub recipient: Option<OrganisationId>,
}

/// Writes the paper of a kind.
pub fn make(conn: &mut Conn, ctx: &Ctx, kind: DocumentKind, subject: &Subject) -> Result<Made, Error> {
    match (kind, subject) {
        (_, Subject::Request(row)) => estimate(conn, row),
        (_, Subject::Dispatch(row)) => decision(conn, row),
        (_, Subject::Claim(row)) => contribution(conn, row),
        (_, Subject::Payment(row)) => payment(conn, row),
        (_, Subject::CalendarYear(year)) => payment_record(conn, ctx, *year),
        (DocumentKind::MunicipalStatement, Subject::Year(programme, year, Some(body))) => statement(conn, programme, year, *body),
        (DocumentKind::BudgetItemTable, Subject::Year(programme, year, _)) => by_budget_item(conn, programme, year),
        (DocumentKind::AllocationTaxEstimate, Subject::Year(programme, year, body)) => {
            allocation_tax(conn, programme, year, *body)
        }
        (_, Subject::Year(programme, year, _)) => programme_settlement(conn, programme, year),
    }
}

fn name(conn: &mut Conn, id: OrganisationId) -> Result<String, Error> {
    Ok(crate::organisations::store::find(conn, id)?.ok_or_else(Error::not_found)?.name)
}

fn names(conn: &mut Conn, ids: impl IntoIterator<Item = OrganisationId>) -> Result<BTreeMap<OrganisationId, String>, Error> {
    let ids: Vec<OrganisationId> = ids.into_iter().collect();
    Ok(crate::organisations::store::find_many(conn, &ids)?.into_iter().map(|row| (row.id, row.name)).collect())
}

fn label(names: &BTreeMap<OrganisationId, String>, organisation: Option<OrganisationId>, payer: Payer) -> String {
    organisation.and_then(|id| names.get(&id).cloned()).unwrap_or_else(|| payer.label_ja().to_owned())
}

fn year_text(year: i32) -> Result<String, Error> {
    Ok(FiscalYear::new(year).map_err(Error::internal)?.label_ja())
}

/// Adds up expected shares of visits by party.
fn add_shares(
    sums: &mut BTreeMap<(Payer, Option<OrganisationId>), i64>,
    parties: &Parties,
    rules: &ProgrammeRules,
    component: Component,
    amount: Yen,
) -> Result<(), Error> {
    for share in parties.divide(rules, component, amount)? {
        *sums.entry((share.payer, share.organisation)).or_insert(0) += share.amount.get();
    }
    Ok(())
}

fn share_table(
    conn: &mut Conn,
    caption: &str,
    sums: &BTreeMap<(Payer, Option<OrganisationId>), i64>,
) -> Result<PaperTable, Error> {
    let names = names(conn, sums.keys().filter_map(|(_, organisation)| *organisation))?;
    let mut table = PaperTable::new(caption, &["負担者", "区分", "負担額"]);
    for ((payer, organisation), yen) in sums {
        table.row(vec![label(&names, *organisation, *payer).into(), payer.label_ja().into(), PaperCell::yen(*yen)]);
    }
    table.total(vec!["合計".into(), "".into(), PaperCell::yen(sums.values().sum())]);
    Ok(table)
}

fn estimate(conn: &mut Conn, row: &RequestRow) -> Result<Made, Error> {
    let year = crate::pools::store::year(conn, row.programme_id, row.fiscal_year)?.ok_or_else(Error::not_found)?;
    let rules = &year.rules;
    let programme = crate::pools::store::programme(conn, row.programme_id)?;
    let Some(estimate) = model::estimate(rules, row.visit_count, row.minutes_per_visit)? else {
        return Err(Error::new(ErrorCode::RuleRefused).detail(
            "謝金の単価が公表されていないため、見積りを計算できません",
            "The fee table names no amount: nothing can be estimated",
        ));
    };
    let parties = parties_of_request(conn, row, rules)?;
    let mut sums = BTreeMap::new();
    for _ in 0..row.visit_count {
        add_shares(&mut sums, &parties, rules, Component::Honorarium, estimate.per_visit)?;
    }
    let mut table = PaperTable::new("見積額", &["費目", "1回", "回数", "金額"]);
    table.row(vec![
        "謝金".into(),
        PaperCell::yen(estimate.per_visit.get()),
        format!("{}回", row.visit_count).into(),
        PaperCell::yen(estimate.total.get()),
    ]);
    let shares = share_table(conn, "負担の見込み", &sums)?;
    Ok(Made {
        paper: Paper {
            to: format!("{} 御中", name(conn, row.applicant_organisation_id)?),
            lead: vec![
                format!(
                    "{} {}「{}」の申請「{}」に要する費用は、次のとおり見込まれます。",
                    year_text(row.fiscal_year)?,
                    "事業",
                    programme.name,
                    row.theme
                ),
                format!("1回{}分、{}回", row.minutes_per_visit, row.visit_count),
            ],
            tables: vec![table, shares],
            notes: vec![
                "旅費等は実績によるため含みません。".to_owned(),
                "承認前の見込みであり、確定した額ではありません。".to_owned(),
            ],
            ..Paper::default()
        },
        recipient: Some(row.applicant_organisation_id).filter(|_| !rules.amounts_undisclosed),
    })
}

fn parties_of_request(conn: &mut Conn, row: &RequestRow, rules: &ProgrammeRules) -> Result<Parties, Error> {
    let mut parties = Parties::single(row.owner_organisation_id, row.applicant_organisation_id, None);
    let agreed = agreement_store::of_request(conn, row.id)?.into_iter().next();
    let (terms, mut bodies) = match (agreed, &rules.sharing) {
        (Some(agreement), _) => (agreement.terms()?, agreement.sharing_bodies()?),
        (None, Some(terms)) => (terms.clone(), agreement_store::bodies_of_request(conn, row.id, terms)?),
        (None, None) => return Ok(parties),
    };
    for body in &mut bodies {
        (body.usage_minutes, body.usage_visits) = (Some(1), Some(1));
    }
    if bodies.len() > 1 {
        parties.sharing = Some((super::parties::prepare(&terms, &bodies)?, None));
    }
    Ok(parties)
}

/// What a planned visit of an expert will cost. `None`: the table names no amount.
fn planned_fee(conn: &mut Conn, rules: &ProgrammeRules, expert: ExpertId, minutes: i32) -> Result<Option<Yen>, Error> {
    let found = crate::experts::store::find(conn, expert)?.ok_or_else(Error::not_found)?;
    let grade = super::profile_store::find(conn, expert)?.map(|profile| profile.fee_grade);
    let official = found.affiliation_kind == AffiliationKind::PublicOfficial;
    model::fee_of(rules, minutes, grade.as_deref(), official)
}

fn decision(conn: &mut Conn, row: &DispatchRow) -> Result<Made, Error> {
    let rules = row.rules()?;
    let request = crate::requests::store::find(conn, row.request_id)?.ok_or_else(Error::not_found)?;
    let programme = crate::pools::store::programme(conn, row.programme_id)?;
    let visits = visit_store::of_dispatch(conn, row.id)?;
    let mut plan = PaperTable::new("派遣の予定", &["回", "期日", "時間", "方法"]);
    let mut sums = BTreeMap::new();
    let mut must_be_entered = false;
    for (i, visit) in visits.iter().filter(|visit| VisitStatus::LOADING.contains(&visit.status)).enumerate() {
        let day = visit.day.map_or_else(|| "調整中".to_owned(), wareki);
        plan.row(vec![
            format!("第{}回", i + 1).into(),
            day.into(),
            format!("{}分", visit.planned_minutes).into(),
            visit.mode.label_ja().into(),
        ]);
        match planned_fee(conn, &rules, visit.expert_id, visit.planned_minutes)? {
            Some(fee) => {
                let parties = Parties::of_dispatch(conn, row, &rules, Some(visit))?;
                add_shares(&mut sums, &parties, &rules, Component::Honorarium, fee)?;
            }
            None => must_be_entered = true,
        }
    }
    let experts: Vec<ExpertId> =
        records::experts_of(conn, &[row.id])?.iter().filter(|one| one.active).map(|one| one.expert_id).collect();
    let mut called = Vec::new();
    for id in experts {
        called.extend(crate::experts::store::find(conn, id)?.map(|expert| expert.name));
    }
    let mut tables = vec![plan];
    let mut notes = Vec::new();
    if rules.amounts_undisclosed || must_be_entered {
        notes.push("費用の額は公表されていません。".to_owned());
    } else {
        tables.push(share_table(conn, "費用の負担（謝金の計画額）", &sums)?);
        notes.push("旅費等は実績により、同じ負担区分で精算します。".to_owned());
    }
    if let Some(agreement) = agreement_store::in_force(conn, row.request_id)? {
        notes.push(format!("負担割合は{}付けの合意（第{}版）による。", wareki(agreement.row.agreed_on), agreement.row.number));
    }
    let own = row.number.clone().unwrap_or_else(|| format!("相談{}", row.id));
    let number = if row.amendment_number == 0 { own } else { format!("{own}（変更{}）", row.amendment_number) };
    Ok(Made {
        paper: Paper {
            number,
            to: format!("{} 御中", name(conn, row.applicant_organisation_id)?),
            lead: vec![
                format!("申請のあった「{}」について、「{}」により次のとおり派遣を決定しました。", request.theme, programme.name),
                format!("専門家　{}", called.join("、")),
                format!("期間　{}から{}まで", wareki(row.period_from), wareki(row.period_to)),
            ],
            tables,
            notes,
            ..Paper::default()
        },
        recipient: Some(row.applicant_organisation_id),
    })
}

fn contribution(conn: &mut Conn, row: &ClaimRow) -> Result<Made, Error> {
    let creditor = name(conn, row.creditor_organisation_id)?;
    let mut table = PaperTable::new("納期限と金額", &["回", "納期限", "金額"]);
    for (_, number, due_on, yen) in settlement_store::instalments(conn, &[row.id])? {
        table.row(vec![format!("第{number}期").into(), wareki(due_on).into(), PaperCell::yen(yen)]);
    }
    table.total(vec!["合計".into(), "".into(), PaperCell::yen(row.amount_yen)]);
    let what = match row.kind {
        ClaimKind::Contribution => "負担金を、次のとおり納入してください。",
        ClaimKind::Additional => "額の訂正により不足した負担金を、次のとおり追加で納入してください。",
        ClaimKind::Repayment => "額の訂正により過納となった金額を、次のとおり返納します。",
    };
    let settlement = settlement_store::find(conn, row.settlement_id)?.ok_or_else(Error::not_found)?;
    let (items, shares) = store::for_settlement(conn, row.settlement_id)?;
    let mut basis = PaperTable::new("算定の基礎", &["費目", "対象日", "全体の額", "うち負担額"]);
    let party = if row.kind == ClaimKind::Repayment { row.creditor_organisation_id } else { row.debtor_organisation_id };
    let pair = match row.kind {
        ClaimKind::Repayment => (row.creditor_organisation_id, row.debtor_organisation_id),
        _ => (row.debtor_organisation_id, row.creditor_organisation_id),
    };
    // What was corrected after the bill has claims of its own.
    let told = |item: &&CostItemRow| match row.cost_item_id {
        Some(id) => id == item.id,
        None => item.created_at <= row.created_at,
    };
    for item in items.iter().filter(told) {
        let owed = super::billing::owed(conn, &settlement, std::slice::from_ref(item), &shares)?;
        let own = owed.get(&pair).copied().unwrap_or(0);
        if own != 0 && !item.undisclosed {
            basis.row(vec![
                item.component.label_ja().into(),
                wareki(item.occurred_on).into(),
                PaperCell::yen(item.amount_yen),
                PaperCell::yen(own),
            ]);
        }
    }
    let mut notes =
        vec!["1円未満の端数は切り捨て、分割により生じた端数は最初の納期に加えています（端数計算法2条・3条）。".to_owned()];
    if row.prior_year {
        notes.push("過年度に係る負担金です。".to_owned());
    }
    Ok(Made {
        paper: Paper {
            number: row.number.clone(),
            to: format!("{} 御中", name(conn, party)?),
            lead: vec![format!("{creditor}に対する{}の{what}", year_text(row.fiscal_year)?)],
            tables: vec![table, basis],
            notes,
            ..Paper::default()
        },
        recipient: Some(party),
    })
}

fn payment(conn: &mut Conn, row: &ExpertPaymentRow) -> Result<Made, Error> {
    let expert = crate::experts::store::find(conn, row.expert_id)?.ok_or_else(Error::not_found)?;
    let to = match row.payee_organisation_id {
        Some(payee) => format!("{} 御中", name(conn, payee)?),
        None => format!("{} 様", expert.name),
    };
    let mut table = PaperTable::new("支払額", &["項目", "金額"]);
    table.row(vec!["謝金".into(), PaperCell::yen(row.honorarium_yen)]);
    table.row(vec!["旅費（本人に支払う分）".into(), PaperCell::yen(row.travel_yen)]);
    table.row(vec!["源泉徴収税額".into(), PaperCell::yen(-row.withholding_yen)]);
    table.total(vec!["差引支払額".into(), PaperCell::yen(row.net_yen)]);
    let back = row.net_yen < 0;
    Ok(Made {
        paper: Paper {
            number: row.number.clone(),
            to,
            lead: vec![
                format!(
                    "{} {}の実績に基づき、次のとおり{}。",
                    year_text(row.fiscal_year)?,
                    expert.name,
                    if back { "返納をお願いします" } else { "お支払いします" }
                ),
                format!("{}　{}", if back { "返納期限" } else { "支払予定日" }, wareki(row.due_on)),
            ],
            tables: vec![table],
            notes: vec![
                format!("源泉徴収の区分: {}", row.withholding_category.label_ja()),
                "源泉徴収は支払ごとに計算し、本人に支払う旅費を含む額を対象とします（国税庁No.2795）。".to_owned(),
            ],
            ..Paper::default()
        },
        recipient: row.payee_organisation_id,
    })
}

/// What certain shares of each item sum to; items without such a share are left out.
fn parts_of<'a>(shares: impl Iterator<Item = &'a CostShareRow>) -> HashMap<CostItemId, i64> {
    let mut sums = HashMap::new();
    for share in shares {
        *sums.entry(share.cost_item_id).or_insert(0) += share.amount_yen;
    }
    sums
}

/// The costs of a programme's year with their shares.
fn costs_of(conn: &mut Conn, year: &YearRow) -> Result<(Vec<CostItemRow>, Vec<CostShareRow>), Error> {
    store::for_year(conn, year.programme_id, year.fiscal_year)
}

fn flags(items: &[CostItemRow]) -> Vec<String> {
    let mut notes = Vec::new();
    if items.iter().any(|item| item.approximate) {
        notes.push("概数（約）から計算した額を含みます。".to_owned());
    }
    if items.iter().any(|item| item.adjusts_id.is_some()) {
        notes.push("追給・返納を含みます。".to_owned());
    }
    notes
}

fn statement(conn: &mut Conn, programme: &ProgrammeRow, year: &YearRow, body: OrganisationId) -> Result<Made, Error> {
    let (items, shares) = costs_of(conn, year)?;
    let mut table = PaperTable::new("負担額の明細", &["費目", "対象日", "説明", "負担額"]);
    let (mut total, mut hidden) = (0, false);
    let parts = parts_of(shares.iter().filter(|share| share.organisation_id == Some(body)));
    for item in &items {
        let Some(own) = parts.get(&item.id).copied() else { continue };
        let kind = if item.adjusts_id.is_some() {
            format!("{}（追給・返納）", item.component.label_ja())
        } else {
            item.component.label_ja().to_owned()
        };
        if item.undisclosed {
            hidden = true;
            table.row(vec![kind.into(), wareki(item.occurred_on).into(), "非公表".into(), "非公表".into()]);
            continue;
        }
        total += own;
        table.row(vec![kind.into(), wareki(item.occurred_on).into(), item.explanation.clone().into(), PaperCell::yen(own)]);
    }
    table.total(vec![if hidden { "合計（非公表分を除く）" } else { "合計" }.into(), "".into(), "".into(), PaperCell::yen(total)]);
    Ok(Made {
        paper: Paper {
            to: format!("{} 御中", name(conn, body)?),
            lead: vec![format!(
                "{}「{}」における貴団体の負担額は、次のとおりです。",
                year_text(year.fiscal_year)?,
                programme.name
            )],
            tables: vec![table],
            notes: flags(&items),
            ..Paper::default()
        },
        recipient: Some(body),
    })
}

fn programme_settlement(conn: &mut Conn, programme: &ProgrammeRow, year: &YearRow) -> Result<Made, Error> {
    let (items, shares) = costs_of(conn, year)?;
    let payers: Vec<Payer> =
        Payer::ALL.iter().copied().filter(|payer| shares.iter().any(|share| share.payer == *payer)).collect();
    let mut columns = vec!["費目", "総額"];
    columns.extend(payers.iter().map(|payer| payer.label_ja()));
    let mut table = PaperTable::new("費目別・負担区分別", &columns);
    let parts: Vec<HashMap<CostItemId, i64>> =
        payers.iter().map(|payer| parts_of(shares.iter().filter(|share| share.payer == *payer))).collect();
    let of = |component: Option<Component>, part: &dyn Fn(&CostItemRow) -> i64| -> i64 {
        items.iter().filter(|item| component.is_none_or(|wanted| item.component == wanted)).map(part).sum()
    };
    let row = |component: Option<Component>| -> Vec<PaperCell> {
        std::iter::once(PaperCell::yen(of(component, &|item| item.amount_yen)))
            .chain(parts.iter().map(|part| PaperCell::yen(of(component, &|item| part.get(&item.id).copied().unwrap_or(0)))))
            .collect()
    };
    for component in Component::ALL.iter().filter(|component| items.iter().any(|item| item.component == **component)) {
        let mut cells: Vec<PaperCell> = vec![component.label_ja().into()];
        cells.extend(row(Some(*component)));
        table.row(cells);
    }
    let mut cells: Vec<PaperCell> = vec!["合計".into()];
    cells.extend(row(None));
    table.total(cells);
    let mut sums: BTreeMap<(Payer, Option<OrganisationId>), i64> = BTreeMap::new();
    for share in &shares {
        *sums.entry((share.payer, share.organisation_id)).or_insert(0) += share.amount_yen;
    }
    let bodies = share_table(conn, "負担者別", &sums)?;
    let mut notes = flags(&items);
    if let Some(budget) = year.rules.budget_yen {
        let bound = super::budget_store::bound(conn, programme.id, year.fiscal_year)?;
        notes.push(format!("予算{budget}、使用（予定を含む）{}円。", PaperCell::yen(bound).text.trim_end_matches('円')));
    }
    Ok(Made {
        paper: Paper {
            lead: vec![format!("{}「{}」の精算", year_text(year.fiscal_year)?, programme.name)],
            tables: vec![table, bodies],
            notes,
            ..Paper::default()
        },
        recipient: None,
    })
}

fn by_budget_item(conn: &mut Conn, programme: &ProgrammeRow, year: &YearRow) -> Result<Made, Error> {
    let (items, shares) = costs_of(conn, year)?;
    let mut sums: BTreeMap<(u8, &str), (i64, i64)> = BTreeMap::new();
    let parts = parts_of(shares.iter().filter(|share| share.payer == Payer::Prefecture));
    for item in &items {
        let key = item.component.budget_item();
        let own = parts.get(&item.id).copied().unwrap_or(0);
        let sum = sums.entry((key.number, key.name)).or_default();
        sum.0 += item.amount_yen;
        sum.1 += own;
    }
    let mut table = PaperTable::new("節別", &["節", "名称", "総額", "うち都道府県負担"]);
    for ((number, title), (all, own)) in &sums {
        table.row(vec![number.to_string().into(), (*title).into(), PaperCell::yen(*all), PaperCell::yen(*own)]);
    }
    let (all, own) = sums.values().fold((0, 0), |(all, own), one| (all + one.0, own + one.1));
    table.total(vec!["計".into(), "".into(), PaperCell::yen(all), PaperCell::yen(own)]);
    let mut notes = flags(&items);
    notes.push(
        "節の番号は令和2年度以降のもの（地方自治法施行規則別記）。市町村が県に納める負担金は、市町村では18節から支出されます。"
            .to_owned(),
    );
    Ok(Made {
        paper: Paper {
            lead: vec![format!("{}「{}」", year_text(year.fiscal_year)?, programme.name)],
            tables: vec![table],
            notes,
            ..Paper::default()
        },
        recipient: None,
    })
}

fn allocation_tax(
    conn: &mut Conn,
    programme: &ProgrammeRow,
    year: &YearRow,
    body: Option<OrganisationId>,
) -> Result<Made, Error> {
    let (items, shares) = costs_of(conn, year)?;
    let mut table = PaperTable::new("措置の見込み", &["項目", "対象となる負担額", "率", "見込額", "根拠"]);
    let mut total = 0;
    for rule in &year.rules.allocation_tax {
        let bears =
            |share: &&CostShareRow| share.payer == rule.payer && body.is_none_or(|body| share.organisation_id == Some(body));
        let parts = parts_of(shares.iter().filter(bears));
        let cost: i64 = items
            .iter()
            .filter(|item| rule.components.contains(&item.component) && (body.is_none() || !item.undisclosed))
            .filter_map(|item| parts.get(&item.id))
            .sum();
        let estimate = rule.estimate(Yen::new(cost.max(0)).map_err(Error::internal)?).map_err(Error::internal)?;
        total += estimate.get();
        let rate = match rule.cap_yen {
            Some(cap) => format!("{}/{}（上限{cap}）", rule.numerator, rule.denominator),
            None => format!("{}/{}", rule.numerator, rule.denominator),
        };
        table.row(vec![
            rule.label.clone().into(),
            PaperCell::yen(cost),
            rate.into(),
            PaperCell::yen(estimate.get()),
            rule.source.clone().into(),
        ]);
    }
    table.total(vec!["合計".into(), "".into(), "".into(), PaperCell::yen(total), "".into()]);
    let hidden = body.is_some() && items.iter().any(|item| item.undisclosed);
    let to = match body {
        Some(body) => format!("{} 御中", name(conn, body)?),
        None => String::new(),
    };
    Ok(Made {
        paper: Paper {
            to,
            lead: vec![format!(
                "{}「{}」について見込まれる特別交付税の措置額（参考）",
                year_text(year.fiscal_year)?,
                programme.name
            )],
            tables: vec![table],
            notes: vec![
                "見込みであり、決定された額ではありません。特別交付税は後に一般財源として交付され、負担者には含めません。"
                    .to_owned(),
                "率・上限・対象は事業の規則に登録された年度の値です。要綱等で確認してください。".to_owned(),
            ]
            .into_iter()
            .chain(hidden.then(|| "非公表の額を含みません。".to_owned()))
            .collect(),
            ..Paper::default()
        },
        recipient: body,
    })
}

fn payment_record(conn: &mut Conn, ctx: &Ctx, year: i32) -> Result<Made, Error> {
    let day = |month, day| NaiveDate::from_ymd_opt(year, month, day).ok_or_else(Error::not_found);
    let rows = settlement_store::paid_between(conn, ctx.organisation(), day(1, 1)?, day(12, 31)?)?;
    let mut sums: BTreeMap<(Option<OrganisationId>, ExpertId), (i64, i64, i64)> = BTreeMap::new();
    for row in &rows {
        // A company's payments are one payee's whoever went.
        let key = match row.payee_organisation_id {
            Some(payee) => (Some(payee), ExpertId(0)),
            None => (None, row.expert_id),
        };
        let sum = sums.entry(key).or_default();
        sum.0 += row.honorarium_yen + row.travel_yen;
        sum.1 += row.withholding_yen;
        sum.2 += 1;
    }
    let names = names(conn, sums.keys().filter_map(|(payee, _)| *payee))?;
    let mut table = PaperTable::new("支払先別", &["支払先", "件数", "支払金額", "源泉徴収税額", "提出"]);
    for ((payee, expert), (paid, withheld, count)) in &sums {
        let who = match payee {
            Some(payee) => names.get(payee).cloned().unwrap_or_default(),
            None => crate::experts::store::find(conn, *expert)?.map(|expert| expert.name).unwrap_or_default(),
        };
        table.row(vec![
            who.into(),
            count.to_string().into(),
            PaperCell::yen(*paid),
            PaperCell::yen(*withheld),
            if *paid > RECORD_ABOVE { "要" } else { "不要" }.into(),
        ]);
    }
    let (paid, withheld) = sums.values().fold((0, 0), |(paid, withheld), one| (paid + one.0, withheld + one.1));
    table.total(vec!["合計".into(), rows.len().to_string().into(), PaperCell::yen(paid), PaperCell::yen(withheld), "".into()]);
    let first = day(1, 1)?;
    Ok(Made {
        paper: Paper {
            lead: vec![format!("{}年（暦年）中に支払った報酬等", first.year())],
            tables: vec![table],
            notes: vec![
                format!(
                    "同一人への年間の支払が{}円を超えるものは、翌年1月31日までに税務署へ提出します。源泉徴収のない支払・法人への支払を含みます。",
                    PaperCell::yen(RECORD_ABOVE).text.trim_end_matches('円')
                ),
                "個人番号（マイナンバー）はこのサービスでは扱いません。".to_owned(),
            ],
            ..Paper::default()
        },
        recipient: None,
    })
}
