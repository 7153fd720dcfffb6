//! Use cases of statistics: who sees which figures, and the figures put together. Reads only.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

use super::export::LARGEST_EXPORT;
use super::model::{CoverageBand, DispatchBreakdown, Years, is_estimate, month_text, permille};
use super::queries::{self, Counted, CountedRow, DispatchScope, Division, Figures};
use super::queries_money::{self, CostPeriod};
use super::views::{
    CostBudgetItemSum, CostComponentSum, CostOrganisationSum, CostPayerSum, CostStatistics, CoverageBandView, CoverageFigures,
    CoverageOrganisation, CoverageStatistics, DispatchPart, DispatchStatistics, DispatchTotal, DispatchYear, ExpertWorkload,
    WorkloadStatistics, WorkloadStatisticsMonth,
};
use crate::auth::policy::Role;
use crate::calendar::FiscalYear;
use crate::costs::{BudgetItem, Component, Payer};
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::http::Ctx;
use crate::ids::{ExpertId, OrganisationId, PoolId, ProgrammeId};
use crate::organisations::store as organisations;
use crate::pools::store::{self as pools, ProgrammeRow, Standing};
use crate::requests::model::{ActivityKind, Mode};

/// The dispatch table of a visible programme, divided when asked.
pub fn dispatches(
    conn: &mut Conn,
    ctx: &Ctx,
    scope: DispatchScope,
    by: Option<DispatchBreakdown>,
) -> Result<DispatchStatistics, Error> {
    let (programme, _) = pools::visible_programme(conn, ctx, scope.programme)?;
    let by_year: HashMap<i32, Counted> =
        queries::dispatch_counts(conn, &scope, Division::Year)?.into_iter().map(|(year, _, counted)| (year, counted)).collect();
    let whole = queries::dispatch_counts(conn, &scope, Division::Whole)?.into_iter().next().map(|row| row.2).unwrap_or_default();
    let years = scope
        .years
        .iter()
        .map(|year| dispatch_year(year, by_year.get(&year.starting_year()).copied().unwrap_or_default(), &scope))
        .collect();
    let parts = by.map(|by| dispatch_parts(conn, &scope, by)).transpose()?;
    Ok(DispatchStatistics {
        programme_id: programme.id,
        programme_name: programme.name,
        from_fiscal_year: scope.years.from().starting_year(),
        to_fiscal_year: scope.years.to().starting_year(),
        total: dispatch_total(whole, &scope),
        activities: scope.kinds,
        as_of: scope.as_of,
        years,
        by,
        parts,
    })
}

fn dispatch_year(year: FiscalYear, counted: Counted, scope: &DispatchScope) -> DispatchYear {
    let estimate = is_estimate(year, scope.as_of);
    DispatchYear {
        fiscal_year: year.starting_year(),
        label: year.short(),
        organisations: counted.main.organisations,
        visits: counted.main.visits,
        experts: counted.main.experts,
        minutes: counted.main.minutes,
        is_estimate: estimate,
        as_of: scope.as_of.filter(|_| estimate),
        planned: scope.as_of.is_none().then(|| counted.ahead.into()),
        expected: estimate.then(|| counted.ahead.into()),
        consultations: counted.consultations.into(),
    }
}

fn dispatch_total(whole: Counted, scope: &DispatchScope) -> DispatchTotal {
    let estimate = is_estimate(scope.years.to(), scope.as_of);
    DispatchTotal {
        organisations: whole.main.organisations,
        visits: whole.main.visits,
        experts: whole.main.experts,
        minutes: whole.main.minutes,
        is_estimate: estimate,
        planned: scope.as_of.is_none().then(|| whole.ahead.into()),
        expected: estimate.then(|| whole.ahead.into()),
        consultations: whole.consultations.into(),
    }
}

