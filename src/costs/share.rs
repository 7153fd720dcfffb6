//! Division of an amount among those who pay it, to the yen.
//!
//! Each party's exact share is a rational number: the total times the party's weight over the sum of weights. It is cut
//! to whole yen once, and the yen that remain go to the one party the agreement names. Parts of an agreement (an equal
//! part and a part by population, say) are therefore added up as weights *before* they come here; cutting each part
//! separately would lose more yen and give other shares.
//!
//! No statute says who bears the remainder of a cost shared between public bodies, so it is always a stated rule.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::money::{MoneyError, Yen};

/// Most parties among which one amount is divided; above the number of municipalities in any prefecture (Hokkaido 179).
pub const MAX_PARTIES: usize = 500;

/// Largest part of a payer ratio. Percent with four decimals fit.
const MAX_PART: u32 = 1_000_000;

/// What kind of cost an amount is. Each kind may have its own payers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CostComponent)]
pub enum Component {
    /// 報償費・謝金: the expert's fee.
    Honorarium,
    /// 旅費: the expert's travel and lodging.
    Travel,
    /// 会場費: the venue.
    Venue,
    /// 資料・印刷費: printed matter and equipment.
    Materials,
    /// Anything else.
    Other,
}

impl Component {
    /// All kinds, in the order in which papers list them.
    pub const ALL: [Self; 5] = [Self::Honorarium, Self::Travel, Self::Venue, Self::Materials, Self::Other];

    /// Its name on Japanese papers.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Honorarium => "謝金",
            Self::Travel => "旅費",
            Self::Venue => "会場費",
            Self::Materials => "資料・機材費",
            Self::Other => "その他",
        }
    }

    /// Its name in English.
    pub fn label_en(self) -> &'static str {
        match self {
            Self::Honorarium => "Honorarium",
            Self::Travel => "Travel",
            Self::Venue => "Venue",
            Self::Materials => "Materials and equipment",
            Self::Other => "Other",
        }
    }
}

/// In which proportion prefecture and municipality pay: 1 : 0 is the prefecture alone, 2 : 1 two thirds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayerParts {
    /// The prefecture's part.
    #[schema(minimum = 0, maximum = 1_000_000, example = 2)]
    pub prefecture: u32,
    /// The municipality's part; with joint applicants, that of all of them together.
    #[schema(minimum = 0, maximum = 1_000_000, example = 1)]
    pub municipality: u32,
}

/// Who pays one kind of cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayerRatio {
    /// The kind of cost.
    pub component: Component,
    /// The proportion.
    pub parts: PayerParts,
}

impl PayerRatio {
    /// Whether the parts can divide anything.
    ///
    /// # Errors
    /// [`ShareError::NoWeight`] for 0 : 0, [`ShareError::PartTooLarge`] above 1,000,000.
    pub fn validate(&self) -> Result<(), ShareError> {
        let PayerParts { prefecture, municipality } = self.parts;
        if prefecture.max(municipality) > MAX_PART {
            return Err(ShareError::PartTooLarge);
        }
        if prefecture == 0 && municipality == 0 {
            return Err(ShareError::NoWeight);
        }
        Ok(())
    }
}

/// Who takes the yen that remain after every exact share was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RemainderRule {
    /// The prefecture.
    Prefecture,
    /// The municipality; with joint applicants the lead body (幹事団体).
    Municipality,
}

/// Why an amount was not divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareError {
    /// The total is below zero. A correction divides its own positive amount and says in which direction it flows.
    NegativeTotal,
    /// No party is named.
    NoParty,
    /// More than [`MAX_PARTIES`].
    TooManyParties,
    /// A party is named twice; its id.
    DuplicateParty(i64),
    /// All weights are zero.
    NoWeight,
    /// A part of a payer ratio exceeds 1,000,000.
    PartTooLarge,
    /// The party that is to take the remainder is not among those who pay (absent or with weight 0); its id.
    RemainderPartyDoesNotPay(i64),
    /// An amount leaves the range of [`Yen`].
    Money(MoneyError),
}

