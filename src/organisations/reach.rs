//! Whose people, keys and contact data somebody may see and administer.

use super::model::OrganisationKind;
use crate::auth::policy::Role;
use crate::auth::principal::Principal;
use crate::ids::OrganisationId;

/// The organisations within somebody's administrative reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All of them: whoever runs the installation.
    All,
    /// Some of them.
    Within {
        /// The own organisation.
        own: OrganisationId,
        /// Bodies that belong to this one: the councils that a prefecture runs.
        run_by: Option<OrganisationId>,
        /// Municipalities, schools and other bodies of this prefecture, but neither itself nor its councils.
        prefecture: Option<OrganisationId>,
    },
}

/// What decides whether an organisation is within reach.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The organisation.
    pub id: OrganisationId,
    /// Its kind.
    pub kind: OrganisationKind,
    /// The body it belongs to.
    pub parent: Option<OrganisationId>,
    /// The prefecture it lies in.
    pub prefecture: Option<OrganisationId>,
}

/// Kinds that a prefecture's coordinators do not administer merely because they lie in the prefecture: other owners
/// of pools look after themselves.
pub const SELF_ADMINISTERED: [OrganisationKind; 2] = [OrganisationKind::Prefecture, OrganisationKind::Council];

impl Reach {
    /// System administrators reach everything; coordinators their own organisation, the councils it runs and the
    /// bodies of their prefecture; everybody else the own organisation.
    pub fn of(principal: &Principal) -> Self {
        let own = principal.organisation_id;
        match principal.acts_as {
            Role::SystemAdmin => Self::All,
            Role::PrefecturalCoordinator => {
                // A council runs its pool, not the bodies of the prefecture it lies in.
                let prefecture = (principal.organisation_kind == OrganisationKind::Prefecture).then_some(own);
                Self::Within { own, run_by: Some(own), prefecture }
            }
            _ => Self::Within { own, run_by: None, prefecture: None },
        }
    }

    /// Whether an organisation is within reach.
    pub fn covers(&self, place: Place) -> bool {
        match *self {
            Self::All => true,
            Self::Within { own, run_by, prefecture } => {
                place.id == own
                    || (run_by.is_some() && place.parent == run_by)
                    || (prefecture.is_some() && place.prefecture == prefecture && !SELF_ADMINISTERED.contains(&place.kind))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(id: i64, kind: OrganisationKind, parent: Option<i64>, prefecture: Option<i64>) -> Place {
        Place { id: OrganisationId(id), kind, parent: parent.map(OrganisationId), prefecture: prefecture.map(OrganisationId) }
    }

    #[test]
    fn a_coordinator_reaches_the_own_prefecture_and_its_councils_but_no_other_owner_of_pools() {
        use OrganisationKind::{City, Council, Prefecture, School};
        let own = OrganisationId(1);
        let reach = Reach::Within { own, run_by: Some(own), prefecture: Some(own) };
        assert!(reach.covers(place(1, Prefecture, None, None)));
        assert!(reach.covers(place(2, City, None, Some(1))));
        assert!(reach.covers(place(3, School, Some(2), Some(1))));
        assert!(reach.covers(place(4, Council, Some(1), Some(1))));
        assert!(!reach.covers(place(5, Council, Some(2), Some(1))), "a council run by somebody else");
        assert!(!reach.covers(place(6, Prefecture, None, None)), "another prefecture");
        assert!(!reach.covers(place(7, City, None, Some(6))), "another prefecture's city");
    }

    #[test]
    fn everybody_else_reaches_the_own_organisation_only() {
        let reach = Reach::Within { own: OrganisationId(2), run_by: None, prefecture: None };
        assert!(reach.covers(place(2, OrganisationKind::City, None, Some(1))));
        assert!(!reach.covers(place(3, OrganisationKind::City, None, Some(1))));
        assert!(!reach.covers(place(4, OrganisationKind::Company, None, None)));
    }
}
