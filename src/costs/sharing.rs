//! Sharing between bodies by their agreement (按分): weights in percentages, one exact sum, cut once, and a stated place
//! for the yen that remain.
//!
//! Published agreements combine an equal part with parts by population, staff, participants, use or fiscal need (均等割,
//! 人口割, …). Cutting each part by itself would lose more yen and give other shares, so the parts are added up exactly
//! first. No statute says who bears the remainder of a cost shared between public bodies: the agreement does.

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use num_bigint::BigUint;
use num_integer::Integer;
use num_rational::Ratio;
use num_traits::{ToPrimitive, Zero};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::money::{MoneyError, Yen};

/// Most bodies of an agreement; above the number of municipalities in any prefecture (Hokkaido 179).
pub const MAX_BODIES: usize = 500;
/// Largest common denominator that is reckoned with machine integers: sums of two values below it stay within 128 bits.
/// Finer ones (many bases, nested groups, figures of many digits) take arbitrary precision.
const NARROW: u128 = 1 << 126;

/// An exact part of the whole.
type Part = Ratio<BigUint>;

/// By what an agreement divides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"parts": [{"percent": 20, "basis": {"kind": "equal"}},
    {"percent": 80, "basis": {"kind": "population", "source": "census", "as_of": "2020-10-01"}}], "remainder": "lead"}))]
pub struct SharingTerms {
    /// The parts; their percentages sum to 100.
    #[schema(min_items = 1, max_items = 7)]
    pub parts: Vec<SharingPart>,
    /// Where the yen go that remain after every exact share was cut.
    pub remainder: SharingRemainder,
    /// Bodies that stand together as one party, and divide among themselves by parts of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub groups: Vec<SharingGroup>,
}

/// One part of the whole, divided by one basis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SharingPart {
    /// Percent of the whole.
    #[schema(minimum = 1, maximum = 100, example = 20)]
    pub percent: u32,
    /// By what it is divided.
    pub basis: SharingBasis,
}

/// By what a part is divided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SharingBasis {
    /// 均等割: everybody the same; a group counts as one.
    #[schema(title = "SharingEqual")]
    Equal {},
    /// 人口割
    #[schema(title = "SharingPopulation")]
    Population {
        /// Which count of people.
        source: PopulationSource,
        /// The newest count up to this day.
        as_of: NaiveDate,
    },
    /// 職員数割: staff as entered with the agreement.
    #[schema(title = "SharingStaff")]
    Staff {},
    /// 参加者数割: participants as entered with the agreement.
    #[schema(title = "SharingParticipants")]
    Participants {},
    /// 利用割 by the minutes of the visits in which a body takes part.
    #[schema(title = "SharingUsageMinutes")]
    UsageMinutes {},
    /// 利用割 by the number of those visits.
    #[schema(title = "SharingUsageVisits")]
    UsageVisits {},
    /// 基準財政需要額割: the standard financial need as entered with the agreement, in thousand yen.
    #[schema(title = "SharingFiscalNeed")]
    FiscalNeed {},
    /// Fixed proportions as entered with the agreement.
    #[schema(title = "SharingFixed")]
    Fixed {},
}

/// Which count of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PopulationSource {
    /// 住民基本台帳
    ResidentRegister,
    /// 国勢調査
    Census,
}

/// Where the yen go that remain after every exact share was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SharingRemainder {
    /// To the lead body (幹事団体).
    Lead,
    /// To the prefecture, beside its own part.
    Prefecture,
    /// One yen each to the bodies with the largest fractions, equal ones in the order of their codes.
    LargestRemainder,
    /// To the lead body, all of it in the first instalment (端数計算法 3条 for amounts paid in several parts).
    FirstInstalment,
}