impl ShareError {
    /// Stable machine code for error documents.
    pub fn code(self) -> &'static str {
        match self {
            Self::NegativeTotal => "negative_total",
            Self::NoParty => "no_party",
            Self::TooManyParties => "too_many_parties",
            Self::DuplicateParty(_) => "duplicate_party",
            Self::NoWeight => "no_weight",
            Self::PartTooLarge => "part_too_large",
            Self::RemainderPartyDoesNotPay(_) => "remainder_party_does_not_pay",
            Self::Money(error) => error.code(),
        }
    }

    /// The explanation in English; `Display` gives the Japanese one.
    pub fn detail_en(self) -> String {
        match self {
            Self::NegativeTotal => "A negative amount cannot be shared.".to_owned(),
            Self::NoParty => "Nobody is named to pay.".to_owned(),
            Self::TooManyParties => format!("At most {MAX_PARTIES} parties can share an amount."),
            Self::DuplicateParty(party) => format!("Party {party} is named twice."),
            Self::NoWeight => "At least one part must be above 0.".to_owned(),
            Self::PartTooLarge => format!("A part must not exceed {MAX_PART}."),
            Self::RemainderPartyDoesNotPay(party) => {
                format!("Party {party} takes the remainder but pays no share.")
            }
            Self::Money(error) => error.detail_en().to_owned(),
        }
    }
}

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NegativeTotal => f.write_str("負の金額は按分できません。"),
            Self::NoParty => f.write_str("負担者が指定されていません。"),
            Self::TooManyParties => write!(f, "負担者は{MAX_PARTIES}団体までです。"),
            Self::DuplicateParty(party) => write!(f, "負担者{party}が重複しています。"),
            Self::NoWeight => f.write_str("負担割合の少なくとも1つは0より大きくしてください。"),
            Self::PartTooLarge => write!(f, "負担割合は{MAX_PART}以下で指定してください。"),
            Self::RemainderPartyDoesNotPay(party) => {
                write!(f, "端数を負担する団体{party}に負担割合がありません。")
            }
            Self::Money(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ShareError {}

impl From<MoneyError> for ShareError {
    fn from(error: MoneyError) -> Self {
        Self::Money(error)
    }
}

/// An amount divided between prefecture and municipality. The two shares always sum to the total, and each lies within
/// one yen of its exact value.
// The fields are private and `build` is the only constructor: that is what makes the first sentence true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CostShares)]
pub struct Shares {
    /// The kind of cost.
    component: Component,
    /// The whole amount.
    #[schema(value_type = i64, minimum = 0, maximum = 1_000_000_000_000_i64, example = 20_000)]
    total: Yen,
    /// The prefecture's share.
    #[schema(value_type = i64, minimum = 0, maximum = 1_000_000_000_000_i64, example = 13_333)]
    prefecture: Yen,
    /// The municipality's share.
    #[schema(value_type = i64, minimum = 0, maximum = 1_000_000_000_000_i64, example = 6_667)]
    municipality: Yen,
    /// The yen that remained after both exact shares were cut; contained in the share of whoever takes it.
    #[schema(value_type = i64, minimum = 0, maximum = 1, example = 1)]
    remainder: Yen,
    /// Who took the remainder.
    remainder_to: RemainderRule,
}

impl Shares {
    /// Divides `total` by the ratio; a remainder of one yen goes where the rule says.
    ///
    /// # Errors
    /// [`ShareError::NegativeTotal`] and those of [`PayerRatio::validate`].
    pub fn build(total: Yen, ratio: PayerRatio, rule: RemainderRule) -> Result<Self, ShareError> {
        ratio.validate()?;
        let weights = [ratio.parts.prefecture, ratio.parts.municipality].map(u64::from);
        let (cut, remainder) = cut_shares(total, &weights)?;
        let [prefecture, municipality] = cut[..] else {
            return Err(ShareError::NoParty);
        };
        let (prefecture, municipality) = match rule {
            RemainderRule::Prefecture => (prefecture.checked_add(remainder)?, municipality),
            RemainderRule::Municipality => (prefecture, municipality.checked_add(remainder)?),
        };
        Ok(Self { component: ratio.component, total, prefecture, municipality, remainder, remainder_to: rule })
    }

    /// The kind of cost.
    pub fn component(&self) -> Component {
        self.component
    }

    /// The whole amount.
    pub fn total(&self) -> Yen {
        self.total
    }

    /// The prefecture's share, remainder included where it takes it.
    pub fn prefecture(&self) -> Yen {
        self.prefecture
    }

    /// The municipality's share, remainder included where it takes it.
    pub fn municipality(&self) -> Yen {
        self.municipality
    }

    /// The yen that remained after cutting: 0 or 1.
    pub fn remainder(&self) -> Yen {
        self.remainder
    }

    /// Who took the remainder.
    pub fn remainder_to(&self) -> RemainderRule {
        self.remainder_to
    }
}

/// One party's share of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct PartyShare {
    /// The party: the id of an organisation.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 22)]
    party: i64,
    /// Its share.
    #[schema(value_type = i64, minimum = 0, maximum = 1_000_000_000_000_i64, example = 6_667)]
    amount: Yen,
}