fn dispatch_parts(conn: &mut Conn, scope: &DispatchScope, by: DispatchBreakdown) -> Result<Vec<DispatchPart>, Error> {
    let division = match by {
        DispatchBreakdown::Organisation => Division::Organisation,
        DispatchBreakdown::Expert => Division::Expert,
        DispatchBreakdown::Mode => Division::Mode,
        DispatchBreakdown::Month => Division::Month,
        DispatchBreakdown::Activity => Division::Activity,
    };
    let rows: Vec<CountedRow> =
        queries::dispatch_counts(conn, scope, division)?.into_iter().filter(|(_, _, counted)| counted.main.visits > 0).collect();
    let keys: Vec<i64> = rows.iter().map(|(_, key, _)| *key).collect();
    match by {
        DispatchBreakdown::Organisation => {
            let ids: Vec<OrganisationId> = distinct(keys).into_iter().map(OrganisationId).collect();
            let names = queries::organisation_names(conn, &ids)?;
            let names = names.into_iter().map(|(id, code, name)| (id.0, (code, name))).collect();
            Ok(in_order_of(rows, names, |(code, name), figures| DispatchPart {
                lg_code: code.clone(),
                experts: Some(figures.experts),
                ..participations(name, figures)
            }))
        }
        DispatchBreakdown::Expert => {
            let ids: Vec<ExpertId> = distinct(keys).into_iter().map(ExpertId).collect();
            let names = queries::expert_names(conn, &ids)?.into_iter().map(|(id, name, _)| (id.0, name)).collect();
            Ok(in_order_of(rows, names, |name, figures| DispatchPart {
                organisations: Some(figures.organisations),
                ..participations(name, figures)
            }))
        }
        DispatchBreakdown::Month => Ok(rows
            .into_iter()
            .map(|(year, key, counted)| addable(year, month_text(key), month_text(key), counted.main))
            .collect()),
        DispatchBreakdown::Mode => Ok(rows
            .into_iter()
            .filter_map(|(year, key, counted)| {
                let mode = Mode::ALL.get(usize::try_from(key).ok()?)?;
                Some(addable(year, mode.as_str().to_owned(), mode.label_ja().to_owned(), counted.main))
            })
            .collect()),
        DispatchBreakdown::Activity => Ok(rows
            .into_iter()
            .filter_map(|(year, key, counted)| {
                let kind = ActivityKind::ALL.get(usize::try_from(key).ok()?)?;
                Some(addable(year, kind.as_str().to_owned(), kind.label_ja().to_owned(), counted.main))
            })
            .collect()),
    }
}