/// Bodies that stand together as one party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SharingGroup {
    /// Name on papers.
    #[schema(min_length = 1, max_length = 100, example = "西部3町")]
    pub name: String,
    /// The bodies, by id; each body is in one group at most.
    #[schema(value_type = Vec<i64>, min_items = 1, max_items = 500)]
    pub bodies: Vec<i64>,
    /// By what they divide the group's share; the percentages sum to 100.
    #[schema(min_items = 1, max_items = 7)]
    pub parts: Vec<SharingPart>,
}

/// What is known of a body when an amount is divided. What no part looks at may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharingBody {
    /// Its id.
    pub id: i64,
    /// Its code (全国地方公共団体コード), the order of equal fractions; bodies without one come last, by id.
    pub code: Option<String>,
    /// Whether it leads.
    pub is_lead: bool,
    /// People.
    pub population: Option<u64>,
    /// Staff.
    pub staff: Option<u64>,
    /// Participants.
    pub participants: Option<u64>,
    /// Minutes of the visits it takes part in.
    pub usage_minutes: Option<u64>,
    /// Visits it takes part in.
    pub usage_visits: Option<u64>,
    /// Standard financial need, thousand yen.
    pub fiscal_need: Option<u64>,
    /// Fixed proportion.
    pub fixed: Option<u64>,
}

/// What is not right about terms, or why an amount cannot be divided by them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SharingError {
    /// Percentages do not sum to 100; JSON pointer to the parts, and the sum.
    PercentSum(String, u64),
    /// Nobody, or more than [`MAX_BODIES`].
    BodyCount(usize),
    /// People are counted by more than one source or day; JSON pointer to the second.
    MixedPopulations(String),
    /// A body is named twice, or in two groups; JSON pointer and id.
    Repeated(String, i64),
    /// A group names a body that does not take part; JSON pointer and id.
    NotABody(String, i64),
    /// A body lacks what a part divides by; JSON pointer to the part, and id.
    MissingWeight(String, i64),
    /// All weights of a part are 0; JSON pointer to the part.
    NoWeight(String),
    /// Exactly one body must lead where the remainder goes to it; how many do.
    Leads(usize),
    /// The weights have too many digits to be kept exact.
    TooFine,
    /// A negative amount.
    NegativeTotal,
    /// An amount leaves its range.
    Money(MoneyError),
}

impl SharingError {
    /// Stable machine code for error documents.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PercentSum(..) => "percent_sum",
            Self::BodyCount(_) => "body_count",
            Self::MixedPopulations(_) => "mixed_populations",
            Self::Repeated(..) => "duplicate",
            Self::NotABody(..) => "not_a_body",
            Self::MissingWeight(..) => "missing_weight",
            Self::NoWeight(_) => "no_weight",
            Self::Leads(_) => "one_lead",
            Self::TooFine => "too_fine",
            Self::NegativeTotal => "negative_total",
            Self::Money(error) => error.code(),
        }
    }

    /// Where in the terms; the terms as a whole where no place fits better.
    pub fn pointer(&self) -> &str {
        match self {
            Self::PercentSum(pointer, _)
            | Self::MixedPopulations(pointer)
            | Self::Repeated(pointer, _)
            | Self::NotABody(pointer, _)
            | Self::MissingWeight(pointer, _)
            | Self::NoWeight(pointer) => pointer,
            _ => "",
        }
    }

    /// The body it is about.
    pub fn body(&self) -> Option<i64> {
        match self {
            Self::Repeated(_, body) | Self::NotABody(_, body) | Self::MissingWeight(_, body) => Some(*body),
            _ => None,
        }
    }

    /// The explanation in English; `Display` gives the Japanese one.
    pub fn detail_en(&self) -> String {
        match self {
            Self::PercentSum(_, sum) => format!("The percentages must sum to 100, not {sum}."),
            Self::BodyCount(count) => format!("1 to {MAX_BODIES} bodies can share, not {count}."),
            Self::MixedPopulations(_) => "People must be counted by one source and day throughout.".to_owned(),
            Self::Repeated(_, body) => format!("Body {body} is named twice."),
            Self::NotABody(_, body) => format!("Body {body} does not take part."),
            Self::MissingWeight(_, body) => format!("Body {body} has no figure for this part."),
            Self::NoWeight(_) => "All figures of this part are 0.".to_owned(),
            Self::Leads(count) => format!("Exactly one body must lead, not {count}."),
            Self::TooFine => "The figures have too many digits to be divided exactly.".to_owned(),
            Self::NegativeTotal => "A negative amount cannot be shared.".to_owned(),
            Self::Money(error) => error.detail_en().to_owned(),
        }
    }
}

