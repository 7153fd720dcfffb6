//! A plan beside what stands today: who has been asked or has agreed already.

use std::collections::BTreeMap;

use crate::allocations::page_words::Names;
use crate::allocations::views::AllocationView;
use crate::db::Conn;
use crate::error::Error;
use crate::ids::{ExpertId, RequestId};
use crate::offers::model::OfferStatus;
use crate::offers::store;
use crate::web::tongue::Tongue;

/// Who has been asked or has agreed today, by request: what the plan is compared with.
pub(super) struct Today(BTreeMap<RequestId, Vec<(ExpertId, OfferStatus)>>);

impl Today {
    pub(super) fn load(conn: &mut Conn, run: &AllocationView) -> Result<Self, Error> {
        let unserved = run.result.iter().flat_map(|result| &result.unserved).map(|row| row.request_id);
        let requests: Vec<RequestId> = run.assignments.iter().map(|row| row.request_id).chain(unserved).collect();
        let mut found: BTreeMap<RequestId, Vec<(ExpertId, OfferStatus)>> = BTreeMap::new();
        for (request, expert, status) in store::standing(conn, &requests)? {
            found.entry(request).or_default().push((expert, status));
        }
        Ok(Self(found))
    }

    /// Everybody who has been asked.
    pub(super) fn experts(&self) -> impl Iterator<Item = ExpertId> {
        self.0.values().flatten().map(|(expert, _)| *expert)
    }

    /// Those asked for a request, in words; empty: nobody.
    pub(super) fn said(&self, t: Tongue, request: RequestId, names: &Names) -> String {
        let standing = self.0.get(&request).into_iter().flatten();
        let words = standing.map(|(expert, status)| match t.english() {
            true => format!("{} ({})", names.expert(*expert), status.as_str().replace('_', " ")),
            false => format!("{}（{}）", names.expert(*expert), status.label_ja()),
        });
        words.collect::<Vec<_>>().join(t.t("、", ", "))
    }

    /// How far the plan is what stands today.
    pub(super) fn compared(&self, t: Tongue, run: &AllocationView) -> String {
        let (mut same, mut other, mut new) = (0, 0, 0);
        for row in run.assignments.iter().filter(|row| row.expert_id.is_some()) {
            let planned: Vec<ExpertId> =
                row.expert_id.into_iter().chain(row.others.iter().map(|other| other.expert_id)).collect();
            match self.0.get(&row.request_id) {
                None => new += 1,
                Some(standing) if standing.iter().any(|(expert, _)| planned.contains(expert)) => same += 1,
                Some(_) => other += 1,
            }
        }
        let kept = |request: &RequestId| run.assignments.iter().any(|row| row.request_id == *request && row.expert_id.is_some());
        let left = self.0.keys().filter(|request| !kept(request)).count();
        if t.english() {
            format!(
                "Beside what stands today: {same} with an expert already asked, {other} with another one, {new} new; {left} asked today but not in the plan."
            )
        } else {
            format!(
                "いまの打診・承諾と比べると、同じ専門家が{same}件、別の専門家が{other}件、新しく割り当てるものが{new}件。いま打診中で計画にないものが{left}件。"
            )
        }
    }
}