fn distinct(mut keys: Vec<i64>) -> Vec<i64> {
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Rows by year, and within a year in the order in which the names were found.
fn in_order_of<N>(rows: Vec<CountedRow>, names: Vec<(i64, N)>, part: impl Fn(&N, Figures) -> DispatchPart) -> Vec<DispatchPart> {
    let rank: HashMap<i64, usize> = names.iter().enumerate().map(|(i, (id, _))| (*id, i)).collect();
    let mut ranked: Vec<(i32, usize, i64, Figures)> =
        rows.into_iter().filter_map(|(year, key, counted)| rank.get(&key).map(|rank| (year, *rank, key, counted.main))).collect();
    ranked.sort_unstable_by_key(|(year, rank, ..)| (*year, *rank));
    ranked
        .into_iter()
        .filter_map(|(year, rank, key, figures)| {
            names.get(rank).map(|(_, name)| DispatchPart { fiscal_year: year, key: key.to_string(), ..part(name, figures) })
        })
        .collect()
}

fn participations(label: &str, figures: Figures) -> DispatchPart {
    DispatchPart {
        fiscal_year: 0,
        key: String::new(),
        label: label.to_owned(),
        lg_code: None,
        visits: None,
        minutes: None,
        participations: Some(figures.visits),
        participation_minutes: Some(figures.minutes),
        organisations: None,
        experts: None,
    }
}

fn addable(fiscal_year: i32, key: String, label: String, figures: Figures) -> DispatchPart {
    DispatchPart {
        fiscal_year,
        key,
        label,
        lg_code: None,
        visits: Some(figures.visits),
        minutes: Some(figures.minutes),
        participations: None,
        participation_minutes: None,
        organisations: Some(figures.organisations),
        experts: Some(figures.experts),
    }
}

/// Whose load is asked for.
#[derive(Debug, Clone, Copy)]
pub enum WorkloadOf {
    /// All programmes that draw from a pool.
    Pool(PoolId),
    /// One programme; shares are then its part of the capacity.
    Programme(ProgrammeId),
}

/// The load of a pool's experts: all of them for the pool's owner, the own one for an expert, 403 for other members.
pub fn workload(conn: &mut Conn, ctx: &Ctx, of: WorkloadOf, years: Years) -> Result<WorkloadStatistics, Error> {
    let (pool, programme, standing) = match of {
        WorkloadOf::Pool(id) => {
            let (pool, standing) = pools::visible_pool(conn, ctx, id)?;
            (pool.id, None, standing)
        }
        WorkloadOf::Programme(id) => {
            let (programme, standing) = pools::visible_programme(conn, ctx, id)?;
            (programme.pool_id, Some(programme.id), standing)
        }
    };
    let own: Option<&[ExpertId]> = match (ctx.principal.acts_as, standing) {
        (Role::Expert, _) => Some(&ctx.principal.expert_ids),
        (_, Standing::Owner) => None,
        _ => return Err(Error::new(ErrorCode::Forbidden)),
    };
    let experts = super::export::complete(queries::pool_experts(conn, pool, own, LARGEST_EXPORT + 1)?)?;
    let mut loads: HashMap<i64, Vec<queries::MonthLoad>> = HashMap::new();
    for load in queries::workload(conn, pool, programme, own, years)? {
        loads.entry(load.expert).or_default().push(load);
    }
    let experts = experts
        .into_iter()
        .filter(|expert| expert.status != "retired" || loads.contains_key(&expert.id.0))
        .map(|expert| {
            let months = loads.get(&expert.id.0).map(Vec::as_slice).unwrap_or_default();
            expert_workload(expert, months)
        })
        .collect();
    Ok(WorkloadStatistics {
        pool_id: pool,
        programme_id: programme,
        fiscal_year: years.from().starting_year(),
        label: years.from().short(),
        experts,
    })
}

fn expert_workload(expert: queries::PoolExpert, loads: &[queries::MonthLoad]) -> ExpertWorkload {
    let total = |of: fn(&queries::MonthLoad) -> i64| loads.iter().map(of).sum::<i64>();
    let (done_minutes, planned_minutes, days) = (total(|l| l.done_minutes), total(|l| l.planned_minutes), total(|l| l.days));
    let mut sorted: Vec<&queries::MonthLoad> = loads.iter().collect();
    sorted.sort_unstable_by_key(|load| load.month);
    ExpertWorkload {
        expert_id: expert.id,
        name: expert.name,
        status: expert.status,
        done_visits: total(|l| l.done_visits),
        done_minutes,
        planned_visits: total(|l| l.planned_visits),
        planned_minutes,
        days,
        capacity_minutes: expert.capacity.minutes(),
        capacity_days: expert.capacity.days_year,
        capacity_taken_permille: expert.capacity.taken_permille(done_minutes + planned_minutes, days),
        months: sorted
            .into_iter()
            .map(|load| WorkloadStatisticsMonth {
                month: month_text(load.month),
                done_visits: load.done_visits,
                done_minutes: load.done_minutes,
                planned_visits: load.planned_visits,
                planned_minutes: load.planned_minutes,
            })
            .collect(),
    }
}

/// Which member municipalities a visible programme has reached.
pub fn coverage(
    conn: &mut Conn,
    ctx: &Ctx,
    programme: ProgrammeId,
    years: Years,
    kinds: &[ActivityKind],
) -> Result<CoverageStatistics, Error> {
    let (programme, _) = pools::visible_programme(conn, ctx, programme)?;
    let members_on = years.last_day().min(ctx.today());
    let members = queries::member_municipalities(conn, programme.pool_id, members_on)?;
    let ids: Vec<OrganisationId> = members.iter().map(|member| member.0).collect();
    let populations: HashMap<_, _> =
        organisations::populations_on(conn, &ids, members_on)?.into_iter().map(|row| (row.organisation_id, row)).collect();
    let services: HashMap<_, _> =
        queries::services(conn, programme.id, kinds, years)?.into_iter().map(|row| (row.organisation, row)).collect();
    let organisations = members
        .into_iter()
        .map(|(id, lg_code, name)| {
            let population = populations.get(&id);
            let service = services.get(&id);
            CoverageOrganisation {
                organisation_id: id,
                lg_code,
                name,
                population: population.map(|row| row.population),
                population_as_of: population.map(|row| row.as_of),
                band: CoverageBand::of(population.map(|row| row.population)),
                participations: service.map_or(0, |row| row.participations),
                first_served_fiscal_year: service.and_then(|row| row.first).map(|day| FiscalYear::of(day).starting_year()),
                last_served_fiscal_year: service.and_then(|row| row.last).map(|day| FiscalYear::of(day).starting_year()),
            }
        })
        .collect();
    Ok(coverage_view(programme, years, members_on, organisations))
}

fn coverage_view(
    programme: ProgrammeRow,
    years: Years,
    members_on: chrono::NaiveDate,
    organisations: Vec<CoverageOrganisation>,
) -> CoverageStatistics {
    let figures = |chosen: &dyn Fn(&&CoverageOrganisation) -> bool| coverage_figures(organisations.iter().filter(chosen), years);
    let all = figures(&|_| true);
    let bands = CoverageBand::ALL
        .iter()
        .map(|band| CoverageBandView {
            band: *band,
            label: band.label_ja().to_owned(),
            figures: figures(&|organisation| organisation.band == *band),
        })
        .filter(|band| band.figures.members > 0)
        .collect();
    CoverageStatistics {
        programme_id: programme.id,
        programme_name: programme.name,
        from_fiscal_year: years.from().starting_year(),
        to_fiscal_year: years.to().starting_year(),
        members_on,
        all,
        bands,
        organisations,
    }
}

fn coverage_figures<'o>(organisations: impl Iterator<Item = &'o CoverageOrganisation>, years: Years) -> CoverageFigures {
    let mut figures = CoverageFigures::default();
    for organisation in organisations {
        figures.members += 1;
        figures.served += i64::from(organisation.participations > 0);
        figures.never_served += i64::from(organisation.first_served_fiscal_year.is_none());
        let before = organisation.first_served_fiscal_year.is_some_and(|year| year < years.from().starting_year());
        figures.never_served_before += i64::from(!before);
    }
    figures.served_permille = permille(figures.served, figures.members);
    figures.never_served_before_permille = permille(figures.never_served_before, figures.members);
    figures.never_served_permille = permille(figures.never_served, figures.members);
    figures
}