impl fmt::Display for SharingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PercentSum(_, sum) => write!(f, "割合の合計は100%にしてください（現在{sum}%）。"),
            Self::BodyCount(count) => write!(f, "負担団体は1～{MAX_BODIES}団体にしてください（現在{count}）。"),
            Self::MixedPopulations(_) => f.write_str("人口の出典と基準日は合意全体で1つにしてください。"),
            Self::Repeated(_, body) => write!(f, "団体{body}が重複しています。"),
            Self::NotABody(_, body) => write!(f, "団体{body}は負担団体に含まれていません。"),
            Self::MissingWeight(_, body) => write!(f, "団体{body}のこの割の算定基礎がありません。"),
            Self::NoWeight(_) => f.write_str("この割の算定基礎がすべて0です。"),
            Self::Leads(count) => write!(f, "幹事団体は1団体にしてください（現在{count}）。"),
            Self::TooFine => f.write_str("算定基礎の桁数が大きすぎ、正確に按分できません。"),
            Self::NegativeTotal => f.write_str("負の金額は按分できません。"),
            Self::Money(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SharingError {}

impl From<MoneyError> for SharingError {
    fn from(error: MoneyError) -> Self {
        Self::Money(error)
    }
}

impl SharingTerms {
    /// The whole in equal parts.
    pub fn equal(remainder: SharingRemainder) -> Self {
        Self { parts: vec![SharingPart { percent: 100, basis: SharingBasis::Equal {} }], remainder, groups: Vec::new() }
    }

    /// What is wrong with the terms whoever shares, all at once.
    pub fn validate(&self) -> Vec<SharingError> {
        let mut problems = Vec::new();
        let lists = std::iter::once(("/parts".to_owned(), &self.parts))
            .chain(self.groups.iter().enumerate().map(|(i, group)| (format!("/groups/{i}/parts"), &group.parts)));
        let mut counted = None;
        for (pointer, parts) in lists {
            for (i, part) in parts.iter().enumerate() {
                if let SharingBasis::Population { source, as_of } = part.basis
                    && *counted.get_or_insert((source, as_of)) != (source, as_of)
                {
                    problems.push(SharingError::MixedPopulations(format!("{pointer}/{i}/basis")));
                }
            }
            let sum: u64 = parts.iter().map(|part| u64::from(part.percent)).sum();
            if sum != 100 || parts.iter().any(|part| part.percent == 0) {
                problems.push(SharingError::PercentSum(pointer, sum));
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        for (i, group) in self.groups.iter().enumerate() {
            for (j, body) in group.bodies.iter().enumerate() {
                if !seen.insert(*body) {
                    problems.push(SharingError::Repeated(format!("/groups/{i}/bodies/{j}"), *body));
                }
            }
        }
        problems
    }

    /// Whether shares depend on which visits a body takes part in.
    pub fn by_usage(&self) -> bool {
        let by = |part: &SharingPart| matches!(part.basis, SharingBasis::UsageMinutes {} | SharingBasis::UsageVisits {});
        self.parts.iter().chain(self.groups.iter().flat_map(|group| &group.parts)).any(by)
    }
}

/// Terms and bodies made ready: exact weights over one denominator. Dividing an amount is then one pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sharing {
    /// In the order of the codes.
    bodies: Vec<Weighed>,
    weights: Weights,
    remainder: SharingRemainder,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Weighed {
    id: i64,
    is_lead: bool,
}

/// Every body's weight over their common denominator.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Weights {
    Narrow(Vec<u128>, u128),
    Wide(Vec<BigUint>, BigUint),
}

impl Weights {
    fn of(parts: &[Part]) -> Self {
        let denominator = parts.iter().fold(BigUint::from(1_u32), |all, part| all.lcm(part.denom()));
        let weights: Vec<BigUint> = parts.iter().map(|part| part.numer() * (&denominator / part.denom())).collect();
        let narrow: Option<Vec<u128>> = weights.iter().map(ToPrimitive::to_u128).collect();
        match (narrow, denominator.to_u128().filter(|denominator| *denominator < NARROW)) {
            (Some(weights), Some(denominator)) => Self::Narrow(weights, denominator),
            _ => Self::Wide(weights, denominator),
        }
    }

    /// Every body's share cut to whole yen, and the bodies in falling order of what was cut off; equal ones stay in order.
    fn cut(&self, amount: u64, ordered: bool) -> (Vec<u64>, Vec<usize>) {
        fn order<T: Ord>(rests: &[T], ordered: bool) -> Vec<usize> {
            let mut places: Vec<usize> = if ordered { (0..rests.len()).collect() } else { Vec::new() };
            places.sort_by_key(|place| std::cmp::Reverse(rests.get(*place)));
            places
        }
        match self {
            Self::Narrow(weights, denominator) => {
                let (wholes, rests): (Vec<u64>, Vec<u128>) =
                    weights.iter().map(|weight| product_quotient(amount, *weight, *denominator)).unzip();
                (wholes, order(&rests, ordered))
            }
            Self::Wide(weights, denominator) => {
                let (wholes, rests): (Vec<u64>, Vec<BigUint>) = weights
                    .iter()
                    .map(|weight| {
                        let (whole, rest) = (weight * amount).div_rem(denominator);
                        // The quotient is at most `amount`.
                        (whole.to_u64().unwrap_or(u64::MAX), rest)
                    })
                    .unzip();
                (wholes, order(&rests, ordered))
            }
        }
    }
}

/// An amount divided among bodies. The shares and what goes to the prefecture always sum to the total, and none is
/// negative.
// The fields are private and `Sharing::split` is the only constructor: that is what makes the first sentence true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodySplit {
    total: Yen,
    shares: Vec<(i64, Yen)>,
    remainder: Yen,
    to_prefecture: Yen,
    first_instalment: Yen,
}

impl BodySplit {
    /// The whole.
    pub fn total(&self) -> Yen {
        self.total
    }

    /// Every body with its share, in the order of the codes.
    pub fn shares(&self) -> &[(i64, Yen)] {
        &self.shares
    }

    /// One body's share.
    pub fn share_of(&self, body: i64) -> Option<Yen> {
        self.shares.iter().find(|(id, _)| *id == body).map(|(_, share)| *share)
    }

    /// The yen that remained after cutting.
    pub fn remainder(&self) -> Yen {
        self.remainder
    }

    /// What the prefecture bears of them.
    pub fn to_prefecture(&self) -> Yen {
        self.to_prefecture
    }

    /// What the lead body pays of its share in the first instalment alone.
    pub fn first_instalment(&self) -> Yen {
        self.first_instalment
    }
}

impl Sharing {
    /// Makes terms and bodies ready. The order in which bodies are given does not matter.
    ///
    /// # Errors
    /// [`SharingError`], the first one found.
    pub fn prepare(terms: &SharingTerms, bodies: &[SharingBody]) -> Result<Self, SharingError> {
        if let Some(problem) = terms.validate().into_iter().next() {
            return Err(problem);
        }
        if bodies.is_empty() || bodies.len() > MAX_BODIES {
            return Err(SharingError::BodyCount(bodies.len()));
        }
        let mut sorted: Vec<&SharingBody> = bodies.iter().collect();
        sorted.sort_by(|a, b| {
            let key = |body: &SharingBody| (body.code.is_none(), body.code.clone(), body.id);
            key(a).cmp(&key(b))
        });
        let mut ids = std::collections::BTreeSet::new();
        for body in &sorted {
            if !ids.insert(body.id) {
                return Err(SharingError::Repeated(String::new(), body.id));
            }
        }
        for (i, group) in terms.groups.iter().enumerate() {
            for (j, body) in group.bodies.iter().enumerate() {
                if !ids.contains(body) {
                    return Err(SharingError::NotABody(format!("/groups/{i}/bodies/{j}"), *body));
                }
            }
        }
        let needs_lead = matches!(terms.remainder, SharingRemainder::Lead | SharingRemainder::FirstInstalment);
        let leads = sorted.iter().filter(|body| body.is_lead).count();
        if needs_lead && leads != 1 {
            return Err(SharingError::Leads(leads));
        }
        let weights = Weights::of(&fractions(terms, &sorted)?);
        let bodies = sorted.iter().map(|body| Weighed { id: body.id, is_lead: body.is_lead }).collect();
        Ok(Self { bodies, weights, remainder: terms.remainder })
    }

    /// Divides an amount.
    ///
    /// # Errors
    /// [`SharingError::NegativeTotal`].
    pub fn split(&self, total: Yen) -> Result<BodySplit, SharingError> {
        let amount = u64::try_from(total.get()).map_err(|_| SharingError::NegativeTotal)?;
        let (wholes, order) = self.weights.cut(amount, self.remainder == SharingRemainder::LargestRemainder);
        let sum: u64 = wholes.iter().sum();
        let mut shares = Vec::with_capacity(self.bodies.len());
        for (body, whole) in self.bodies.iter().zip(wholes) {
            shares.push((body.id, Yen::from_wide(i128::from(whole))?));
        }
        let remainder = Yen::from_wide(i128::from(amount) - i128::from(sum))?;
        let (mut to_prefecture, mut first_instalment) = (Yen::ZERO, Yen::ZERO);
        match self.remainder {
            SharingRemainder::Prefecture => to_prefecture = remainder,
            SharingRemainder::Lead | SharingRemainder::FirstInstalment => {
                let lead = self.bodies.iter().position(|body| body.is_lead).and_then(|place| shares.get_mut(place));
                let (_, share) = lead.ok_or(SharingError::Leads(0))?;
                *share = share.checked_add(remainder)?;
                if self.remainder == SharingRemainder::FirstInstalment {
                    first_instalment = remainder;
                }
            }
            SharingRemainder::LargestRemainder => {
                let one = Yen::from_wide(1)?;
                for place in order.into_iter().take(usize::try_from(remainder.get()).unwrap_or(0)) {
                    if let Some((_, share)) = shares.get_mut(place) {
                        *share = share.checked_add(one)?;
                    }
                }
            }
        }
        Ok(BodySplit { total, shares, remainder, to_prefecture, first_instalment })
    }
}

/// Every body's exact part of the whole, in the order given.
fn fractions(terms: &SharingTerms, bodies: &[&SharingBody]) -> Result<Vec<Part>, SharingError> {
    // A party is a body by itself or a group.
    let mut group_of: BTreeMap<i64, usize> = BTreeMap::new();
    for (i, group) in terms.groups.iter().enumerate() {
        group_of.extend(group.bodies.iter().map(|body| (*body, i)));
    }
    let mut parties: Vec<Vec<&SharingBody>> = Vec::new();
    let mut party_of_group: BTreeMap<usize, usize> = BTreeMap::new();
    let mut place: Vec<(usize, Option<usize>)> = Vec::new();
    for body in bodies {
        let group = group_of.get(&body.id).copied();
        let party = group.and_then(|group| party_of_group.get(&group).copied()).unwrap_or(parties.len());
        if party == parties.len() {
            parties.push(Vec::new());
            if let Some(group) = group {
                party_of_group.insert(group, party);
            }
        }
        if let Some(members) = parties.get_mut(party) {
            members.push(body);
        }
        place.push((party, group));
    }
    let of_parties = parts_of("/parts", &terms.parts, &parties)?;
    let mut inside: BTreeMap<i64, Part> = BTreeMap::new();
    for (group, party) in &party_of_group {
        let (Some(terms), Some(members)) = (terms.groups.get(*group), parties.get(*party)) else { continue };
        let alone: Vec<Vec<&SharingBody>> = members.iter().map(|body| vec![*body]).collect();
        let parts = parts_of(&format!("/groups/{group}/parts"), &terms.parts, &alone)?;
        inside.extend(members.iter().map(|body| body.id).zip(parts));
    }
    Ok(bodies
        .iter()
        .zip(place)
        .map(|(body, (party, _))| {
            let whole = of_parties.get(party).cloned().unwrap_or_else(Part::zero);
            match inside.get(&body.id) {
                Some(within) => whole * within,
                None => whole,
            }
        })
        .collect())
}

/// The parts of parties in the whole: the sum over all bases of percent × weight ÷ all weights.
fn parts_of(pointer: &str, parts: &[SharingPart], parties: &[Vec<&SharingBody>]) -> Result<Vec<Part>, SharingError> {
    let mut sums = vec![Part::zero(); parties.len()];
    for (i, part) in parts.iter().enumerate() {
        let pointer = format!("{pointer}/{i}");
        let weights = parties.iter().map(|party| weight(&part.basis, party, &pointer)).collect::<Result<Vec<u128>, _>>()?;
        let all: u128 = weights.iter().sum();
        if all == 0 {
            return Err(SharingError::NoWeight(pointer));
        }
        for (sum, weight) in sums.iter_mut().zip(weights) {
            *sum += Part::new(BigUint::from(weight * u128::from(part.percent)), BigUint::from(all) * 100_u32);
        }
    }
    Ok(sums)
}

fn weight(basis: &SharingBasis, party: &[&SharingBody], pointer: &str) -> Result<u128, SharingError> {
    if matches!(basis, SharingBasis::Equal {}) {
        return Ok(1);
    }
    party.iter().try_fold(0_u128, |sum, body| {
        let figure = match basis {
            SharingBasis::Equal {} => Some(1),
            SharingBasis::Population { .. } => body.population,
            SharingBasis::Staff {} => body.staff,
            SharingBasis::Participants {} => body.participants,
            SharingBasis::UsageMinutes {} => body.usage_minutes,
            SharingBasis::UsageVisits {} => body.usage_visits,
            SharingBasis::FiscalNeed {} => body.fiscal_need,
            SharingBasis::Fixed {} => body.fixed,
        };
        let figure = figure.ok_or_else(|| SharingError::MissingWeight(pointer.to_owned(), body.id))?;
        // 2^53 keeps the figure exact in JSON and every product above within 128 bits.
        if figure >= 1 << 53 {
            return Err(SharingError::TooFine);
        }
        Ok(sum + u128::from(figure))
    })
}

/// `amount × weight ÷ denominator`: the whole part and what is left over the denominator. `weight ≤ denominator < 2^126`.
pub(super) fn product_quotient(amount: u64, weight: u128, denominator: u128) -> (u64, u128) {
    if let Some(product) = weight.checked_mul(u128::from(amount)) {
        // The quotient is at most `amount`.
        return (u64::try_from(product / denominator).unwrap_or(u64::MAX), product % denominator);
    }
    // Bit by bit, from the highest: every intermediate value stays below three denominators.
    let (mut whole, mut rest) = (0_u64, 0_u128);
    for bit in (0..u64::BITS - amount.leading_zeros()).rev() {
        whole <<= 1;
        rest <<= 1;
        if amount >> bit & 1 == 1 {
            rest += weight;
        }
        while rest >= denominator {
            rest -= denominator;
            whole += 1;
        }
    }
    (whole, rest)
}