impl PartyShare {
    /// The party.
    pub fn party(&self) -> i64 {
        self.party
    }

    /// Its share.
    pub fn amount(&self) -> Yen {
        self.amount
    }
}

/// An amount divided among any number of parties. The shares always sum to the total.
///
/// Every share but one is the exact value cut to whole yen; the party that takes the remainder pays less than one yen
/// more than its exact value for each of the other parties.
// The fields are private and `split` is the only constructor: that is what makes the first sentence true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CostSplit)]
pub struct Split {
    /// The whole amount.
    #[schema(value_type = i64, minimum = 0, maximum = 1_000_000_000_000_i64, example = 20_000)]
    total: Yen,
    /// The shares in the order of the parties' ids.
    #[schema(min_items = 1, max_items = 500)]
    shares: Vec<PartyShare>,
    /// The yen that remained after cutting; contained in the share of the party that takes them.
    #[schema(value_type = i64, minimum = 0, maximum = 499, example = 2)]
    remainder: Yen,
    /// The party that took the remainder.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 22)]
    remainder_to: i64,
}

impl Split {
    /// The whole amount.
    pub fn total(&self) -> Yen {
        self.total
    }

    /// The shares in the order of the parties' ids.
    pub fn shares(&self) -> &[PartyShare] {
        &self.shares
    }

    /// One party's share; `None` for a party that was not named.
    pub fn share_of(&self, party: i64) -> Option<Yen> {
        self.shares.iter().find(|share| share.party == party).map(|share| share.amount)
    }

    /// The yen that remained after cutting.
    pub fn remainder(&self) -> Yen {
        self.remainder
    }

    /// The party that took the remainder.
    pub fn remainder_to(&self) -> i64 {
        self.remainder_to
    }
}

/// Divides `total` among parties, each given by its id and weight; the order in which they are given does not matter.
/// A party with weight 0 is listed with 0 yen. Since the remainder depends on the total, the share of the party that
/// takes it may fall by some yen when the total rises; every other share only rises.
///
/// # Errors
/// [`ShareError`]: a negative total, no party, more than [`MAX_PARTIES`], a party named twice, no weight at all, or a
/// `remainder_to` that pays nothing.
pub fn split(total: Yen, weights: &[(i64, u64)], remainder_to: i64) -> Result<Split, ShareError> {
    if weights.is_empty() {
        return Err(ShareError::NoParty);
    }
    if weights.len() > MAX_PARTIES {
        return Err(ShareError::TooManyParties);
    }
    let mut by_party = BTreeMap::new();
    for (party, weight) in weights {
        if by_party.insert(*party, *weight).is_some() {
            return Err(ShareError::DuplicateParty(*party));
        }
    }
    if by_party.values().all(|weight| *weight == 0) {
        return Err(ShareError::NoWeight);
    }
    if by_party.get(&remainder_to).is_none_or(|weight| *weight == 0) {
        return Err(ShareError::RemainderPartyDoesNotPay(remainder_to));
    }
    let sorted: Vec<u64> = by_party.values().copied().collect();
    let (cut, remainder) = cut_shares(total, &sorted)?;
    let shares = by_party
        .keys()
        .zip(cut)
        .map(|(party, amount)| {
            let amount = if *party == remainder_to { amount.checked_add(remainder)? } else { amount };
            Ok(PartyShare { party: *party, amount })
        })
        .collect::<Result<Vec<_>, ShareError>>()?;
    Ok(Split { total, shares, remainder, remainder_to })
}