/// What the visits of a visible programme cost in a fiscal year. Members other than the owner see disclosed items only,
/// of the bodies only what they bear themselves, and nothing at all where the year's rules keep the amounts.
pub fn costs(
    conn: &mut Conn,
    ctx: &Ctx,
    programme: ProgrammeId,
    years: Years,
    calendar_year: Option<i32>,
) -> Result<CostStatistics, Error> {
    let (programme, standing) = pools::visible_programme(conn, ctx, programme)?;
    let owner = standing == Standing::Owner;
    let fiscal_year = years.from().starting_year();
    let period = match calendar_year {
        Some(year) => CostPeriod::Days(
            NaiveDate::from_ymd_opt(year, 1, 1).ok_or_else(|| Error::internal("year"))?,
            NaiveDate::from_ymd_opt(year, 12, 31).ok_or_else(|| Error::internal("year"))?,
        ),
        None => CostPeriod::Fiscal(fiscal_year),
    };
    let undisclosed = pools::year(conn, programme.id, fiscal_year)?.is_some_and(|year| year.rules.amounts_undisclosed);
    let components = queries_money::by_component(conn, programme.id, period)?;
    let open_items = components.iter().filter(|sum| !sum.calculated).map(|sum| sum.items).sum();
    let hidden = |item_undisclosed: bool| !owner && (undisclosed || item_undisclosed);
    let is_partial = components.iter().any(|sum| hidden(sum.undisclosed));
    let shown: Vec<_> = components.into_iter().filter(|sum| sum.calculated && !hidden(sum.undisclosed)).collect();
    let payers: Vec<_> =
        queries_money::by_payer(conn, programme.id, period)?.into_iter().filter(|sum| !hidden(sum.undisclosed)).collect();
    let total: i64 = shown.iter().map(|sum| sum.yen).sum();
    let ids: Vec<OrganisationId> = distinct(payers.iter().filter_map(|sum| sum.organisation).map(|id| id.0).collect())
        .into_iter()
        .map(OrganisationId)
        .collect();
    let own = |id: OrganisationId| owner || id == ctx.organisation();
    let names = queries::organisation_names(conn, &ids)?;
    let mut by_item: BTreeMap<BudgetItem, i64> = BTreeMap::new();
    for sum in &shown {
        *by_item.entry(sum.component.budget_item()).or_insert(0) += sum.yen;
    }
    Ok(CostStatistics {
        programme_id: programme.id,
        programme_name: programme.name,
        fiscal_year,
        is_partial,
        is_approximate: shown.iter().any(|sum| sum.approximate),
        amounts_undisclosed: undisclosed,
        total_yen: (owner || !undisclosed).then_some(total),
        components: Component::ALL
            .iter()
            .filter_map(|component| {
                let found: Vec<i64> = shown.iter().filter(|sum| sum.component == *component).map(|sum| sum.yen).collect();
                (!found.is_empty()).then(|| CostComponentSum {
                    component: *component,
                    label: component.label_ja().to_owned(),
                    amount_yen: found.iter().sum(),
                })
            })
            .collect(),
        budget_items: by_item
            .into_iter()
            .map(|(item, amount_yen)| CostBudgetItemSum { number: item.number, label: item.name.to_owned(), amount_yen })
            .collect(),
        payers: Payer::ALL
            .iter()
            .filter_map(|payer| {
                let found: Vec<i64> = payers.iter().filter(|sum| sum.payer == *payer).map(|sum| sum.yen).collect();
                (!found.is_empty()).then(|| CostPayerSum {
                    payer: *payer,
                    label: payer.label_ja().to_owned(),
                    amount_yen: found.iter().sum(),
                })
            })
            .collect(),
        organisations: names
            .into_iter()
            .filter(|(id, ..)| own(*id))
            .map(|(id, lg_code, name)| CostOrganisationSum {
                organisation_id: id,
                lg_code,
                name,
                amount_yen: payers.iter().filter(|sum| sum.organisation == Some(id)).map(|sum| sum.yen).sum(),
            })
            .collect(),
        open_items: owner.then_some(open_items),
    })
}

