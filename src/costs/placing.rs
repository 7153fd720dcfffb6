//! Money of long placements and of payments in parts: proration by days, and instalments.

use super::money::{MoneyError, Yen};

/// A host's part of a month: on how many days it had a person with which share of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// The host.
    pub host: i64,
    /// Days in the month.
    pub days: u32,
    /// Share of the person's time, in percent.
    pub share_percent: u32,
}

/// A month's cost of a person, prorated by days (日割り) and shares. Each host's exact part is cut once; what no host has,
/// and the yen that remain, stay with whoever employs or engages the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prorated {
    hosts: Vec<(i64, Yen)>,
    rest: Yen,
}

impl Prorated {
    /// Every host with its part, by id.
    pub fn hosts(&self) -> &[(i64, Yen)] {
        &self.hosts
    }

    /// What stays with the employer.
    pub fn rest(&self) -> Yen {
        self.rest
    }
}

/// Divides a month's cost by stays.
///
/// # Errors
/// [`MoneyError::OutOfRange`] for a negative cost, a month of no days, or stays that exceed the month.
pub fn prorate(month: Yen, days_in_month: u32, stays: &[Stay]) -> Result<Prorated, MoneyError> {
    let whole = i128::from(days_in_month) * 100;
    let mut parts: std::collections::BTreeMap<i64, i128> = std::collections::BTreeMap::new();
    for stay in stays {
        *parts.entry(stay.host).or_insert(0) += i128::from(stay.days) * i128::from(stay.share_percent);
    }
    if month.is_negative() || whole == 0 || parts.values().sum::<i128>() > whole {
        return Err(MoneyError::OutOfRange);
    }
    let mut rest = month;
    let mut hosts = Vec::with_capacity(parts.len());
    for (host, part) in parts {
        let amount = Yen::from_wide(i128::from(month.get()) * part / whole)?;
        rest = rest.checked_sub(amount)?;
        hosts.push((host, amount));
    }
    Ok(Prorated { hosts, rest })
}

/// An amount in so many instalments: equal ones cut to whole yen, and what remains in the first (端数計算法 3条).
/// `first_alone` is paid in the first beside its part.
///
/// # Errors
/// [`MoneyError::OutOfRange`] for no instalment, a negative amount, or more alone than there is.
pub fn instalments(total: Yen, count: u32, first_alone: Yen) -> Result<Vec<Yen>, MoneyError> {
    let divided = total.checked_sub(first_alone)?;
    if count == 0 || divided.is_negative() || first_alone.is_negative() {
        return Err(MoneyError::OutOfRange);
    }
    let each = divided.get() / i64::from(count);
    let rest = total.get() - each * i64::from(count);
    let mut parts = vec![Yen::new(each)?; usize::try_from(count).map_err(|_| MoneyError::OutOfRange)?];
    if let Some(first) = parts.first_mut() {
        *first = Yen::new(each + rest)?;
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn yen(amount: i64) -> Yen {
        Yen::new(amount).unwrap()
    }

    #[test]
    fn sixty_forty_that_becomes_fifty_fifty_in_the_middle_of_june() {
        let stay = |host, days, share_percent| Stay { host, days, share_percent };
        let found = prorate(yen(300_000), 30, &[stay(1, 14, 60), stay(2, 14, 40), stay(1, 16, 50), stay(2, 16, 50)]).unwrap();
        assert_eq!(found.hosts(), [(1, yen(164_000)), (2, yen(136_000))]);
        assert_eq!(found.rest(), Yen::ZERO);
    }

    #[test]
    fn what_no_host_has_stays_with_the_employer() {
        let found = prorate(yen(100_000), 31, &[Stay { host: 7, days: 10, share_percent: 100 }]).unwrap();
        assert_eq!((found.hosts()[0].1, found.rest()), (yen(32_258), yen(67_742)));
        assert!(prorate(yen(1), 30, &[Stay { host: 7, days: 31, share_percent: 100 }]).is_err());
        assert!(prorate(yen(1), 0, &[]).is_err());
        assert!(prorate(yen(-1), 30, &[]).is_err());
    }

    #[test]
    fn fractions_are_paid_in_the_first_instalment() {
        assert_eq!(instalments(yen(100_003), 4, Yen::ZERO).unwrap(), [25_003, 25_000, 25_000, 25_000].map(yen));
        assert_eq!(instalments(yen(100_003), 4, yen(3)).unwrap(), [25_003, 25_000, 25_000, 25_000].map(yen));
        assert_eq!(instalments(yen(2), 4, Yen::ZERO).unwrap(), [2, 0, 0, 0].map(yen));
        assert!(instalments(yen(1), 0, Yen::ZERO).is_err());
        assert!(instalments(yen(1), 1, yen(2)).is_err());
    }

    proptest! {
        #[test]
        fn parts_of_a_month_sum_to_it(month in 0i64..1_000_000_000, days in prop::collection::vec((1i64..5, 0u32..=10, 0u32..=100), 0..3)) {
            let stays: Vec<Stay> = days.into_iter().map(|(host, days, share_percent)| Stay { host, days, share_percent }).collect();
            let found = prorate(yen(month), 30, &stays).unwrap();
            let sum = Yen::sum(found.hosts().iter().map(|(_, amount)| *amount).chain([found.rest()]));
            prop_assert_eq!(sum, Ok(yen(month)));
            prop_assert!(found.hosts().iter().all(|(_, amount)| !amount.is_negative()) && !found.rest().is_negative());
        }

        #[test]
        fn instalments_sum_to_the_amount_and_only_the_first_differs(total in 0i64..1_000_000_000_000, count in 1u32..=12) {
            let parts = instalments(yen(total), count, Yen::ZERO).unwrap();
            prop_assert_eq!(Yen::sum(parts.iter().copied()), Ok(yen(total)));
            prop_assert!(parts[1..].iter().all(|part| *part == parts[parts.len() - 1]));
            prop_assert!(parts[0].get() - parts[parts.len() - 1].get() < i64::from(count));
        }
    }
}