/// Every exact share cut to whole yen, in the order of the weights, and the yen that remain.
fn cut_shares(total: Yen, weights: &[u64]) -> Result<(Vec<Yen>, Yen), ShareError> {
    if total.is_negative() {
        return Err(ShareError::NegativeTotal);
    }
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if sum == 0 {
        return Err(ShareError::NoWeight);
    }
    // A total has 40 bits and a weight 64, so the product is far from 127.
    let shares = weights
        .iter()
        .map(|weight| Yen::from_wide(i128::from(total.get()) * i128::from(*weight) / sum))
        .collect::<Result<Vec<_>, _>>()?;
    let remainder = total.checked_sub(Yen::sum(shares.iter().copied())?)?;
    Ok((shares, remainder))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn yen(amount: i64) -> Yen {
        Yen::new(amount).unwrap()
    }

    fn ratio(prefecture: u32, municipality: u32) -> PayerRatio {
        PayerRatio { component: Component::Honorarium, parts: PayerParts { prefecture, municipality } }
    }

    #[test]
    fn two_thirds_of_twenty_thousand_yen() {
        let to_town = Shares::build(yen(20_000), ratio(2, 1), RemainderRule::Municipality).unwrap();
        assert_eq!((to_town.prefecture().get(), to_town.municipality().get()), (13_333, 6_667));
        let to_prefecture = Shares::build(yen(20_000), ratio(2, 1), RemainderRule::Prefecture).unwrap();
        assert_eq!((to_prefecture.prefecture().get(), to_prefecture.municipality().get()), (13_334, 6_666));
        assert_eq!(to_prefecture.remainder(), yen(1));
    }

    #[test]
    fn who_pays_no_part_pays_no_remainder_either() {
        for rule in [RemainderRule::Prefecture, RemainderRule::Municipality] {
            let shares = Shares::build(yen(19_999), ratio(1, 0), rule).unwrap();
            assert_eq!(shares.municipality(), Yen::ZERO);
            assert_eq!(shares.prefecture(), yen(19_999));
        }
    }

    #[test]
    fn what_cannot_be_shared_is_refused() {
        let build = |total, ratio| Shares::build(yen(total), ratio, RemainderRule::Prefecture);
        assert_eq!(build(-1, ratio(1, 1)), Err(ShareError::NegativeTotal));
        assert_eq!(build(1, ratio(0, 0)), Err(ShareError::NoWeight));
        assert_eq!(build(1, ratio(1_000_001, 1)), Err(ShareError::PartTooLarge));
        let six = yen(6);
        assert_eq!(split(six, &[], 1), Err(ShareError::NoParty));
        assert_eq!(split(six, &[(1, 1), (1, 2)], 1), Err(ShareError::DuplicateParty(1)));
        assert_eq!(split(six, &[(1, 0), (2, 0)], 1), Err(ShareError::NoWeight));
        assert_eq!(split(six, &[(1, 1), (2, 0)], 2), Err(ShareError::RemainderPartyDoesNotPay(2)));
        assert_eq!(split(six, &[(1, 1)], 3), Err(ShareError::RemainderPartyDoesNotPay(3)));
        assert_eq!(split(yen(-6), &[(1, 1)], 1), Err(ShareError::NegativeTotal));
        let crowd: Vec<(i64, u64)> = (0..=500).map(|party| (party, 1)).collect();
        assert_eq!(split(six, &crowd, 1), Err(ShareError::TooManyParties));
    }

    #[test]
    fn the_largest_numbers_are_still_exact() {
        let weights = [(1, u64::MAX), (2, u64::MAX), (3, u64::MAX)];
        let found = split(Yen::MAX, &weights, 3).unwrap();
        assert_eq!(found.share_of(1), Some(yen(333_333_333_333)));
        assert_eq!(found.share_of(3), Some(yen(333_333_333_334)));
    }

    #[test]
    fn a_ratio_is_read_strictly() {
        let text = r#"{"component":"travel","parts":{"prefecture":1,"municipality":0}}"#;
        assert!(serde_json::from_str::<PayerRatio>(text).is_ok());
        for refused in [
            r#"{"component":"taxi","parts":{"prefecture":1,"municipality":0}}"#,
            r#"{"component":"travel","parts":{"prefecture":-1,"municipality":0}}"#,
            r#"{"component":"travel","parts":{"prefecture":1,"municipality":0,"host":1}}"#,
        ] {
            assert!(serde_json::from_str::<PayerRatio>(refused).is_err(), "{refused}");
        }
    }

    const MAX: i64 = 1_000_000_000_000;

    fn parties() -> impl Strategy<Value = (Vec<(i64, u64)>, i64)> {
        let weights = prop::collection::btree_map(1i64..1_000, 0u64..2_000_000_000, 1..40);
        weights.prop_filter_map("somebody pays", |weights| {
            let weights: Vec<(i64, u64)> = weights.into_iter().collect();
            let payer = weights.iter().find(|(_, weight)| *weight > 0)?.0;
            Some((weights, payer))
        })
    }

    proptest! {
        #[test]
        fn two_shares_sum_to_the_total_within_a_yen_of_exact(
            total in 0..=MAX, prefecture in 0u32..=1_000_000, municipality in 0u32..=1_000_000,
            to_prefecture: bool,
        ) {
            prop_assume!(prefecture + municipality > 0);
            let rule = if to_prefecture { RemainderRule::Prefecture } else { RemainderRule::Municipality };
            let shares = Shares::build(yen(total), ratio(prefecture, municipality), rule).unwrap();
            prop_assert_eq!(shares.prefecture().get() + shares.municipality().get(), total);
            let sum = i128::from(prefecture + municipality);
            for (share, part) in [(shares.prefecture(), prefecture), (shares.municipality(), municipality)] {
                prop_assert!(!share.is_negative());
                let off = i128::from(share.get()) * sum - i128::from(total) * i128::from(part);
                prop_assert!(off.abs() < sum, "less than one yen off");
            }
        }

        #[test]
        fn two_shares_never_fall_when_the_total_rises(
            total in 0..MAX, prefecture in 0u32..=1_000, municipality in 0u32..=1_000, to_prefecture: bool,
        ) {
            prop_assume!(prefecture + municipality > 0);
            let rule = if to_prefecture { RemainderRule::Prefecture } else { RemainderRule::Municipality };
            let build = |total| Shares::build(yen(total), ratio(prefecture, municipality), rule).unwrap();
            let (less, more) = (build(total), build(total + 1));
            prop_assert!(less.prefecture() <= more.prefecture());
            prop_assert!(less.municipality() <= more.municipality());
        }

        #[test]
        fn many_shares_sum_to_the_total((weights, payer) in parties(), total in 0..=MAX) {
            let found = split(yen(total), &weights, payer).unwrap();
            prop_assert_eq!(Yen::sum(found.shares().iter().map(PartyShare::amount)), Ok(yen(total)));
            let sum: i128 = weights.iter().map(|(_, weight)| i128::from(*weight)).sum();
            let others = i128::try_from(weights.len()).unwrap() - 1;
            for (party, weight) in &weights {
                let share = found.share_of(*party).unwrap();
                let off = i128::from(share.get()) * sum - i128::from(total) * i128::from(*weight);
                if *party == payer {
                    prop_assert!(off >= 0 && (off == 0 || off < others * sum));
                } else {
                    prop_assert!(-sum < off && off <= 0, "cut, by less than one yen");
                }
                prop_assert!(*weight > 0 || share == Yen::ZERO);
            }
        }

        #[test]
        fn a_heavier_party_pays_no_less((weights, payer) in parties(), total in 0..=MAX) {
            let found = split(yen(total), &weights, payer).unwrap();
            let mut others: Vec<_> = weights.iter().filter(|(party, _)| *party != payer).collect();
            others.sort_by_key(|(_, weight)| *weight);
            let shares: Vec<_> = others.iter().map(|(party, _)| found.share_of(*party)).collect();
            prop_assert!(shares.is_sorted());
        }

        #[test]
        fn the_order_of_the_parties_does_not_matter(
            (weights, payer) in parties(), total in 0..=MAX, turn in 0usize..40,
        ) {
            let mut turned = weights.clone();
            turned.rotate_left(turn % weights.len());
            turned.reverse();
            prop_assert_eq!(split(yen(total), &weights, payer), split(yen(total), &turned, payer));
        }

        #[test]
        fn only_the_proportion_matters((weights, payer) in parties(), total in 0..=MAX, times in 1u64..1_000) {
            let scaled: Vec<_> = weights.iter().map(|(party, weight)| (*party, weight * times)).collect();
            prop_assert_eq!(split(yen(total), &weights, payer), split(yen(total), &scaled, payer));
        }
    }
}