#[cfg(test)]
mod tests {
    use super::super::model::Capacity;
    use super::*;

    fn town(band: CoverageBand, participations: i64, first: Option<i32>) -> CoverageOrganisation {
        CoverageOrganisation {
            organisation_id: OrganisationId(1),
            lg_code: None,
            name: String::new(),
            population: None,
            population_as_of: None,
            band,
            participations,
            first_served_fiscal_year: first,
            last_served_fiscal_year: first,
        }
    }

    #[test]
    fn coverage_tells_who_was_reached_for_the_first_time() {
        let towns = [
            town(CoverageBand::Under10k, 0, None),
            town(CoverageBand::Under10k, 2, Some(2024)),
            town(CoverageBand::Under10k, 0, Some(2020)),
            town(CoverageBand::From10k, 1, Some(2020)),
        ];
        let figures = coverage_figures(towns.iter(), Years::single(2024).unwrap());
        assert_eq!((figures.members, figures.served, figures.never_served_before, figures.never_served), (4, 2, 2, 1));
        assert_eq!((figures.never_served_before_permille, figures.never_served_permille), (Some(500), Some(250)));
        assert_eq!(coverage_figures([].iter(), Years::single(2024).unwrap()).served_permille, None);
    }

    #[test]
    fn an_experts_load_is_the_sum_of_the_months() {
        let expert = queries::PoolExpert {
            id: ExpertId(7),
            name: "見本".into(),
            kana: String::new(),
            status: "registered".into(),
            capacity: Capacity { minutes_year: Some(1_200), ..Capacity::default() },
        };
        let load = |month, done, planned| queries::MonthLoad {
            expert: 7,
            month,
            done_visits: 1,
            done_minutes: done,
            planned_visits: 1,
            planned_minutes: planned,
            days: 2,
        };
        let view = expert_workload(expert, &[load(202_405, 120, 60), load(202_404, 240, 180)]);
        assert_eq!((view.done_minutes, view.planned_minutes, view.days), (360, 240, 4));
        assert_eq!(view.capacity_taken_permille, Some(500));
        assert_eq!(view.months.iter().map(|m| m.month.as_str()).collect::<Vec<_>>(), ["2024-04", "2024-05"]);
    }

    #[test]
    fn parts_keep_the_order_of_the_names() {
        let row =
            |year, key, visits| (year, key, Counted { main: Figures { visits, ..Figures::default() }, ..Counted::default() });
        let rows = vec![row(2024, 1, 5), row(2023, 2, 1), row(2023, 1, 4)];
        let names = vec![(2, "あ".to_owned()), (1, "い".to_owned())];
        let parts = in_order_of(rows, names, |name, figures| participations(name, figures));
        let seen: Vec<_> = parts.iter().map(|p| (p.fiscal_year, p.label.as_str(), p.participations)).collect();
        assert_eq!(seen, [(2023, "あ", Some(1)), (2023, "い", Some(4)), (2024, "い", Some(5))]);
    }
}
